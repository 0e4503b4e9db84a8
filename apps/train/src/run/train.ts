/**
 * The training loop: batches in, steps out. One iteration is: set the schedules, draw masks and kept samples, cut the crops, replay the compiled step. Everything
 * random is a function of the seed and the step, and everything else is in the checkpoint, so a run that was killed and resumed gives the same bits as one
 * that was not.
 */
import { join } from 'node:path';
import { pruneRunCheckpoints, saveRunCheckpoint } from '@franca/checkpoint';
import {
  type BadImage,
  DataError,
  type DataSplits,
  type ImageBatch,
  type LoaderCursor,
  loadBatches,
} from '@franca/data';
import { compile, createState, type Gpu, type State } from '@franca/tensor';
import type { PretrainOptions } from '../config/pretrain-options';
import { knownRates, withRates } from '../doctor/rates';
import { TrainError } from '../errors';
import { initialisePretraining, pretrainGroups, pretrainSignature, pretrainStep } from '../pretrain-step';
import { prototypeChunks } from '../prototype-chunks';
import { createCropper } from './crops';
import { describeEnvironment } from './environment';
import { openMetricsLog } from './metrics-log';
import { createObserver } from './observer';
import { createPhaseTimes } from './phase-times';
import { profileTable } from './profile-table';
import { bytesText, createProgress, type Progress } from './progress';
import { describeRun, openRunFolder, type ResumeMode } from './run-folder';
import { createRecord } from './run-record';
import { schedules } from './schedules';
import { entriesOfGroup, exportBackbone, loadGroup } from './state-io';
import { drawMasks, keptInputs } from './step-inputs';
import { listenForStop } from './stop-signals';
import { createTeacherReading } from './teacher-reading';
import { openEvents } from './tensorboard';

