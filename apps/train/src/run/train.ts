/**
 * The training loop: batches in, steps out. One iteration is: set the schedules, draw masks and kept samples, cut the crops, replay the compiled step; now and then
 * write down how it goes, measure the teacher, save. Everything random is a function of the seed and the step, and everything else is in the checkpoint, so a run
 * that was killed and resumed gives the same bits as one that was not.
 */
import { join } from 'node:path';
import { type BadImage, DataError, type DataSplits, type ImageBatch, loadBatches } from '@franca/data';
import {
  type CompiledPretrainStep,
  pretrainGroups,
  pretrainSignature,
  pretrainStep,
  prototypeChunks,
  schedules,
} from '@franca/pretraining';
import { compile, createState, type Gpu, type State } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import { TrainError } from '../errors';
import { openMetricsLog } from '../observe/metrics-log';
import type { ObservedRun } from '../observe/observed-run';
import { createObserver } from '../observe/observer';
import { createProgress, type Progress } from '../observe/progress';
import { createRecord } from '../observe/run-record';
import { createTeacherReading, type Warming } from '../observe/teacher-reading';
import { openEvents } from '../observe/tensorboard';
import { amountOfBytes } from '../text/amounts';
import { kernelProgress } from '../text/kernel-progress';
import { createCheckpoints, type Position, restore } from './checkpointing';
import { createCropper } from './crops';
import { describeEnvironment } from './environment';
import { type MicroStepContext, updates } from './micro-steps';
import { createProfiler } from './profiler';
import { describeRun, openRunFolder, type ResumeMode } from './run-folder';
import { type PretrainedWeights, startFresh } from './starting-weights';
import { exportBackbone } from './state-io';
import { listenForStop, untilStopped } from './stop-signals';

export interface TrainRequest {
  readonly gpu: Gpu;
  readonly options: DerivedOptions;
  /** The resolved configuration as YAML, for the run folder. */
  readonly configText: string;
  readonly data: DataSplits;
  readonly out: string;
  readonly resume: ResumeMode;
  /** Stop after this iteration although the schedules go on (default: the whole run). */
  readonly stopAfter?: number;
  /** Weights to start from, by official backbone name; heads start fresh. */
  readonly pretrained?: PretrainedWeights;
  readonly progress?: Progress;
  /** Print the kernels of the third step by time, and where the steps after it spend theirs. */
  readonly profile?: boolean;
}

export interface TrainResult {
  readonly step: number;
  readonly finished: boolean;
  readonly knn: number | undefined;
  readonly folder: string;
}

/** Runs or continues a pretraining run. Resolves when it is finished or was asked to stop. Throws `TrainError`; the last checkpoint is whole then. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const { gpu, options, data, out, configText, progress = createProgress() } = request;
  await using folder = await openRunFolder(out, request.resume);
  for (const note of folder.rejected) progress.message(`warning: ${note}`);
  await describeRun(out, configText, describeEnvironment(gpu));

  using state = createState(gpu, pretrainGroups(options));
  const saved = folder.checkpoint && (await restore(folder.checkpoint, state));
  if (!saved) await startFresh(gpu, state, options, request.pretrained);
  const start: Position = saved ?? { step: 0, cursor: undefined, imagesSeen: 0 };
  if (start.step > 0) progress.message(`resuming ${out} after step ${start.step}`);

  using step = await compile(gpu, pretrainStep(options, prototypeChunks(gpu.target)), {
    ...pretrainSignature(options),
    state,
    metricRows: 2 * options.loop.logEvery * options.batch.accumulation,
  });
  using cropper = createCropper(gpu, options, step);
  using reading = await createTeacherReading(gpu, state, options, data, warming);
  for (const reason of reading.skipped) progress.message(`skipped ${reason}`);
  progress.message(describeStart(options, gpu, step, gpu.allocatedBytes + cropper.bytes));
  await warming(async (events) => {
    await step.warm(events);
    if (gpu.target.family === 'cpu') await cropper.warm();
  });

  await using log = await openMetricsLog(join(out, 'metrics.jsonl'), saved ? saved.step : -1);
  await using events = await openEvents(out);
  const run: Run = {
    gpu,
    options,
    out,
    configText,
    state,
    step,
    schedule: schedules(options.schedule),
    cropper,
    reading,
    record: createRecord(options, saved),
    log,
    events,
    progress,
    extraBytes: cropper.bytes,
  };
  const last = Math.min(options.schedule.iterations, request.stopAfter ?? Number.POSITIVE_INFINITY);
  const batches = batchesFrom(data, options, start, progress);
  // awaited here: what the run works with is disposed of when this function ends
  return await loop(run, { start, last, batches, profile: request.profile === true });
}

/** Before anything is written: who ends it here leaves nothing behind. */
const warming: Warming = async (work) => {
  const { onProgress, end } = kernelProgress();
  await untilStopped((signal) => work({ onProgress, signal })).finally(end);
};

