/** Weights on a device with a cache beside them: what `features`, `eval`, `rasa` and `show` have in common. */
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import type { FeatureRequest, ImageBatch, VitConfig, VitModel } from '@franca/vit';
import type { Command } from 'commander';
import { TrainError } from '../errors';
import { type ImageSet, MAX_BAD_SHARE } from '../image-sets/image-set';
import { defaultSize } from '../image-sets/preparation';
import { positiveInteger, shareOfAll } from '../options/option-values';
import { countProgress } from '../text/count-progress';
import { kernelProgress } from '../text/kernel-progress';
import { type CacheOptions, floatsNote, openCache, withCache } from './cache-options';
import type { FeatureShard } from './compute-shard';
import { type ExtractOptions, extract, extractFresh, type FreshOptions } from './extract';
import { extractionCode } from './extraction-code';
import { type FeatureOrigin, readFiles } from './files/file-session';
import { type OpenFeatures, openFeatures } from './files/find-features';
import { createImageVersions } from './image-versions';
import { createLeftOutImages, type LeftOutImages } from './left-out-images';
import { withModelOptions } from './model-options';
import { openWeights } from './open-weights';
import { inputNote, type RasaOfWeights } from './rasa-of-weights';
import { resamplingNote } from './resampling-note';
import type { Extraction, ShardRequest } from './shard-files';
import {
  type HeldFeatures,
  heldFeatures,
  openStored,
  type StoredFeatures,
  type StoredRequest,
} from './stored-features';
import { type WeightOptions, type Weights, withPlanes } from './weights';

export interface SessionOptions extends WeightOptions, CacheOptions {
  readonly weights: string;
  readonly size?: number;
  readonly batchSize: number;
  readonly adapter?: string;
  readonly maxBadShare?: number;
}

export interface FeatureSession extends AsyncDisposable {
  readonly gpu: Gpu;
  readonly weights: Weights;
  readonly model: VitModel;
  /** Side of the input images. */
  readonly size: number;
  /** Images that could not be read, of all sets whose features were asked for. */
  readonly leftOut: LeftOutImages;
  /** Where features are kept, and beside them what long evaluations keep of their progress. */
  readonly cacheFolder: string;
  /** What features are computed and cached by. */
  readonly extraction: Omit<Extraction, 'onProgress' | 'onWaiting'>;
  /** Features of a set, shard by shard, read from the cache where it has them; may be iterated several times. */
  shards(set: ImageSet, options: ExtractOptions): AsyncIterable<FeatureShard>;
  /** Features of single images on disk; what is missing is computed first, with progress. */
  stored(set: ImageSet, request: StoredRequest): Promise<StoredFeatures>;
  /** What the cache has of them; nothing is computed. */
  held(set: ImageSet, request: ShardRequest): Promise<HeldFeatures>;
  /** Features of images in any order that nothing is kept of; `pass` says which of several passes over the set it is, without it no progress is shown. */
  fresh(set: ImageSet, options: FreshOptions, pass?: string): AsyncIterable<FeatureShard>;
  /** Of features that come from files: there is no model to compute others. */
  readonly origin?: FeatureOrigin;
  /** Refuses at once what features from files have not got. @throws TrainError `data` */
  requires?(request: ShardRequest): void;
}

/** The same session with other planes of RASA, or none; features are shared. For weights whose RASA is not folded. */
export const sessionWith = (session: FeatureSession, rasa: RasaOfWeights): FeatureSession => ({
  ...session,
  weights: withPlanes(session.weights, rasa),
});

/** Adds the options that say which model is meant and how it is run. */
export const withWeights = (command: Command): Command =>
  withCache(
    withModelOptions(
      command.requiredOption(
        '-w, --weights <file or folder>',
        'a checkpoint (.safetensors, .pth, .onnx; official, timm, Hugging Face or own names), the folder of a run, hf://owner/name, a published name (franca_vitb14_In21K_518), or random:<any of these>; for evaluations also features: train.npz,test.npz (.npy, .parquet, .safetensors)',
      ),
    )
      .option(
        '--rasa <file>',
        'RASA heads to remove from patch tokens; none: leave out those of the weights and of their run',
      )
      .option('--size <px>', "side of the input (default: the model's own, at most 224)", positiveInteger)
      .option('--batch-size <n>', 'images at a time', positiveInteger, 8)
      .option(
        '--adapter <name>',
        "auto, gpu, gpu:1 (the second), software, or part of an adapter's name (default: FRANCA_ADAPTER, else auto)",
      ),
  );

/** The same for commands that read whole sets of images. */
export const withWeightsAndImages = (command: Command): Command =>
  withWeights(command).option(
    '--max-bad-share <share>',
    'stop where more images of a part cannot be read',
    shareOfAll,
    MAX_BAD_SHARE,
  );

/**
 * `sizeOf`: side of the input where the options name none. `features`: those that `options.weights` means, where they are open already.
 * @throws TrainError, and what `openWeights`, `loadVit` and `openFeatures` throw
 */
export async function openSession(
  options: SessionOptions,
  sizeOf: (config: VitConfig) => number = defaultSize,
  features?: OpenFeatures,
): Promise<FeatureSession> {
  const found = features ?? (await openFeatures(options.weights));
  return found ? sessionOnFiles(found, options, features === undefined) : sessionOnModel(options, sizeOf);
}

