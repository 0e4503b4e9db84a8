/** What is read first of all evaluations: one figure of each kind, beside the same model untrained and beside chance. */
import type { EvalRecord } from '@franca/evals';
import type { ReportTable } from '@franca/viz';

/** Tasks that are quick enough to be run on the untrained model as well. */
export const CONTROLLED: readonly string[] = ['knn', 'in-context', 'position'];

interface Line {
  /** What it asks, in words. */
  readonly asks: string;
  readonly chance?: (record: EvalRecord) => number;
}

const anyClass = ({ perClass }: EvalRecord): number => 1 / Math.max(1, perClass.length);

/** By the task of the record, in the order of the table. */
const LINES: Readonly<Record<string, Line>> = {
  knn: { asks: 'is the class told by the nearest images?', chance: anyClass },
  linear: { asks: 'is it told by a linear classifier?', chance: anyClass },
  'logistic-regression': { asks: 'by one with a chosen penalty?', chance: anyClass },
  ood: { asks: 'are images of unknown classes noticed?', chance: () => 0.5 },
  'in-context-segmentation': { asks: 'do similar patches have the same class?' },
  'linear-segmentation': { asks: 'does a linear classifier name patches?' },
  'position-decodability': {
    asks: 'is the place of a patch in its token? (less is better for segmentation)',
    chance: () => 0,
  },
};

/** One row for each kind of figure that there is. */
export function glance(records: readonly EvalRecord[], control: readonly EvalRecord[]): ReportTable {
  const rows = Object.entries(LINES).flatMap(([task, { asks, chance }]) => {
    const record = mainRecord(records, task);
    if (!record) return [];
    const untrained = mainRecord(control, task);
    const figure = (value: number | undefined) => (value === undefined ? undefined : figureOf(record, value));
    return [[asks, task, record.metric, figure(record.value), figure(untrained?.value), figure(chance?.(record))]];
  });
  return { columns: ['question', 'task', 'metric', 'this model', 'untrained', 'chance'], rows };
}

/** The first of several variants; position is that of the task itself, after those of RASA. */
function mainRecord(records: readonly EvalRecord[], task: string): EvalRecord | undefined {
  const own = records.filter((record) => record.task === task);
  return task === 'position-decodability' ? own.at(-1) : own[0];
}

const figureOf = ({ unit }: EvalRecord, value: number): string =>
  unit === 'share' ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);
