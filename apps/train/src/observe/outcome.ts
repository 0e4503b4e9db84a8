/** What came of a run so far, in figures, and kept in `outcome.json` with its sentence: for the report, the last screen, and a run that is resumed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import type { KnnFigures } from './knn-figures';
import type { MetricRow } from './metrics-log';
import type { ObservedRun } from './observed-run';
import { type RunOutcome, verdict } from './verdict';

/** Steps whose losses are averaged at both ends. */
const ENDS = 10;

/** @param rows of the metrics log */
export function outcomeOf(
  { options, record, reading, fork, distilled }: ObservedRun,
  rows: readonly MetricRow[],
  { step, running }: Pick<RunOutcome, 'step' | 'running'>,
): RunOutcome {
  const losses = rows.flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = rows.findLast((row) => typeof row.feature_std === 'number')?.feature_std;
  return {
    step,
    steps: options.schedule.iterations,
    running,
    warmup: options.schedule.warmup,
    labelled: reading.pixels !== undefined,
    knn: record.knn,
    loss: losses.length > 0 ? { first: mean(losses.slice(0, ENDS)), last: mean(losses.slice(-ENDS)) } : undefined,
    spread: typeof spread === 'number' ? spread : undefined,
    trouble: record.trouble.map(({ code }) => code),
    fork,
    ...(distilled === undefined ? {} : { distilled }),
  };
}

const fileIn = (folder: string): string => join(folder, 'outcome.json');

export async function saveOutcome(folder: string, outcome: RunOutcome): Promise<void> {
  const text = JSON.stringify({ sentence: verdict(outcome), ...outcome }, null, 2);
  await writeFileAtomic(fileIn(folder), (sink) => sink(Buffer.from(`${text}\n`)));
}

/** The reading that a run goes on from: the newest one up to `step`, if one was kept. */
export async function earlierKnn(folder: string, step: number): Promise<KnnFigures | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => '{}');
  try {
    const { knn } = JSON.parse(text) as Partial<RunOutcome>;
    return knn && knn.step <= step ? knn : undefined;
  } catch {
    return undefined;
  }
}
