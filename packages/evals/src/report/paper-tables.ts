/**
 * Numbers of the Franca paper, to be shown beside one's own where task and data set are the same. They are those of the
 * first version and of the later README of its repository. Only Franca and the two kinds of DINOv2: retrained on
 * ImageNet-21K without distillation, and the released weights. The paper's Franca-L on ImageNet-21K is left out: its
 * authors withdrew it.
 *
 * An evaluation that the paper does not report needs no line here: nothing is shown beside it.
 */
import { FINE_GRAINED } from './paper-sets';

/** A number of the paper, or of the repository's README. */
export interface PaperResult {
  readonly task: string;
  readonly dataset: string;
  readonly model: string;
  /** Where it is of one protocol, one variant or one metric of the task only. */
  readonly protocol?: string;
  readonly variant?: string;
  readonly metric?: string;
  /** In percent; SI-RMSE of depth in metres. Two values for overclustering, whose numbers of clusters the paper's text does not give. */
  readonly values: readonly number[];
  readonly source: string;
}

/** One table: its columns are data sets, each with one value per model (or as many as `perColumn`), or variants on one data set. */
interface Table {
  readonly task: string;
  readonly source: string;
  readonly protocol?: string;
  readonly metric?: string;
  readonly columns: readonly string[];
  readonly perColumn?: number;
  /** The data set, where the columns are variants. */
  readonly dataset?: string;
  readonly rows: Readonly<Record<string, readonly number[]>>;
}

