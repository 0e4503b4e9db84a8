/**
 * What the teacher knows while it trains, measured on images that stay the same: k-NN accuracy on a held-out part; and what it makes of a few pictures of it, as maps
 * of their patches and as the training images that it finds most alike.
 */
import { createHash } from 'node:crypto';
import type { Communicator } from '@franca/collective';
import type { DataSplits, DecodeOptions, ImageSource, PixelImage } from '@franca/data';
import type { Gpu, State, WarmOptions } from '@franca/tensor';
import { type VitModel, vitOnState } from '@franca/vit';
import { type PcaMap, pcaMaps } from '@franca/viz';
import type { DerivedOptions } from '../config/derived-options';
import { onFirst } from '../ranks/together';
import { type HeldOutImages, hasLabels, normalisedBatch, readImagesAt, resizedFor } from './held-out-images';
import { type BothParts, clsTokens, knnRight, nearestImages, PIXELS, reducedPixels } from './online-knn';
import { readSharedImages, rowsOnAll, type SharedImages } from './shared-images';
import { readShown, SHOWN, type ShownPictures } from './shown-pictures';

/** What the teacher makes of the shown pictures. */
export interface Looks {
  /** One PCA over the patches of all of them. */
  readonly maps: readonly PcaMap[];
  /** For each the most alike of the training images that are compared, nearest first. */
  readonly nearest: readonly (readonly number[])[];
}

export interface TeacherFigures {
  /** Which test images k-NN gives their own class, [n] of 0 and 1; undefined without labels. */
  readonly right: Uint8Array | undefined;
  /** Undefined where they were not asked for. */
  readonly looks: Looks | undefined;
}

export interface TeacherReading extends Disposable {
  /** Images that were to be measured and could not be used, and why. */
  readonly skipped: readonly string[];
  /** Training images that are compared with. */
  readonly train: SharedImages;
  readonly test: SharedImages;
  /** On rank 0; none elsewhere. */
  readonly shown: ShownPictures;
  /** Tells all these images, and how they are looked at: readings of other ones cannot be compared. */
  readonly pictures: string;
  /** Which test images k-NN on raw pixels gives their own class; undefined without labels, and on other ranks than the first. */
  readonly pixels: Uint8Array | undefined;
  /** CLS tokens of all images by the teacher as it is; undefined where there is nothing to do with them. Called by all ranks. */
  features(withLooks: boolean): Promise<BothParts | undefined>;
  /** What the teacher is worth by these features, on rank 0: k-NN, and looks if they are asked for. */
  figures(features: BothParts | undefined, withLooks: boolean): Promise<TeacherFigures>;
  /** Training images by their place. */
  images(places: readonly number[]): Promise<Record<number, PixelImage>>;
}

const BATCH = 32;

/** Training images to find neighbours among where nothing is classified. */
const UNLABELLED_BANK = 500;

const NEIGHBOURS = 5;

/** Patches that the PCA is fitted on: enough for three components, and quick for wide features. */
const FIT_PATCHES = 600;

/** Does work that compiles kernels: says how far it is, and ends it when asked to stop. */
export type Warming = (work: (options: WarmOptions) => Promise<void>) => Promise<void>;

export interface TeacherReadingOptions {
  readonly ranks: Communicator;
  readonly options: DerivedOptions;
  readonly data: DataSplits;
  /** On all ranks, which end up with the same kernels. */
  readonly warming: Warming;
}

