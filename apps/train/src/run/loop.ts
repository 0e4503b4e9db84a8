/**
 * The training loop: batches in, steps out; now and then write down how it goes, measure the teacher, save. All ranks go through it alike, and what rank 0 does for
 * all of them (figures, pictures, files) ends on all of them where it fails. Whatever ranks say to each other here is said when no step is running.
 */
import { join } from 'node:path';
import type { LoadedBatch } from '@franca/data';
import type { Gpu, State } from '@franca/tensor';
import { TrainError } from '../errors';
import { configMetadata, writeConfigFile } from '../features/config-of-file';
import { BEST_TEACHER } from '../observe/best-reading';
import type { ObservedRun } from '../observe/observed-run';
import { createObserver, looksDue, type Observer } from '../observe/observer';
import type { Progress } from '../observe/progress';
import type { TeacherReading } from '../observe/teacher-reading';
import type { RunOutcome } from '../observe/verdict';
import { gatherShares } from '../ranks/exchange';
import { isAgreed } from '../ranks/known-to-all';
import { rankName } from '../ranks/rank-name';
import { onFirst, together } from '../ranks/together';
import { type Ending, endAll } from '../ranks/with-ranks';
import { type BadImageCounts, badImagesOfAll } from './bad-images-of-all';
import type { Checkpoints, Position } from './checkpointing';
import { compareWeights } from './compare-weights';
import { explainFullDisk } from './full-disk';
import { type MicroStepContext, updates } from './micro-steps';
import { createProfiler } from './profiler';
import { exportBackbone } from './state-io';
import { listenForStop } from './stop-signals';
import { writeTuning } from './tuning-record';

export interface TrainResult {
  readonly step: number;
  readonly finished: boolean;
  /** On rank 0. */
  readonly outcome: RunOutcome | undefined;
}

/** What the loop works with. */
export interface Run extends Omit<MicroStepContext, 'profiler' | 'isAsked' | 'onStop'> {
  readonly ending: Ending;
  readonly gpu: Gpu;
  /** The run folder. */
  readonly out: string;
  readonly state: State;
  readonly reading: TeacherReading;
  readonly checkpoints: Checkpoints;
  readonly progress: Progress;
  /** What is looked at and written down, on rank 0. */
  readonly observed: ObservedRun | undefined;
}

/** What there is to do. */
export interface Work {
  readonly start: Position;
  /** The update after which this process ends. */
  readonly last: number;
  readonly batches: AsyncIterable<LoadedBatch>;
  readonly profile: boolean;
}