export interface TrainRequest {
  readonly gpu: Gpu;
  readonly options: PretrainOptions;
  /** The resolved configuration as YAML, for the run folder. */
  readonly configText: string;
  readonly data: DataSplits;
  readonly out: string;
  readonly resume: ResumeMode;
  /** Stop after this iteration although the schedules go on (default: the whole run). */
  readonly stopAfter?: number;
  /** Weights to start from, by official backbone name; heads start fresh. */
  readonly pretrained?: (name: string) => Promise<ArrayLike<number> | undefined>;
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

/** Groups of state that a checkpoint holds; gradients are scratch. */
const SAVED_GROUPS = ['student', 'teacher', 'm', 'v', 'optimizer'] as const;
const STATE_VERSION = 1;

/** The step that `profile` looks into, counted from where the process starts, and the steps after it that are timed as a whole. */
const PROFILED_STEP = 3;
const TIMED_STEPS = 10;

/** What a checkpoint holds beside tensors. */
interface SavedState {
  readonly cursor: LoaderCursor;
  readonly imagesSeen: number;
  readonly secondsSpent: number;
}

/** Runs or continues a pretraining run. Resolves when it is finished or was asked to stop. Throws `TrainError`; the last checkpoint is whole then. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const { gpu, options, data, out, progress = createProgress() } = request;
  await using folder = await openRunFolder(out, request.resume);
  for (const note of folder.rejected) progress.message(`warning: ${note}`);
  await describeRun(out, request.configText, describeEnvironment(gpu));

  using state = createState(gpu, pretrainGroups(options));
  const saved = folder.checkpoint?.state(STATE_VERSION, (value) => value as unknown as SavedState);
  if (folder.checkpoint) for (const group of SAVED_GROUPS) await loadGroup(folder.checkpoint, state, group);
  else await startFresh(state, request);
  const first = folder.checkpoint?.step ?? 0;
  if (first > 0) progress.message(`resuming ${out} after step ${first}`);

  const { logEvery, picturesEvery, knn, checkpoint, exportEvery } = options.run;
  const { accumulation } = options.batch;
  using step = await compile(gpu, pretrainStep(options, prototypeChunks(gpu.target)), {
    ...pretrainSignature(options),
    state,
    metricRows: 2 * logEvery * accumulation,
  });
  const hasLocals = options.crops.local_crops_number > 0;
  using cropper = createCropper(gpu, options, {
    globalCrops: step.inputBuffer('globalCrops'),
    localCrops: hasLocals ? step.inputBuffer('localCrops') : undefined,
  });
  using probe = await createTeacherReading(gpu, state, options, data);
  for (const reason of probe.skipped) progress.message(`skipped ${reason}`);
  progress.message(
    describeStart(options, step.report.kernels, step.compileTime.seconds, gpu.allocatedBytes + cropper.bytes),
  );

  const log = await openMetricsLog(join(out, 'metrics.jsonl'), folder.checkpoint ? first : -1);
  const events = await openEvents(out);
  const schedule = schedules(options.schedule);
  const record = createRecord(options, saved);
  const observer = createObserver({
    gpu,
    options,
    folder: out,
    configText: request.configText,
    step: step as never,
    schedule,
    record,
    probe,
    log,
    events,
    progress,
    extraBytes: cropper.bytes,
  });
  const last = Math.min(options.schedule.iterations, request.stopAfter ?? Number.POSITIVE_INFINITY);
  using stop = listenForStop((signal) =>
    progress.message(`${signal}: saving a checkpoint after this step (again to stop at once)`),
  );
  let at = first;
  let savedAt = first;
  // of the last whole step: a later micro-step is drawn again
  let cursor = saved?.cursor;
  let imagesSeen = record.imagesSeen;
  const phases = createPhaseTimes();
  const batches = loadBatches(data.train, {
    batchSize: options.batch.perDevice,
    seed: options.seed,
    from: cursor,
    badImages: {
      maxShare: options.run.maxBadShare,
      onBad: (image) => sayOnce(progress, image),
    },
    decode: options.run.decode,
    ...(options.run.inFlight ? { inFlight: options.run.inFlight } : {}),
  });

  async function save(): Promise<void> {
    if (!cursor || at === savedAt) return;
    const contents: SavedState = { cursor, imagesSeen, secondsSpent: record.seconds() };
    const tensors = Object.fromEntries(SAVED_GROUPS.map((group) => [group, entriesOfGroup(state, group)]));
    await saveRunCheckpoint(out, { step: at, state: contents as never, stateVersion: STATE_VERSION, tensors });
    savedAt = at;
    await pruneRunCheckpoints(out, {
      last: checkpoint.keepLast,
      ...(checkpoint.keepEvery ? { every: checkpoint.keepEvery } : {}),
    });
  }
  const howToContinue = (): string =>
    savedAt > 0
      ? `continue after step ${savedAt} with: franca-train pretrain --resume --out ${out}`
      : `there is no checkpoint yet; start again with: franca-train pretrain --resume auto --out ${out}`;
  const exportTeacher = (): Promise<void> =>
    exportBackbone(join(out, 'teacher.safetensors'), state, 'teacher', { step: String(at), source: 'franca-train' });
  const due = (every: number): boolean => every > 0 && (at % every === 0 || at === last);

  try {
    if (first === 0) await observer.measure(0);
    phases.restart();
    while (at < last && !stop.requested) {
      let masks!: Uint8Array;
      let drawnTo = cursor;
      for (let micro = 0; micro < accumulation; micro++) {
        const { value: batch } = (await batches.next()) as { value: ImageBatch };
        phases.end('wait for data');
        const drawn = drawMasks(options, at * accumulation + micro);
        const kept = keptInputs(options, at * accumulation + micro);
        phases.end('draw masks and kept samples');
        const crops = cropper.crops(batch);
        phases.end('cut crops');
        // one step runs while the next batch is cut, never more: the queue stays short and its memory with it
        await step.done();
        phases.end('wait for the device');
        const inputs = { masks: drawn.masks, maskIndices: drawn.maskIndices, masksWeight: drawn.masksWeight, ...kept };
        const phase =
          accumulation > 1
            ? { firstMicroStep: Number(micro === 0), lastMicroStep: Number(micro === accumulation - 1) }
            : {};
        const knobs = { ...schedule(at), nMasked: drawn.nMasked, ...phase };
        if (request.profile && at + 1 === first + PROFILED_STEP && micro === accumulation - 1) {
          const rates = await knownRates(gpu.target.name);
          const target = withRates(gpu.target, rates, options.precision);
          progress.message(profileTable(await step.profile({ ...crops, ...inputs }, knobs), target, rates?.date));
          phases.restart();
        } else step.run({ ...crops, ...inputs }, knobs);
        phases.end('encode and submit');
        masks = drawn.masks;
        drawnTo = batch.cursor;
        record.count(batch);
      }
      at++;
      cursor = drawnTo;
      imagesSeen = record.imagesSeen;
      if (due(logEvery)) await observer.interval(at);
      await observer.live(at);
      phases.end('figures');
      const timed = at - first - PROFILED_STEP;
      if (request.profile && timed > 0 && (timed === TIMED_STEPS || (at === last && timed < TIMED_STEPS)))
        progress.message(phases.describe(timed));
      if (at === first + 1 || due(picturesEvery)) await observer.draw(at, masks);
      if (due(knn.every) && !stop.requested) await observer.measure(at);
      if (due(checkpoint.every)) await save();
      if (exportEvery > 0 && at % exportEvery === 0) await exportTeacher();
      phases.end('pictures, k-NN, checkpoint');
    }
    await save();
    await exportTeacher();
    await observer.report();
    const finished = at >= options.schedule.iterations;
    if (!finished) progress.message(`stopped after step ${at} of ${options.schedule.iterations}; ${howToContinue()}`);
    const { seen, bad } = cursor?.badImages ?? { seen: 0, bad: 0 };
    if (bad > 0) progress.message(`${bad} of ${seen} images drawn could not be used and were skipped`);
    return { step: at, finished, knn: record.knn, folder: out };
  } catch (error) {
    // the data failed, not the steps before: what they learned is kept
    if (error instanceof DataError) await save();
    progress.message(howToContinue());
    throw explain(error, out);
  } finally {
    progress.end();
    await batches.return(undefined as never);
    await log.close();
    await events.close();
  }
}

/** Names an image that cannot be used the first time that it is drawn. */
function sayOnce(progress: Progress, { key, message, times }: BadImage): void {
  if (times === 1) progress.message(`skipped ${key}: ${message}`);
}

/** What the packages and the system report, in terms of the program. */
function explain(error: unknown, out: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new TrainError('run', `the disk of ${out} is full; free some space`, { cause: error });
  if (code === 'too-many-bad-images')
    return new TrainError('data', `${message}\nfranca.data.max_bad_share sets the allowed share.`, { cause: error });
  return error;
}

async function startFresh(state: State, { gpu, options, pretrained }: TrainRequest): Promise<void> {
  await initialisePretraining(gpu, state, options, [options.seed >>> 0, 0]);
  if (!pretrained) return;
  for (const [name, { shape }] of Object.entries(state.layout.student!.segments)) {
    if (!name.startsWith('backbone.')) continue;
    const plain = name.slice('backbone.'.length);
    const values = await pretrained(plain);
    if (!values) throw new TrainError('file', `the pretrained weights have no "${plain}"`);
    if (values.length !== shape.reduce((a, b) => a * b, 1)) {
      throw new TrainError(
        'file',
        `the pretrained "${plain}" has ${values.length} values, the model needs [${shape.join(', ')}]; franca-train highres resamples positions`,
      );
    }
    for (const group of ['student', 'teacher']) state.write(group, name, values);
  }
}

function describeStart(
  { batch, vit, schedule, notes }: PretrainOptions,
  kernels: number,
  seconds: number,
  bytes: number,
): string {
  return [
    `ViT of width ${vit.embedDim} and depth ${vit.depth}, ${batch.total} images a step, ${schedule.iterations} steps`,
    `${kernels} kernels compiled in ${seconds.toFixed(1)} s; ${bytesText(bytes)} on the device, all of it allocated`,
    ...notes,
  ].join('\n');
}
