/**
 * From the options of a run to its loop: state, compiled step, images that the teacher is measured on, files. Everything random is a function of the seed and the
 * step, and everything else is in the checkpoint, so a run that was killed and resumed gives the same bits as one that was not.
 */
import { join, resolve } from 'node:path';
import type { Communicator } from '@franca/collective';
import { type BadImage, type DataSplits, type LoadedBatch, type LoaderCursor, loadBatches } from '@franca/data';
import type { ChunkOptions } from '@franca/nn';
import {
  type CompiledPretrainStep,
  type PretrainGroups,
  pretrainGroups,
  pretrainSignature,
  pretrainStep,
  schedules,
} from '@franca/pretraining';
import { compile, createState, type Gpu, type State, type TuningReport, tuneStep } from '@franca/tensor';
import { stringify } from 'yaml';
import { changedSettings } from '../config/changes';
import type { DerivedOptions } from '../config/derived-options';
import { asTree } from '../config/tree';
import { openMetricsLog } from '../observe/metrics-log';
import type { ObservedRun } from '../observe/observed-run';
import { earlierReadings } from '../observe/outcome';
import type { Progress } from '../observe/progress';
import { createRecord, type RunRecord } from '../observe/run-record';
import { readRunStart, saveRunStart } from '../observe/run-start';
import { createTeacherReading, type TeacherReading, type Warming } from '../observe/teacher-reading';
import { openEvents } from '../observe/tensorboard';
import { gatherTexts } from '../ranks/exchange';
import { notesOfAll } from '../ranks/notes-of-all';
import { onFirst, together } from '../ranks/together';
import type { Ending } from '../ranks/with-ranks';
import { amountOfBytes } from '../text/amounts';
import { ownCursor } from './bad-images-of-all';
import { createCheckpoints, type Position, restore } from './checkpointing';
import { compareWeights } from './compare-weights';
import type { Continuation } from './continuation';
import { createCropper } from './crops';
import { fillTeacher } from './distillation-teacher';
import { describeEnvironment, type ForkRecord, historyOf } from './environment';
import { loop, type Run, type TrainResult } from './loop';
import { describeRun, type RunFolder } from './run-folder';
import { unlikeFirst } from './same-on-all';
import type { Ingredients } from './saved-state';
import { type PretrainedWeights, startFresh } from './starting-weights';
import { takeOver } from './take-over';
import { describeTuning, kernelsOf, tuneOnFirst, tuningNotes, writeTuning } from './tuning-record';

export interface TrainRequest {
  readonly ranks: Communicator;
  /** How ranks end that cannot go on. */
  readonly ending: Ending;
  readonly gpu: Gpu;
  readonly options: DerivedOptions;
  /** How prototypes are worked through. */
  readonly chunks: ChunkOptions;
  /** What checkpoints say that the run is made of; its configuration stands in the run folder too. */
  readonly made: Ingredients;
  readonly data: DataSplits;
  /** Written by rank 0 alone. */
  readonly folder: RunFolder;
  /** The adapters of all ranks. */
  readonly adapters: readonly string[];
  /** What was assumed, left out or changed, for the run folder. */
  readonly notes: readonly string[];
  /** Where to go on; absent: from the beginning. */
  readonly origin?: Origin;
  /** Stop after this iteration although the schedules go on (default: the whole run). */
  readonly stopAfter?: number;
  /** Weights to start from; what they do not have starts fresh. */
  readonly pretrained?: PretrainedWeights;
  readonly progress: Progress;
  readonly warming: Warming;
  /** Print the kernels of the third step by time, and where the steps after it spend theirs. */
  readonly profile?: boolean;
}

/** A checkpoint to go on from, and where the data go on. */
export interface Origin extends Continuation {
  readonly cursor: LoaderCursor;
}