/** Trains. Resolves when there is nothing left to do, or a rank was asked to stop; the last checkpoint is whole however it ends. */
export async function loop(run: Run, { start, last, batches, profile }: Work): Promise<TrainResult> {
  const { ranks, options, out, state, step, record, progress, checkpoints } = run;
  const { logEvery, picturesEvery, knn, checkpoint, exportEvery, checkEvery } = options.loop;
  const profiler = createProfiler(run, { first: start.step, enabled: profile });
  const { observer, first, interval, measure } = observing(run);
  run.ending.advice = () => [checkpoints.howToContinue()];
  using stop = listenForStop((signal) =>
    progress.message(`${signal}: saving a checkpoint after this step (again to stop at once)`),
  );
  // several ranks stop where they agree to
  const isStopping = (): boolean => ranks.size === 1 && stop.requested !== undefined;
  let position = start;
  const due = (every: number) => every > 0 && (position.step % every === 0 || position.step === last);
  const save = async () => {
    // before the weights that came of them
    await first(() => writeTuning(out, run.gpu));
    await checkpoints.save(position, record.seconds());
  };
  const context = { ...run, profiler, isAsked: () => stop.requested !== undefined, onStop: sayWhoAsked(run) };
  try {
    if (start.step === 0) await measure(0, start.step >= last);
    profiler.restart();
    const toCome = start.step < last && !isStopping() ? updates(batches, start.step, context) : [];
    for await (const update of toCome) {
      const { step: at, masks } = update;
      position = update;
      if (due(logEvery)) await interval(at);
      await observer?.live(at);
      profiler.end('figures');
      profiler.describe(at, last);
      if (at === start.step + 1 || due(picturesEvery)) await first((observer) => observer.draw(at, masks));
      if (due(knn.every) && !isStopping()) await measure(at, at === last);
      if (due(checkEvery)) {
        await step.done();
        await compareWeights(ranks, state, `after step ${at}`);
      }
      if (due(checkpoint.every)) await save();
      if (exportEvery > 0 && at % exportEvery === 0) await first(() => exportTeacher(run, at));
      profiler.end('pictures, k-NN, checkpoint');
      if (at >= last || isStopping()) break;
    }
    await save();
    // weights as they were drawn are no result
    const isTrained = position.step > 0;
    if (isTrained) await first(() => exportTeacher(run, position.step));
    const outcome = isTrained ? await first((observer) => observer.report(position.step)) : undefined;
    conclude(run, position, await badImagesOfAll(ranks, position.cursor));
    return { step: position.step, finished: position.step >= options.schedule.iterations, outcome };
  } catch (error) {
    // the data failed, not the steps before: what they learned is kept
    if (error instanceof TrainError && error.code === 'data') await save();
    progress.end();
    if (ranks.size > 1 && !isAgreed(error)) endAll(ranks, error, run.ending);
    progress.message(checkpoints.howToContinue());
    throw explainFullDisk(error, out);
  } finally {
    progress.end();
  }
}

/** What is done once the step at hand has run: by rank 0, while the others wait, or by all. */
function observing({ ranks, options, out, state, step, reading, record, observed }: Run) {
  const observer = observed && createObserver(observed);
  const isLooksDue = looksDue(options.loop.picturesEvery);
  const first = async <T>(work: (observer: Observer) => Promise<T>): Promise<T | undefined> => {
    if (ranks.size > 1) await step.done();
    return onFirst(ranks, () => work(observer!).catch((error) => Promise.reject(explainFullDisk(error, out))));
  };
  const interval = async (at: number): Promise<void> => {
    const { embedDim } = options.vit;
    const own = Float32Array.from(await together(ranks, () => step.read('cls')));
    const cls = await gatherShares(ranks, own, new Array(ranks.size).fill(own.length / embedDim), embedDim);
    await first((observer) => observer.interval(at, cls));
  };
  const measure = async (at: number, isLast: boolean): Promise<void> => {
    const withLooks = isLooksDue(at, isLast);
    await step.done();
    const features = await reading.features(withLooks);
    await first(async (observer) => {
      await observer.measure(at, features, withLooks);
      if (record.best?.step === at) await exportTeacher({ out, state, options }, at, BEST_TEACHER);
    });
  };
  return { observer, first, interval, measure };
}

/** Rank 0 says which other ranks were asked. */
const sayWhoAsked =
  ({ ranks, progress }: Run) =>
  (asked: readonly number[]): void => {
    if (!asked.includes(0)) progress.message(`${rankName(ranks, asked[0]!)}, was asked to stop: saving a checkpoint`);
  };

async function exportTeacher(
  { out, state, options: { vit } }: Pick<Run, 'out' | 'state' | 'options'>,
  at: number,
  name = 'teacher.safetensors',
): Promise<void> {
  const stored = { config: vit, assumed: [] };
  const metadata = { step: String(at), source: 'franca-train', ...configMetadata(stored) };
  await exportBackbone(join(out, name), state, 'teacher', metadata);
  await writeConfigFile(out, stored);
}

/** The last words of a run that ended as it should. */
function conclude({ options, progress, checkpoints }: Run, { step }: Position, { seen, bad }: BadImageCounts): void {
  const { iterations } = options.schedule;
  if (step < iterations)
    progress.message(`stopped after step ${step} of ${iterations}; ${checkpoints.howToContinue()}`);
  if (bad > 0) progress.message(`${bad} of ${seen} images drawn could not be used and were skipped`);
}
