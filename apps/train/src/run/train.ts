/**
 * The training loop: batches in, steps out. One iteration is: set the schedules, draw masks and kept samples, cut the crops, replay the compiled step; now and then
 * write down how it goes, measure the teacher, save. Everything random is a function of the seed and the step, and everything else is in the checkpoint, so a run
 * that was killed and resumed gives the same bits as one that was not.
 */
import { join, resolve } from 'node:path';
import {
  type BadImage,
  DataError,
  type DataSplits,
  type LoadedBatch,
  type LoaderCursor,
  loadBatches,
} from '@franca/data';
import type { ChunkOptions } from '@franca/nn';
import {
  type CompiledPretrainStep,
  pretrainGroups,
  pretrainSignature,
  pretrainStep,
  schedules,
} from '@franca/pretraining';
import { compile, createState, type Gpu, type State, type TuningReport } from '@franca/tensor';
import { stringify } from 'yaml';
import { changedSettings } from '../config/changes';
import type { DerivedOptions } from '../config/derived-options';
import { asTree } from '../config/tree';
import { TrainError } from '../errors';
import { configMetadata, writeConfigFile } from '../features/config-of-file';
import { openMetricsLog } from '../observe/metrics-log';
import type { ObservedRun } from '../observe/observed-run';
import { createObserver } from '../observe/observer';
import { earlierKnn } from '../observe/outcome';
import { createProgress, type Progress } from '../observe/progress';
import { createRecord, type Earlier } from '../observe/run-record';
import { readRunStart, saveRunStart } from '../observe/run-start';
import { createTeacherReading, type TeacherReading } from '../observe/teacher-reading';
import { openEvents } from '../observe/tensorboard';
import type { RunOutcome } from '../observe/verdict';
import { amountOfBytes } from '../text/amounts';
import { type Checkpoints, createCheckpoints, type Position, restore } from './checkpointing';
import type { Continuation } from './continuation';
import { createCropper } from './crops';
import { describeEnvironment, type ForkRecord, historyOf } from './environment';
import { type MicroStepContext, updates } from './micro-steps';
import { createProfiler } from './profiler';
import { describeRun, type RunFolder } from './run-folder';
import type { Ingredients } from './saved-state';
import { type PretrainedWeights, startFresh } from './starting-weights';
import { exportBackbone } from './state-io';
import { listenForStop } from './stop-signals';
import { takeOver } from './take-over';
import { describeTuning, tuningNotes, writeTuning } from './tuning-record';
import { warming } from './warming';

export interface TrainRequest {
  readonly gpu: Gpu;
  readonly options: DerivedOptions;
  /** How prototypes are worked through. */
  readonly chunks: ChunkOptions;
  /** What checkpoints say that the run is made of; its configuration stands in the run folder too. */
  readonly made: Ingredients;
  readonly data: DataSplits;
  readonly folder: RunFolder;
  /** What was assumed, left out or changed, for the run folder. */
  readonly notes: readonly string[];
  /** Where to go on; absent: from the beginning. */
  readonly origin?: Origin;
  /** Stop after this iteration although the schedules go on (default: the whole run). */
  readonly stopAfter?: number;
  /** Weights to start from, by official backbone name; heads start fresh. */
  readonly pretrained?: PretrainedWeights;
  readonly progress?: Progress;
  /** Print the kernels of the third step by time, and where the steps after it spend theirs. */
  readonly profile?: boolean;
}

/** A checkpoint to go on from, and where the data go on. */
export interface Origin extends Continuation {
  readonly cursor: LoaderCursor;
}

export interface TrainResult {
  readonly step: number;
  readonly finished: boolean;
  readonly outcome: RunOutcome;
}