/** Prepares fixed images of both parts and the teacher as a model. Without labels only as many as the pictures need. Called by all ranks. */
export async function createTeacherReading(
  gpu: Gpu,
  state: State,
  { ranks, options, data, warming }: TeacherReadingOptions,
): Promise<TeacherReading> {
  const { vit: config, loop: run, crops } = options;
  const size = crops.global_crops_size;
  const classes = hasLabels(data.train) && hasLabels(data.val);
  const request = { size, labelled: classes, decode: run.decode };
  const bank = classes ? run.knn.maxTrain : Math.min(run.knn.maxTrain, UNLABELLED_BANK);
  const train = await readSharedImages(ranks, data.train, { ...request, count: bank });
  const testSource = data.val.length > 0 ? data.val : data.train;
  const test = await readSharedImages(ranks, testSource, { ...request, count: classes ? run.knn.maxTest : SHOWN });
  const shown = (await onFirst(ranks, () => readShown(testSource, test, options))) ?? NOTHING_SHOWN;
  const labels = train.labels.length > 0 && test.labels.length > 0 && { train: train.labels, test: test.labels };
  const right = async (features: BothParts) => (labels ? await knnRight(features, labels, run.knn.k) : undefined);
  const both = async (dim: number, rowsOf: (images: HeldOutImages) => Float32Array | Promise<Float32Array>) => ({
    train: await rowsOnAll(ranks, train, dim, rowsOf),
    test: await rowsOnAll(ranks, test, dim, rowsOf),
    dim,
  });
  const raw = labels && (await both(PIXELS, reducedPixels));
  const pixels = raw && (await onFirst(ranks, () => right(raw)));
  const teacher = vitOnState(gpu, { state, group: 'teacher', prefix: 'backbone' }, config);
  try {
    await prepareTeacher(teacher, { size, shown, warming });
  } catch (error) {
    teacher.dispose();
    throw error;
  }
  return {
    skipped: [...train.skipped, ...test.skipped],
    train,
    test,
    shown,
    pictures: hashOf([train, test], shown.pictures, [run.knn.k, config.patchSize]),
    pixels: pixels || undefined,
    async features(withLooks) {
      if (labels || withLooks) return both(config.embedDim, (images) => clsTokens(teacher, images, BATCH));
      return undefined;
    },
    async figures(features, withLooks) {
      if (!features) return { right: undefined, looks: undefined };
      const nearest = () => shown.queries.map((query) => nearestImages(features, query, NEIGHBOURS));
      const looks = withLooks ? { maps: await patchMaps(teacher, shown), nearest: nearest() } : undefined;
      return { right: await right(features), looks };
    },
    images: (places) => imagesAt(data.train, train, places, run.decode),
    [Symbol.dispose]: () => teacher.dispose(),
  };
}

const NOTHING_SHOWN: ShownPictures = {
  queries: [],
  pictures: { images: [], indices: [], labels: new Int32Array(), size: 0, skipped: [] },
};

/** Compiles both plans and takes their memory, before the first step. */
const prepareTeacher = (
  teacher: VitModel,
  { size, shown, warming }: { size: number; shown: ShownPictures; warming: Warming },
): Promise<void> =>
  warming(async (events) => {
    await teacher.prepare([BATCH, 3, size, size], {}, events);
    const side = shown.pictures.size;
    if (side > 0) await teacher.prepare([SHOWN, 3, side, side], { patches: true }, events);
  });

/** The images at these places of all, which are this rank's own first ones; those of other ranks are read once more. */
async function imagesAt(
  source: ImageSource,
  { own, indices, size }: SharedImages,
  places: readonly number[],
  decode: DecodeOptions,
): Promise<Record<number, PixelImage>> {
  const far = [...new Set(places.filter((place) => place >= own.images.length))];
  const read = await readImagesAt(
    source,
    far.map((place) => indices[place]!),
    { resize: resizedFor(size), size, labelled: false, decode },
  );
  const imageAt = (place: number): PixelImage =>
    own.images[place] ?? read.images[read.indices.indexOf(indices[place]!)]!;
  return Object.fromEntries(places.map((place) => [place, imageAt(place)]));
}

/** Patches of the shown pictures in the colours of their first three principal components. */
async function patchMaps(teacher: VitModel, { pictures }: ShownPictures): Promise<readonly PcaMap[]> {
  const count = pictures.images.length;
  if (count === 0) return [];
  const features = await teacher.run(normalisedBatch(pictures, 0, SHOWN), { patches: true });
  const patches = features.patches.subarray(0, (features.patches.length / SHOWN) * count);
  return pcaMaps({ ...features, patches }, { recipe: 'capi', fitRows: FIT_PATCHES }).maps;
}

function hashOf(parts: readonly SharedImages[], shown: HeldOutImages, settings: readonly number[]): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const { digests, labels, size } of parts) hash.update(JSON.stringify([size, [...labels], digests]));
  for (const { data } of shown.images) hash.update(data);
  return hash.digest('hex');
}
