/** What came of a run so far, in figures, and kept in `outcome.json` with its sentence: for the report, the last screen, and a run that is resumed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import { belowStart } from './below-start';
import { BEST_TEACHER } from './best-reading';
import type { MetricRow } from './metrics-log';
import type { ObservedRun } from './observed-run';
import type { RunRecord } from './run-record';
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
    warmup: options.schedule.freezeBackbone + options.schedule.warmup,
    labelled: reading.pixels !== undefined,
    knn: record.knn,
    loss: losses.length > 0 ? { first: mean(losses.slice(0, ENDS)), last: mean(losses.slice(-ENDS)) } : undefined,
    spread: typeof spread === 'number' ? spread : undefined,
    trouble: [...record.trouble, ...(record.knn ? [belowStart(record.knn)] : [])].flatMap((each) => each?.code ?? []),
    best: record.best,
    fork,
    ...(distilled === undefined ? {} : { distilled }),
  };
}

const fileIn = (folder: string): string => join(folder, 'outcome.json');

export async function saveOutcome(folder: string, outcome: RunOutcome): Promise<void> {
  const text = JSON.stringify({ sentence: verdict(outcome), ...outcome }, null, 2);
  await writeFileAtomic(fileIn(folder), (sink) => sink(Buffer.from(`${text}\n`)));
}

/** The readings that a run goes on from: the newest one up to `step`, and the best one, if they were kept. */
export async function earlierReadings(folder: string, step: number): Promise<Pick<RunRecord, 'knn' | 'best'>> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => '{}');
  try {
    const { knn, best } = JSON.parse(text) as Partial<RunOutcome>;
    return {
      knn: knn && knn.step <= step ? knn : undefined,
      best: best && existsSync(join(folder, BEST_TEACHER)) ? best : undefined,
    };
  } catch {
    return { knn: undefined, best: undefined };
  }
}
