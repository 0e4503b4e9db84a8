/** `--estimate`: what evaluations would take, on the screen and as JSON; nothing of them is run. */
import { writeFileAtomic } from '@franca/checkpoint';
import { cacheRoom } from '@franca/evals/node';
import { TrainError } from '../../errors';
import { type CacheOptions, chosenLimit } from '../../features/cache-options';
import type { EvalTask } from '../task';
import { openEstimator, type TaskEstimate } from './estimate';
import { closingLines, neededBytes, taskLines } from './estimate-lines';
import type { CostQuestion } from './task-cost';

export interface EstimateOptions {
  /** What the evaluations were given. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly json?: string | undefined;
  /** What starts them. */
  readonly command: string;
  /** What they come with and is not estimated, in words. */
  readonly besides?: string;
}

/**
 * One evaluation after the other; of several, one for which the data have nothing is told and left out.
 * @throws TrainError as the evaluations, before they compute anything
 */
export async function runEstimate(
  asked: Omit<CostQuestion, 'opened'>,
  tasks: readonly EvalTask[],
  { given, json, command, besides }: EstimateOptions,
): Promise<void> {
  const question: CostQuestion = { ...asked, opened: [] };
  const { gpu, weights } = question.session;
  const { folder: cache } = question.session.extraction.cache;
  const estimate = openEstimator(question);
  const all: TaskEstimate[] = [];
  const without: string[] = [];
  try {
    for (const task of tasks.filter(({ reads }) => reads !== 'nothing')) {
      const own = task.cost && (await estimate(task.name, task.cost(question, given)).catch(orLacking(tasks)));
      if (own) all.push(own);
      else without.push(task.name);
      if (own) for (const line of taskLines(own)) console.log(line);
    }
  } finally {
    for (const each of question.opened) await each[Symbol.asyncDispose]?.();
  }
  if (without.length > 0) console.log(`not estimated: ${without.join(', ')}`);
  if (besides) console.log(`not estimated: ${besides}`);
  const room = await cacheRoom(cache, chosenLimit(given as CacheOptions));
  const frame = { device: gpu.target.name, sharesMemory: gpu.target.family === 'cpu', cache, room, command };
  if (all.length > 0) for (const line of closingLines(all, frame)) console.log(line);
  if (json === undefined) return;
  const disk = { needed: neededBytes(all), ...room, folder: cache };
  const figures = { model: weights.name, device: frame.device, estimates: all, notEstimated: without, disk, command };
  await writeFileAtomic(json, (sink) => sink(Buffer.from(`${JSON.stringify(figures, null, 2)}\n`)));
  console.log(`wrote ${json}`);
}

/** Of several evaluations one goes without an estimate where the data have nothing for it. */
const orLacking =
  ({ length }: readonly EvalTask[]) =>
  (error: unknown): undefined => {
    if (length < 2 || !(error instanceof TrainError) || error.code !== 'data') throw error;
    console.log(error.message);
  };