async function sessionOnModel(options: SessionOptions, sizeOf: (config: VitConfig) => number): Promise<FeatureSession> {
  const opened = await openWeights(options.weights, options);
  const closing: (() => unknown)[] = [() => opened[Symbol.asyncDispose]()];
  const close = async (): Promise<void> => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const { side } = opened.outputAlone ?? {};
    const size = checkedSize(options.size ?? side ?? sizeOf(opened.config), opened.config.patchSize, side);
    const resampled = resamplingNote(opened, size);
    const fittedElsewhere = inputNote(opened.rasa, size);
    const rasa = { ...opened.rasa, notes: [...opened.rasa.notes, ...(fittedElsewhere ? [fittedElsewhere] : [])] };
    const at = withPlanes(opened, rasa);
    const { cacheType: floats = 'f32' } = options;
    const more = [resampled, floatsNote(floats)].filter((note) => note !== undefined);
    const weights = { ...at, notes: [...at.notes, ...more] };
    const gpu = await openGpu(options.adapter === undefined ? {} : { adapter: options.adapter });
    closing.push(() => gpu.dispose());
    const loaded = await weights.load(gpu);
    closing.push(() => loaded.dispose());
    const model = audible(loaded);
    const identity = await weights.identity();
    const cache = openCache(options);
    closing.push(cache.close);
    const leftOut = createLeftOutImages(options.maxBadShare);
    const extraction = {
      model,
      name: weights.name,
      weights: identity,
      code: extractionCode(gpu.adapterInfo),
      versions: createImageVersions(),
      leftOut,
      cache,
      floats,
      batchSize: options.batchSize,
    };
    const told = new Set<string>();
    const tell = (set: ImageSet): void => {
      const note = leftOut.note(set);
      if (note !== undefined && !told.has(note)) console.error(`note: ${note}`);
      if (note !== undefined) told.add(note);
    };
    /** Shards of a set with their progress, and a note at the end on images that are missing. */
    const shown = (
      set: ImageSet,
      name: string | undefined,
      compute: (running: Extraction) => AsyncIterable<FeatureShard>,
    ) => ({
      async *[Symbol.asyncIterator]() {
        const progress = name === undefined ? undefined : countProgress(name);
        try {
          yield* compute({ ...extraction, ...(progress && { onProgress: progress.update, onWaiting: waiting(set) }) });
        } finally {
          // a reader that has enough leaves early
          progress?.end();
        }
        tell(set);
      },
    });
    const stored = async (set: ImageSet, request: StoredRequest): Promise<StoredFeatures> => {
      const { update, end } = countProgress(`features of ${set.dataset} ${set.split}`);
      try {
        return await openStored({ ...extraction, onProgress: update, onWaiting: waiting(set) }, set, request);
      } finally {
        end();
        tell(set);
      }
    };
    return {
      gpu,
      weights,
      model,
      size,
      leftOut,
      cacheFolder: cache.folder,
      extraction,
      shards: (set, request) =>
        shown(set, `features of ${set.dataset} ${set.split}`, (running) => extract(running, set, request)),
      stored,
      held: (set, request) => heldFeatures(extraction, set, request),
      fresh: (set, request, pass) =>
        shown(set, pass && `features of ${set.dataset} ${set.split}, ${pass}`, (running) =>
          extractFresh(running, set, request),
        ),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Options that say something of a model. */
const OF_MODELS: readonly (keyof SessionOptions)[] = [
  ...(['rasa', 'network', 'heads', 'outputs', 'provider', 'interpolateOffset', 'interpolateAntialias'] as const),
];

/** `closes`: the files are closed with the session. */
async function sessionOnFiles(
  features: OpenFeatures,
  options: SessionOptions,
  closes: boolean,
): Promise<FeatureSession> {
  const odd = OF_MODELS.find((name) => options[name] !== undefined);
  if (odd) throw new TrainError('usage', `${options.weights} holds features and no model; leave out ${flagOf(odd)}`);
  const reading = readFiles(features, options);
  const { requires } = reading;
  const gpu = await openGpu(options.adapter === undefined ? {} : { adapter: options.adapter });
  const cache = openCache(options);
  const extraction = {
    model: reading.model,
    name: reading.weights.name,
    weights: await reading.weights.identity(),
    code: 'from files',
    versions: createImageVersions(),
    leftOut: reading.leftOut,
    cache,
    floats: 'f32',
    batchSize: options.batchSize,
  } as const;
  return {
    ...reading,
    ...{ gpu, extraction, cacheFolder: cache.folder },
    async held(set, { patchMean: _, ...request }) {
      requires(request);
      return { images: set.length, bytes: 0 };
    },
    fresh(_set, request) {
      requires(request);
      throw new Error('views that are drawn were not refused');
    },
    async [Symbol.asyncDispose]() {
      await cache.close();
      gpu.dispose();
      if (closes) await features[Symbol.asyncDispose]();
    },
  };
}

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const waiting = (set: ImageSet) => () =>
  console.error(`another process computes the rest of the features of ${set.dataset} ${set.split}; waiting for it`);

/** A model that says how far the compilation of its kernels is, where that takes long. */
const audible = (model: VitModel): VitModel => ({
  ...model,
  async run<R extends FeatureRequest>(images: ImageBatch, request?: R) {
    const { onProgress, end } = kernelProgress();
    await model.prepare(images.shape, request, { onProgress }).finally(end);
    return model.run(images, request);
  },
});

/** @param only the one side that the model takes */
function checkedSize(size: number, patchSize: number, only: number | undefined): number {
  if (only !== undefined && size !== only)
    throw new TrainError('usage', `the model takes images of ${only} px alone; leave out --size`);
  if (size % patchSize === 0) return size;
  const below = Math.max(1, Math.floor(size / patchSize)) * patchSize;
  throw new TrainError(
    'usage',
    `images of ${size} px are no whole patches of ${patchSize}; give --size ${below} or ${below + patchSize}`,
  );
}