/** Runs or continues a pretraining run. Resolves when it is finished or was asked to stop. Throws `TrainError`; the last checkpoint is whole then. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const { gpu, options, data, made, folder, origin, progress = createProgress() } = request;
  const out = folder.path;
  using state = createState(gpu, pretrainGroups(options));
  const filled = await fillState(request, state);
  for (const note of filled) progress.message(note);
  const start = positionOf(origin);

  if (gpu.tuning.cache && gpu.target.family === 'gpu')
    progress.message(`compiling; kernels that were never measured here are measured, ${gpu.tuning.seconds} s at most`);
  using step = await compile(gpu, pretrainStep(options, request.chunks), {
    ...pretrainSignature(options),
    state,
    metricRows: 2 * options.loop.logEvery * options.batch.accumulation,
  });
  const notes = [...request.notes, ...filled, ...sayTuning(step.tuning, progress)];
  using cropper = createCropper(gpu, options, step);
  using reading = await createTeacherReading(gpu, state, options, data, warming);
  for (const reason of reading.skipped) progress.message(`skipped ${reason}`);
  await warming(async (events) => {
    progress.message(describeStart(options, gpu, step, gpu.allocatedBytes + cropper.bytes));
    await step.warm(events);
    if (gpu.target.family === 'cpu') await cropper.warm();
  });

  // the folder is written to from here on: everything that could refuse has been asked
  const configText = stringify(made.config);
  const checkpoints = createCheckpoints(out, state, {
    options,
    made,
    savedAt: origin?.isFork ? NOTHING_SAVED : start.step,
  });
  await writeTuning(out, gpu);
  // a fork that was killed before its first checkpoint would else be a run that has yet to begin
  if (origin?.isFork) await checkpoints.save(start, origin.saved.secondsSpent);
  const environment = describeEnvironment(gpu, { notes, fork: forkRecord(origin, made) });
  await describeRun(folder, configText, environment);
  await using log = await openMetricsLog(join(out, 'metrics.jsonl'), origin ? start.step : -1, logOf(origin, out));
  await using events = await openEvents(out);
  const run: Run = {
    gpu,
    options,
    out,
    configText,
    history: historyOf([...folder.environments, environment]),
    state,
    step,
    schedule: schedules(options.schedule),
    cropper,
    reading,
    weights: request.pretrained ? 'pretrained' : 'untrained',
    fork: origin?.isFork ? { run: origin.run, step: origin.checkpoint.step } : undefined,
    record: createRecord(options, await earlierOf(origin, out, reading)),
    log,
    events,
    progress,
    extraBytes: cropper.bytes,
    checkpoints,
  };
  const last = Math.min(options.schedule.iterations, request.stopAfter ?? Number.POSITIVE_INFINITY);
  const batches = batchesFrom(data, options, start, progress);
  // awaited here: what the run works with is disposed of when this function ends
  return await loop(run, { start, last, batches, profile: request.profile === true });
}

const NOTHING_SAVED = -1;

/** Weights, moments and the rest of the state; returns what there is to say of them. */
async function fillState({ gpu, options, origin, pretrained }: TrainRequest, state: State): Promise<string[]> {
  if (origin?.isFork) return takeOver(origin.checkpoint, state);
  if (origin) await restore(origin.checkpoint, state);
  else await startFresh(gpu, state, options, pretrained);
  return [];
}

const positionOf = (origin: Origin | undefined): Position =>
  origin
    ? { step: origin.checkpoint.step, cursor: origin.cursor, imagesSeen: origin.saved.imagesSeen }
    : { step: 0, cursor: undefined, imagesSeen: 0 };

/** Says where the kernels come from; returns what of it is for the record. */
function sayTuning(report: TuningReport, progress: Progress): string[] {
  const chosen = describeTuning(report);
  const notes = tuningNotes(report);
  for (const text of chosen ? [chosen, ...notes] : notes) progress.message(text);
  return notes;
}

/** What a run that goes on takes over from its parts before; a fork knows how its parent began, and measures anew. */
async function earlierOf(
  origin: Origin | undefined,
  out: string,
  { pictures }: TeacherReading,
): Promise<Earlier | undefined> {
  if (!origin) return undefined;
  const start = await readRunStart(origin.run, pictures);
  if (start && origin.isFork) await saveRunStart(out, start);
  const knn = origin.isFork ? undefined : await earlierKnn(out, origin.checkpoint.step);
  return { ...origin.saved, start, knn };
}

/** A fork begins with the figures of its parent. */
const logOf = (origin: Origin | undefined, out: string): string => join(origin?.run ?? out, 'metrics.jsonl');

function forkRecord(origin: Origin | undefined, { config }: Ingredients): ForkRecord | undefined {
  if (!origin?.isFork) return undefined;
  const changes = changedSettings(asTree(origin.config), config);
  return { run: resolve(origin.run), step: origin.checkpoint.step, changes };
}

/** Batches from where the run stands; an image that cannot be used is named the first time that it is drawn. */
function batchesFrom(
  { train: source }: DataSplits,
  { batch, seed, loop: { maxBadShare, decode, inFlight } }: DerivedOptions,
  { cursor }: Position,
  progress: Progress,
): AsyncIterable<LoadedBatch> {
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