/** Runs or continues a pretraining run, on all ranks. Resolves when it is finished or was asked to stop. Throws `TrainError`; the last checkpoint is whole then. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const { ranks, gpu, options, data, made, folder, origin, progress, warming } = request;
  const out = folder.path;
  using state = createState(gpu, pretrainGroups(options));
  const filled = await together(ranks, () => fillState(request, state));
  for (const note of filled) progress.message(note);
  await compareWeights(ranks, state, 'at the start');
  const start = positionOf(origin, ranks);

  if (gpu.tuning.cache && gpu.target.family === 'gpu')
    progress.message(`compiling; kernels that were never measured here are measured, ${gpu.tuning.seconds} s at most`);
  const recorded = pretrainStep(options, request.chunks);
  const signature = {
    ...pretrainSignature(options),
    state,
    metricRows: 2 * options.loop.logEvery * options.batch.accumulation,
    ...(ranks.size > 1 ? { ranks } : {}),
  };
  const tuned = await tuneOnFirst(ranks, gpu, () => tuneStep(gpu, recorded, signature));
  using step = await compile(gpu, recorded, signature);
  const tuning = sayTuning(tuned ?? step.tuning, progress);
  using cropper = createCropper(gpu, options, step);
  const onAll: Warming = async (work) => {
    await tuneOnFirst(ranks, gpu, () => warming(work));
    await together(ranks, () => warming(work));
  };
  using reading = await createTeacherReading(gpu, state, { ranks, options, data, warming: onAll });
  for (const reason of reading.skipped) progress.message(`skipped ${reason}`);
  await together(ranks, () =>
    warming(async (events) => {
      progress.message(describeStart(options, gpu, step, gpu.allocatedBytes + cropper.bytes));
      await step.warm(events);
      if (gpu.target.family === 'cpu') await cropper.warm();
    }),
  );
  const unwatched = request.pretrained && ranks.rank === 0 && !reading.pixels ? [UNWATCHED] : [];
  for (const note of unwatched) progress.message(note);
  const notes = await notesOfAll(ranks, [...request.notes, ...filled, ...tuning, ...unwatched], progress.message);
  for (const text of unlikeFirst(ranks, request.adapters, await gatherTexts(ranks, kernelsOf(step.plan)))) {
    notes.push(text);
    progress.message(text);
  }

  // the folder is written to from here on: everything that could refuse has been asked
  const checkpoints = createCheckpoints(out, state, {
    ranks,
    options,
    made,
    savedAt: origin?.isFork ? NOTHING_SAVED : start.step,
  });
  await onFirst(ranks, () => writeTuning(out, gpu));
  // a fork that was killed before its first checkpoint would else be a run that has yet to begin
  if (origin?.isFork) await checkpoints.save(start, origin.saved.secondsSpent);
  const record = createRecord(options, origin?.saved);
  const shared = { gpu, options, out, step, schedule: schedules(options.schedule), record, reading, progress };
  await using observed = await onFirst(ranks, () => openObserved(request, { ...shared, notes, cropper }));
  const run: Run = { ...shared, ranks, ending: request.ending, state, cropper, checkpoints, observed };
  const last = Math.min(options.schedule.iterations, request.stopAfter ?? Number.POSITIVE_INFINITY);
  const batches = batchesFrom(data, options, start, progress);
  // awaited here: what the run works with is disposed of when this function ends
  return await loop(run, { start, last, batches, profile: request.profile === true });
}

/** What rank 0 looks at and writes down; the folder says from here on what the run is made of. */
async function openObserved(
  { ranks, gpu, made, folder, adapters, origin, pretrained }: TrainRequest,
  {
    notes,
    cropper,
    ...shared
  }: Omit<Run, 'ranks' | 'ending' | 'state' | 'checkpoints' | 'observed'> & { notes: string[] },
): Promise<ObservedRun & AsyncDisposable> {
  const { out, record, reading } = shared;
  const configText = stringify(made.config);
  const environment = describeEnvironment(gpu, {
    notes,
    fork: forkRecord(origin, made),
    ranks: adapters.map((adapter, rank) => ({ host: ranks.members[rank]!.host, adapter })),
  });
  await describeRun(folder, configText, environment);
  const log = await openMetricsLog(
    join(out, 'metrics.jsonl'),
    origin ? origin.checkpoint.step : -1,
    logOf(origin, out),
  );
  const events = await openEvents(out);
  Object.assign(record, await earlierOf(origin, out, reading));
  return {
    ...shared,
    configText,
    history: historyOf([...folder.environments, environment]),
    weights: pretrained ? 'pretrained' : 'untrained',
    fork: origin?.isFork ? { run: origin.run, step: origin.checkpoint.step } : undefined,
    distilled: made.teacher?.file,
    log,
    events,
    extraBytes: cropper.bytes,
    async [Symbol.asyncDispose]() {
      await events[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    },
  };
}

const NOTHING_SAVED = -1;

const UNWATCHED =
  'the pictures have no classes, so that no k-NN accuracy tells whether features fall below those of the weights that the run starts from';

/** Weights, moments and the rest of the state; returns what there is to say of them. */
async function fillState(
  { gpu, options, origin, pretrained, made }: TrainRequest,
  state: State<PretrainGroups>,
): Promise<string[]> {
  if (made.teacher) await fillTeacher(state, made.teacher);
  if (origin?.isFork) return takeOver(origin.checkpoint, state);
  if (origin) await restore(origin.checkpoint, state);
  else await startFresh(gpu, state, options, pretrained);
  return [];
}

const positionOf = (origin: Origin | undefined, { rank }: Communicator): Position =>
  origin
    ? { step: origin.checkpoint.step, cursor: ownCursor(origin.cursor, rank), imagesSeen: origin.saved.imagesSeen }
    : { step: 0, cursor: undefined, imagesSeen: 0 };

/** Says where the kernels come from; returns what of it is for the record. */
function sayTuning(report: TuningReport, progress: Progress): string[] {
  const chosen = describeTuning(report);
  const notes = tuningNotes(report);
  for (const text of chosen ? [chosen, ...notes] : notes) progress.message(text);
  return notes;
}

/** How a run that goes on began, and its newest reading; a fork knows how its parent began, and measures anew. */
async function earlierOf(
  origin: Origin | undefined,
  out: string,
  { pictures }: TeacherReading,
): Promise<Pick<RunRecord, 'start' | 'knn' | 'best'> | undefined> {
  if (!origin) return undefined;
  const start = await readRunStart(origin.run, pictures);
  if (start && origin.isFork) await saveRunStart(out, start);
  if (origin.isFork) return { start, knn: undefined, best: undefined };
  return { start, ...(await earlierReadings(out, origin.checkpoint.step)) };
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
  { batch, ranks, seed, loop: { maxBadShare, decode, inFlight } }: DerivedOptions,
  { cursor }: Position,
  progress: Progress,
): AsyncIterable<LoadedBatch> {
  const onBad = ({ key, message, times }: BadImage): void => {
    if (times === 1) progress.alert(`skipped ${key}: ${message}`);
  };
  return loadBatches(source, {
    batchSize: batch.perDevice,
    rank: ranks.rank,
    world: ranks.size,
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