/** What the loop works with. */
interface Run extends ObservedRun, Omit<MicroStepContext, 'profiler'> {
  readonly state: State;
}

/** What there is to do. */
interface Work {
  readonly start: Position;
  /** The update after which this process ends. */
  readonly last: number;
  readonly batches: AsyncIterable<ImageBatch>;
  readonly profile: boolean;
}

async function loop(run: Run, { start, last, batches, profile }: Work): Promise<TrainResult> {
  const { options, out, state, record, progress } = run;
  const { logEvery, picturesEvery, knn, checkpoint, exportEvery } = options.loop;
  const profiler = createProfiler(run, { first: start.step, enabled: profile });
  const observer = createObserver(run);
  const checkpoints = createCheckpoints(out, state, checkpoint, start.step);
  using stop = listenForStop((signal) =>
    progress.message(`${signal}: saving a checkpoint after this step (again to stop at once)`),
  );
  let position = start;
  const due = (every: number) => every > 0 && (position.step % every === 0 || position.step === last);
  const save = () => checkpoints.save(position, record.seconds());
  try {
    if (start.step === 0) await observer.measure(0);
    profiler.restart();
    const toCome = start.step < last && !stop.requested ? updates(batches, start.step, { ...run, profiler }) : [];
    for await (const update of toCome) {
      const { step: at, masks } = update;
      position = update;
      if (due(logEvery)) await observer.interval(at);
      await observer.live(at);
      profiler.end('figures');
      profiler.describe(at, last);
      if (at === start.step + 1 || due(picturesEvery)) await observer.draw(at, masks);
      if (due(knn.every) && !stop.requested) await observer.measure(at);
      if (due(checkpoint.every)) await save();
      if (exportEvery > 0 && at % exportEvery === 0) await exportTeacher(run, at);
      profiler.end('pictures, k-NN, checkpoint');
      if (at >= last || stop.requested) break;
    }
    await save();
    await exportTeacher(run, position.step);
    await observer.report();
    return conclude(run, position, checkpoints.howToContinue());
  } catch (error) {
    // the data failed, not the steps before: what they learned is kept
    if (error instanceof DataError) await save();
    progress.message(checkpoints.howToContinue());
    throw explain(error, out);
  } finally {
    progress.end();
  }
}

/** Batches from where the run stands; an image that cannot be used is named the first time that it is drawn. */
function batchesFrom(
  { train: source }: DataSplits,
  { batch, seed, loop: { maxBadShare, decode, inFlight } }: DerivedOptions,
  { cursor }: Position,
  progress: Progress,
): AsyncIterable<ImageBatch> {
  const onBad = ({ key, message, times }: BadImage): void => {
    if (times === 1) progress.message(`skipped ${key}: ${message}`);
  };
  return loadBatches(source, {
    batchSize: batch.perDevice,
    seed,
    from: cursor,
    badImages: { maxShare: maxBadShare, onBad },
    decode,
    ...(inFlight ? { inFlight } : {}),
  });
}

const exportTeacher = ({ out, state }: Run, at: number): Promise<void> =>
  exportBackbone(join(out, 'teacher.safetensors'), state, 'teacher', { step: String(at), source: 'franca-train' });

/** The last words of a run that ended as it should. */
function conclude(
  { options, out, record, progress }: Run,
  { step, cursor }: Position,
  howToContinue: string,
): TrainResult {
  const { iterations } = options.schedule;
  const finished = step >= iterations;
  if (!finished) progress.message(`stopped after step ${step} of ${iterations}; ${howToContinue}`);
  const { seen, bad } = cursor?.badImages ?? { seen: 0, bad: 0 };
  if (bad > 0) progress.message(`${bad} of ${seen} images drawn could not be used and were skipped`);
  return { step, finished, knn: record.knn, folder: out };
}

/** What the packages and the system report, in terms of the program. */
function explain(error: unknown, out: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new TrainError('run', `the disk of ${out} is full; free some space`, { cause: error });
  if (code === 'too-many-bad-images')
    return new TrainError('data', `${message}\nfranca.data.max_bad_share sets the allowed share`, { cause: error });
  return error;
}

function describeStart(
  { batch, vit, schedule, notes }: DerivedOptions,
  { target: { family } }: Gpu,
  { report: { kernels, distinctKernels }, compileTime }: CompiledPretrainStep,
  bytes: number,
): string {
  const when = family === 'cpu' ? 'before the first step' : `in ${compileTime.seconds.toFixed(1)} s`;
  return [
    `ViT of width ${vit.embedDim} and depth ${vit.depth}, ${batch.total} images a step, ${schedule.iterations} steps`,
    `${kernels} kernels (${distinctKernels} distinct) compiled ${when}; ${amountOfBytes(bytes)} on the device, all of it allocated`,
    ...notes,
  ].join('\n');
}
