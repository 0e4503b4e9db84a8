/** `report.html`: the run on one page, rewritten whenever there is something new. Curves from the metrics log, pictures from the folder, the configuration. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import { type Figure, htmlReport, type ReportSection, trainingCurves } from '@franca/viz';
import { duration } from '../text/amounts';
import type { HealthNotice } from './health';
import { type MetricRow, readMetrics } from './metrics-log';

export interface ReportInput {
  readonly folder: string;
  readonly title: string;
  readonly config: string;
  /** What was assumed, left out or changed, in words. */
  readonly history: readonly string[];
  /** Of the k-NN that measures the teacher. */
  readonly neighbours: number;
  readonly notices: readonly HealthNotice[];
  readonly secondsSpent: number;
  readonly imagesSeen: number;
}

/** Charts of a run: what they show and which columns of the log they read. */
const CHARTS: readonly { readonly title: string; readonly columns: readonly string[]; readonly smoothing: number }[] = [
  {
    title: 'Loss',
    columns: ['loss', 'dino_global_crops_loss', 'dino_local_crops_loss', 'ibot_loss', 'koleo_loss'],
    smoothing: 0.9,
  },
  { title: 'k-NN accuracy of the teacher', columns: ['knn', 'knn_pixels'], smoothing: 0 },
  { title: 'Learning rate', columns: ['lr', 'last_layer_lr'], smoothing: 0 },
  {
    title: 'Gradient norm before clipping',
    columns: ['grad_norm_backbone', 'grad_norm_dino_head', 'grad_norm_ibot_head'],
    smoothing: 0.9,
  },
  {
    title: 'Teacher entropy and prototypes in use',
    columns: ['teacher_entropy', 'prototypes_in_use', 'feature_std'],
    smoothing: 0,
  },
  { title: 'Images per second', columns: ['images_per_second'], smoothing: 0.9 },
];

function curve(rows: readonly MetricRow[], { title, columns, smoothing }: (typeof CHARTS)[number]): Figure | undefined {
  const series = columns.flatMap((name) => {
    const points = rows.filter((row) => typeof row[name] === 'number');
    return points.length > 0
      ? [{ name, steps: points.map((row) => row.step), values: points.map((row) => row[name] as number) }]
      : [];
  });
  return series.length > 0 ? trainingCurves(series, { title, smoothing }) : undefined;
}

/** Writes the report of a run folder. */
export async function writeReport({
  folder,
  title,
  config,
  history,
  neighbours,
  notices,
  secondsSpent,
  imagesSeen,
}: ReportInput): Promise<void> {
  const rows = await readMetrics(join(folder, 'metrics.jsonl'));
  const figures = CHARTS.flatMap((chart) => {
    const figure = curve(rows, chart);
    return figure ? [{ figure }] : [];
  });
  const sections: ReportSection[] = [
    { title: 'Training', notices: notices.map(({ severity, text }) => ({ kind: severity, text })), charts: figures },
    { title: 'Pictures', images: await pictures(join(folder, 'pictures')) },
    { title: 'History', notices: history.map((text) => ({ kind: 'info', text })) },
    { title: 'Configuration', details: [{ summary: 'config.yaml', text: config }] },
  ];
  const last = rows.at(-1);
  const knn = rows.findLast((row) => typeof row.knn === 'number')?.knn as number | undefined;
  const facts = [
    { label: 'steps', value: last?.step ?? 0 },
    { label: 'images seen', value: imagesSeen },
    { label: 'time', value: duration(secondsSpent) },
    ...(typeof last?.loss === 'number' ? [{ label: 'loss', value: last.loss.toFixed(3) }] : []),
    ...(knn === undefined ? [] : [{ label: `${neighbours}-NN`, value: `${(100 * knn).toFixed(1)} %` }]),
  ];
  const html = htmlReport({
    title,
    facts,
    sections: sections.filter(
      ({ images, notices, title }) => (images ?? notices)?.length !== 0 || title === 'Training',
    ),
  });
  await writeFileAtomic(join(folder, 'report.html'), (sink) => sink(Buffer.from(html)));
}

/** The newest picture of each kind: files are named `<kind>-<step>.png`. */
async function pictures(folder: string) {
  const names = await readdir(folder).catch(() => []);
  const newest = new Map<string, string>();
  for (const name of names.sort()) {
    const kind = name.match(/^(.+)-\d+\.png$/)?.[1];
    if (kind) newest.set(kind, name);
  }
  return Promise.all(
    [...newest].map(async ([kind, name]) => ({
      image: new Uint8Array(await readFile(join(folder, name))),
      caption: `${kind}, ${name}`,
    })),
  );
}
