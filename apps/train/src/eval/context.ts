/** The data and features that evaluation tasks ask for, computed when the first task asks and kept for the others. */
import {
  cpuBackend,
  type EvalBackend,
  evalRecord,
  gpuBackend,
  type PatchFeatures,
  type SegmentationFeatures,
} from '@franca/evals';
import { TrainError } from '../errors';
import type { FeatureSession } from '../features/session';
import { collectImages, densePart } from '../features/sets';
import {
  type EvalSet,
  type EvalSplits,
  openImageSets,
  requireLabels,
  type SetLimits,
  spread,
} from '../image-sets/image-set';
import { centreCrop, describePreparation, type Preparation } from '../image-sets/preparation';
import { isSegmentationData, openSegmentationSets } from '../image-sets/segmentation-set';
import type { DensePart, EvalContext, ImagePart, Parts, SegmentationPart } from './task';

export interface ContextOptions {
  /** Images with classes. */
  readonly data: string;
  /** Images for patch tokens, with masks where it has them. */
  readonly denseData: string;
  /** Name of the data set in records, where its path does not say. */
  readonly dataset?: string;
  readonly images: SetLimits;
  readonly denseImages: SetLimits;
  /** Shorter side before the centre is cut out; default 8/7 of the input. */
  readonly resize?: number;
}

/** CLS tokens of so many last blocks are kept: what the linear probe reads. */
const BLOCKS = 4;

/** Opens data as it is asked for. Close it when done. */
export function openContext(
  session: FeatureSession | undefined,
  backend: EvalBackend,
  options: ContextOptions,
): EvalContext & AsyncDisposable {
  const opened: EvalSplits[] = [];
  const keep = (sets: EvalSplits): EvalSplits => {
    opened.push(sets);
    return sets;
  };
  const model = (): FeatureSession => {
    if (session) return session;
    throw new TrainError('usage', 'this evaluation needs a model; give --weights');
  };

  async function imagePart(set: EvalSet): Promise<ImagePart> {
    const { size, weights, shards, model: vit } = model();
    const preparation = { ...centreCrop(size), ...(options.resize ? { resize: options.resize } : {}) };
    const blocks = Math.min(BLOCKS, vit.config.depth);
    const features = await collectImages(shards(set, { preparation, blocks }), weights.rasa.planes);
    return { set, preprocessing: describePreparation(preparation), features };
  }

  function densePartOf(set: EvalSet): DensePart {
    const { size, weights, shards } = model();
    const preparation: Preparation = { kind: 'squash', size };
    const batches = {
      async *[Symbol.asyncIterator](): AsyncGenerator<PatchFeatures & Partial<SegmentationFeatures>> {
        for await (const shard of shards(set, { preparation, patches: true }))
          yield densePart(shard, weights.rasa.planes);
      },
    };
    return { set, preprocessing: describePreparation(preparation), batches };
  }

  const images = once(async (): Promise<Parts<ImagePart>> => {
    const sets = keep(await openImageSets(options.data, options.images, options.dataset));
    requireLabels(sets.train);
    return { train: await imagePart(sets.train), test: await imagePart(sets.test) };
  });
  const denseSets = once(async (): Promise<EvalSplits> => {
    const open = (await isSegmentationData(options.denseData)) ? openSegmentationSets : openImageSets;
    return keep(await open(options.denseData, options.denseImages, options.dataset));
  });
  const patches = once(async (): Promise<Parts<DensePart>> => {
    const { train, test } = await denseSets();
    return { train: densePartOf(train), test: densePartOf(test) };
  });
  const segmentation = async (): Promise<Parts<SegmentationPart>> => {
    const parts = await patches();
    if (parts.train.set.ignore === undefined)
      throw new TrainError('data', `${options.denseData} has no masks; give data with masks, or "world"`);
    return parts as Parts<SegmentationPart>;
  };

  return {
    backend,
    grid: session ? gridOf(session) : [16, 16],
    images,
    patches,
    segmentation,
    async others(specs) {
      const parts: Record<string, ImagePart> = {};
      for (const [name, spec] of Object.entries(specs)) {
        const sets = keep(await openImageSets(spec, {}));
        parts[name] = await imagePart(spread(sets.test, options.images.test));
      }
      return parts;
    },
    records({ set, preprocessing }, outcomes, total = () => set.total) {
      const { name } = model().weights;
      const subject = { dataset: set.dataset, split: set.split, features: name, preprocessing };
      return outcomes.map((outcome) => evalRecord(subject, { ...outcome, total: total(outcome) }));
    },
    async [Symbol.asyncDispose]() {
      for (const sets of opened) await sets.close();
    },
  };
}

function gridOf({ size, model }: FeatureSession): [number, number] {
  const side = size / model.config.patchSize;
  return [side, side];
}

/** A value that is computed when it is first asked for. */
function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}

/** The backend of the heavy operations: on the adapter of the session, where there is one. Dispose of it before the session. */
export const chooseBackend = (session: FeatureSession | undefined): EvalBackend & Disposable =>
  session ? gpuBackend(session.gpu) : { ...cpuBackend, [Symbol.dispose]: () => {} };
