/** `--estimate`: what evaluations would take, on the screen and as JSON; nothing of them is run. */
import { writeFileAtomic } from '@franca/checkpoint';
import type { EvalTask } from '../task';
import { estimates, freeBytes, type TaskEstimate } from './estimate';
import { closingLines, type EstimateFrame, neededBytes, taskLines } from './estimate-lines';
import type { CostQuestion } from './task-cost';

/** Evaluations with the options that they were given: `json` and `cache` among them. */
export async function runEstimate(
  asked: Omit<CostQuestion, 'opened'>,
  tasks: readonly EvalTask[],
  options: Readonly<Record<string, unknown>>,
  command: string,
): Promise<void> {
  const question: CostQuestion = { ...asked, opened: [] };
  const { gpu, weights } = question.session;
  const { json } = options as { json?: string };
  const { folder: cache } = question.session.extraction.cache;
  const frame: EstimateFrame = {
    device: gpu.target.name,
    sharesMemory: gpu.target.family === 'cpu',
    cache,
    free: await freeBytes(cache),
    command,
  };
  const all: TaskEstimate[] = [];
  try {
    for await (const estimate of estimates(question, tasks, options)) {
      all.push(estimate);
      for (const line of taskLines(estimate)) console.log(line);
    }
  } finally {
    for (const each of question.opened) await each[Symbol.asyncDispose]?.();
  }
  const without = tasks.filter(({ cost, reads }) => !cost && reads !== 'nothing').map(({ name }) => name);
  if (without.length > 0) console.log(`not estimated: ${without.join(', ')}`);
  if (all.length > 0) for (const line of closingLines(all, frame)) console.log(line);
  if (json === undefined) return;
  const disk = { needed: neededBytes(all), free: frame.free, folder: cache };
  const figures = { model: weights.name, device: frame.device, estimates: all, notEstimated: without, disk, command };
  await writeFileAtomic(json, (sink) => sink(Buffer.from(`${JSON.stringify(figures, null, 2)}\n`)));
  console.log(`wrote ${json}`);
}