const TABLES: readonly Table[] = [
  {
    task: 'knn',
    source: 'Table 2',
    columns: ['imagenet-1k'],
    rows: {
      'Franca-B': [80.9],
      'Franca-L': [82.0],
      'Franca-G': [82.8],
      'DINOv2-B retrained': [77.6],
      'DINOv2-L retrained': [82.1],
      'DINOv2-B': [82.1],
      'DINOv2-L': [83.5],
      'DINOv2-G': [83.1],
    },
  },
  {
    task: 'knn',
    source: 'README 1.1',
    columns: ['imagenet-1k'],
    rows: {
      'Franca-B (README)': [77.5],
      'Franca-B + RASA (README)': [79.6],
      'Franca-L (README)': [82.2],
      'Franca-L + RASA (README)': [82.5],
    },
  },
  {
    task: 'linear',
    source: 'Table 2',
    columns: ['imagenet-1k', 'imagenet-real', 'imagenet-v2', 'imagenet-a', 'imagenet-r', 'imagenet-sketch'],
    rows: {
      'Franca-B': [82.0, 85.6, 72.8, 54.8, 63.2, 48.7],
      'Franca-L': [83.8, 87.0, 76.5, 71.3, 72.0, 56.9],
      'Franca-G': [85.0, 87.0, 77.2, 74.8, 78.1, 62.2],
      'DINOv2-B retrained': [81.2, 84.5, 70.3, 52.2, 59.9, 48.0],
      'DINOv2-L retrained': [84.0, 86.8, 73.9, 70.5, 70.9, 55.2],
      'DINOv2-B': [84.5, 88.3, 75.1, 55.1, 63.3, 50.6],
      'DINOv2-L': [86.3, 89.5, 78.0, 71.3, 74.4, 59.3],
      'DINOv2-G': [86.0, 89.0, 77.9, 75.9, 78.8, 62.5],
    },
  },
  {
    task: 'logistic-regression',
    source: 'Table 3',
    columns: FINE_GRAINED,
    rows: {
      'Franca-B': [91.6, 99.0, 92.0, 77.0, 88.7, 79.3, 82.2, 93.8, 96.2, 99.7, 88.3],
      'Franca-L': [94.3, 99.0, 93.7, 78.9, 89.5, 81.3, 83.8, 96.8, 97.4, 99.5, 90.9],
      'Franca-G': [95.0, 99.5, 95.1, 78.9, 91.3, 85.5, 85.0, 97.2, 97.5, 99.7, 91.3],
      'DINOv2-L retrained': [93.4, 99.2, 93.9, 78.1, 89.9, 81.7, 82.9, 95.2, 87.2, 99.6, 90.3],
      'DINOv2-L': [94.3, 99.3, 93.4, 78.7, 89.9, 81.5, 84.0, 96.5, 97.5, 99.7, 90.5],
      'DINOv2-G': [94.7, 99.5, 94.4, 78.7, 91.4, 87.2, 84.5, 96.7, 97.6, 99.7, 91.6],
    },
  },
  {
    task: 'logistic-regression',
    source: 'Table 3, average',
    columns: ['fine-grained'],
    rows: {
      'Franca-B': [89.8],
      'Franca-L': [91.4],
      'Franca-G': [92.3],
      'DINOv2-L retrained': [90.1],
      'DINOv2-L': [91.4],
      'DINOv2-G': [92.3],
    },
  },
  {
    task: 'linear-segmentation',
    source: 'Table 4',
    columns: ['coco-stuff', 'voc-2012', 'ade20k'],
    rows: {
      'Franca-B': [60.5, 80.0, 39.1],
      'Franca-L': [60.5, 81.3, 41.4],
      'Franca-G': [60.4, 81.3, 42.4],
      'DINOv2-B retrained': [59.6, 77.2, 33.8],
      'DINOv2-L retrained': [60.3, 79.3, 37.8],
      'DINOv2-B': [58.9, 80.3, 42.6],
      'DINOv2-L': [58.0, 80.3, 41.8],
      'DINOv2-G': [58.1, 81.3, 42.4],
    },
  },
  {
    task: 'in-context-segmentation',
    source: 'Table 4',
    columns: ['voc-2012', 'ade20k'],
    rows: {
      'Franca-B': [75.7, 34.7],
      'Franca-L': [73.5, 37.6],
      'Franca-G': [76.7, 36.5],
      'DINOv2-B retrained': [69.6, 30.0],
      'DINOv2-L retrained': [72.0, 33.5],
      'DINOv2-B': [77.1, 37.7],
      'DINOv2-L': [74.6, 38.6],
      'DINOv2-G': [73.7, 37.7],
    },
  },
  {
    task: 'overclustering',
    source: 'Table 4',
    columns: ['voc-2012', 'coco-things'],
    perColumn: 2,
    rows: {
      'Franca-B': [30.1, 46.9, 37.9, 43.1],
      'Franca-L': [30.3, 44.4, 33.8, 40.7],
      'Franca-G': [39.4, 49.2, 25.8, 31.9],
      'DINOv2-B retrained': [25.9, 34.7, 20.5, 28.7],
      'DINOv2-L retrained': [25.9, 34.7, 24.1, 35.1],
      'DINOv2-B': [39.2, 52.5, 46.5, 54.0],
      'DINOv2-L': [26.5, 43.0, 34.8, 45.7],
      'DINOv2-G': [19.5, 27.7, 20.7, 29.2],
    },
  },
  {
    task: 'object-discovery',
    source: 'Table 5, size of the model and feature not stated',
    protocol: 'tokencut',
    columns: ['voc-2007', 'voc-2012'],
    rows: { Franca: [36.8, 42.1], DINOv2: [12.2, 14.1] },
  },
  {
    // its row of DINOv2 repeats that of OpenCLIP under TokenCut digit for digit, and is left out
    task: 'object-discovery',
    source: 'Table 5, size of the model and feature not stated',
    protocol: 'lost',
    columns: ['voc-2007', 'voc-2012'],
    rows: { Franca: [56.8, 60.9], 'DINOv2 with registers': [55.0, 59.3] },
  },
  {
    task: 'correspondence',
    source: 'Table 6, low resolution',
    dataset: 'spair-71k',
    columns: ['d=0, low', 'd=1, low', 'd=2, low', 'all, low'],
    rows: {
      'Franca-B': [35.41, 26.48, 26.59, 31.31],
      'Franca-L': [39.45, 30.65, 31.89, 35.45],
      'Franca-G': [39.54, 31.55, 32.83, 36.04],
      'DINOv2-B retrained': [32.96, 25.37, 25.81, 29.32],
      'DINOv2-L retrained': [38.98, 30.31, 31.11, 34.61],
      'DINOv2-B': [37.97, 30.27, 28.98, 33.59],
      'DINOv2-L': [36.86, 30.33, 30.35, 32.81],
      'DINOv2-G': [38.09, 31.09, 31.97, 33.99],
    },
  },
  {
    task: 'correspondence',
    source: 'Table 6, high resolution',
    dataset: 'spair-71k',
    columns: ['d=0, high', 'd=1, high', 'd=2, high', 'all, high'],
    rows: {
      'Franca-B': [53.46, 40.12, 38.92, 46.67],
      'Franca-L': [55.38, 42.14, 43.4, 48.87],
      'Franca-G': [56.66, 45.87, 46.52, 51.23],
      'DINOv2-B retrained': [42.82, 33.38, 34.82, 38.71],
      'DINOv2-L retrained': [57.6, 42.91, 44.17, 50.68],
      'DINOv2-B': [63.04, 51.09, 48.76, 55.98],
      'DINOv2-L': [63.91, 53.11, 51.91, 56.92],
      'DINOv2-G': [63.06, 52.01, 52.72, 56.37],
    },
  },
  {
    // DINO's protocol is what papers of its kind use where they say nothing
    task: 'video-segmentation',
    source: 'README 1.1, protocol not stated',
    protocol: 'dino',
    metric: 'J&F',
    columns: ['davis-2017'],
    rows: {
      'Franca-B (README)': [65.5],
      'Franca-B + RASA (README)': [70.6],
      'Franca-L (README)': [68.0],
      'Franca-L + RASA (README)': [70.0],
      'DINOv2-B retrained (README)': [63.1],
      'DINOv2-B retrained + RASA (README)': [69.2],
      'DINOv2-L retrained (README)': [64.2],
      'DINOv2-L retrained + RASA (README)': [66.6],
    },
  },
  {
    task: 'depth',
    source: 'Table 6, low resolution',
    protocol: 'probe3d',
    dataset: 'nyuv2',
    columns: ['low'],
    rows: {
      'Franca-B': [0.33],
      'Franca-L': [0.28],
      'Franca-G': [0.28],
      'DINOv2-B retrained': [0.34],
      'DINOv2-L retrained': [0.29],
      'DINOv2-B': [0.28],
      'DINOv2-L': [0.25],
      'DINOv2-G': [0.24],
    },
  },
  {
    task: 'depth',
    source: 'Table 6, high resolution',
    protocol: 'probe3d',
    dataset: 'nyuv2',
    columns: ['high'],
    rows: {
      'Franca-B': [0.31],
      'Franca-L': [0.28],
      'Franca-G': [0.28],
      'DINOv2-B retrained': [0.33],
      'DINOv2-L retrained': [0.31],
      'DINOv2-B': [0.25],
      'DINOv2-L': [0.23],
      'DINOv2-G': [0.22],
    },
  },
];

/** Every number above, one by one. */
export const PAPER_RESULTS: readonly PaperResult[] = /* @__PURE__ */ TABLES.flatMap(
  ({ task, source, protocol, metric, columns, perColumn = 1, dataset, rows }) =>
    Object.entries(rows).flatMap(([model, values]) =>
      columns.map((column, c) => ({
        task,
        ...(dataset === undefined ? { dataset: column } : { dataset, variant: column }),
        ...(protocol && { protocol }),
        ...(metric && { metric }),
        model,
        values: values.slice(c * perColumn, (c + 1) * perColumn),
        source,
      })),
    ),
);
