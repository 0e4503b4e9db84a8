/** What is read first of all evaluations: one figure of each kind, beside the same model untrained and beside what costs nothing. */
import type { EvalRecord } from '@franca/evals';
import type { ReportTable } from '@franca/viz';

/** Tasks that are quick enough to be run on the untrained model as well. */
export const CONTROLLED: readonly string[] = ['knn', 'in-context', 'position', 'discover', 'correspondence', 'warp'];

interface Line {
  /** What it asks, in words. */
  readonly asks: string;
  /** What one scores for nothing: chance, or an answer that looks at no feature. */
  readonly floor?: (record: EvalRecord) => number | undefined;
  /** Which of several records; default the first. */
  readonly variant?: string;
}

const anyClass = ({ perClass }: EvalRecord): number => 1 / Math.max(1, perClass.length);

/** By the task of the record, in the order of the table. */
const LINES: Readonly<Record<string, Line>> = {
  knn: { asks: 'is the class told by the nearest images?', floor: anyClass },
  linear: { asks: 'is it told by a linear classifier?', floor: anyClass },
  'logistic-regression': { asks: 'by one with a chosen penalty?', floor: anyClass },
  ood: { asks: 'are images of unknown classes noticed?', floor: () => 0.5 },
  'in-context-segmentation': { asks: 'do similar patches have the same class?' },
  'linear-segmentation': { asks: 'does a linear classifier name patches?' },
  'position-decodability': {
    asks: 'is the place of a patch in its token? (less is better)',
    floor: () => 0,
  },
  'object-discovery': {
    asks: 'is the object found? (floor: the whole picture)',
    floor: ({ others }) => others['box of the whole picture'],
  },
  correspondence: {
    asks: 'is a part found in another of its kind? (floor: any patch)',
    variant: 'all',
    floor: ({ others }) => others['recall of a random cell'],
  },
  'video-segmentation': {
    asks: 'is an object followed through a video? (floor: its first mask)',
    floor: ({ others }) => others['J&F of the given masks'],
  },
  depth: { asks: 'does a patch tell how far away it is? (metres, less is better)' },
  'warp-correspondence': {
    asks: 'is a patch found again when turned? (floor: its old place)',
    variant: 'strong',
    floor: ({ others }) => others['in place@0.1'],
  },
};

/** What is looked at. */
export interface Glanced {
  /** Name of the model; records of the same model with planes of RASA removed have another. */
  readonly model: string;
  readonly records: readonly EvalRecord[];
  /** Of the model untrained. */
  readonly control?: readonly EvalRecord[];
}

/** One row for each kind of figure that there is. */
export function glance({ model, records, control = [] }: Glanced): ReportTable {
  const plain = records.filter(({ features }) => features === model);
  const planed = records.filter(({ features }) => features.startsWith(`${model} + RASA`));
  const rows = Object.entries(LINES).flatMap(([task, { asks, floor, variant }]) => {
    const record = mainRecord(plain, task, variant);
    if (!record) return [];
    const figure = (value: number | undefined) => (value === undefined ? undefined : figureOf(record, value));
    const withRasa = planed.length > 0 ? [figure(mainRecord(planed, task, variant)?.value)] : [];
    const untrained = mainRecord(control, task, variant);
    return [
      [asks, task, record.metric, figure(record.value), ...withRasa, figure(untrained?.value), figure(floor?.(record))],
    ];
  });
  const withRasa = planed.length > 0 ? ['with RASA'] : [];
  return { columns: ['question', 'task', 'metric', 'this model', ...withRasa, 'untrained', 'floor'], rows };
}

/** The first of several variants, or of those of the name (`all` is `all, low` too); position is that of the task itself, after those of RASA. */
function mainRecord(records: readonly EvalRecord[], task: string, variant?: string): EvalRecord | undefined {
  const own = records.filter((record) => record.task === task);
  if (task === 'position-decodability') return own.at(-1);
  return own.find((record) => record.variant.split(',')[0] === variant) ?? own[0];
}

const figureOf = ({ unit }: EvalRecord, value: number): string =>
  unit === 'share' ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);
