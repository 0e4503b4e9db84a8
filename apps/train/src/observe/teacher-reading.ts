/**
 * What the teacher knows while it trains, measured on images that stay the same: k-NN accuracy on a held-out part; and what it makes of a few pictures of it, as maps
 * of their patches and as the training images that it finds most alike.
 */
import { createHash } from 'node:crypto';
import type { DataSplits } from '@franca/data';
import type { Gpu, State, WarmOptions } from '@franca/tensor';
import { type VitModel, vitOnState } from '@franca/vit';
import { type PcaMap, pcaMaps } from '@franca/viz';
import type { DerivedOptions } from '../config/derived-options';
import { type HeldOutImages, hasLabels, normalisedBatch, readHeldOutImages } from './held-out-images';
import { knnRight, nearestImages, pixelFeatures, teacherFeatures } from './online-knn';
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
  readonly train: HeldOutImages;
  readonly test: HeldOutImages;
  readonly shown: ShownPictures;
  /** Tells all these images, and how they are looked at: readings of other ones cannot be compared. */
  readonly pictures: string;
  /** Which test images k-NN on raw pixels gives their own class; undefined without labels. */
  readonly pixels: Uint8Array | undefined;
  /** k-NN, and looks if they are asked for. */
  measure(withLooks: boolean): Promise<TeacherFigures>;
}

const BATCH = 32;

/** Training images to find neighbours among where nothing is classified. */
const UNLABELLED_BANK = 500;

const NEIGHBOURS = 5;

/** Patches that the PCA is fitted on: enough for three components, and quick for wide features. */
const FIT_PATCHES = 600;

/** Does work that compiles kernels: says how far it is, and ends it when asked to stop. */
export type Warming = (work: (options: WarmOptions) => Promise<void>) => Promise<void>;

/** Prepares fixed images of both parts and the teacher as a model. Without labels only as many as the pictures need. */
export async function createTeacherReading(
  gpu: Gpu,
  state: State,
  options: DerivedOptions,
  data: DataSplits,
  warming: Warming,
): Promise<TeacherReading> {
  const { vit: config, loop: run, crops } = options;
  const size = crops.global_crops_size;
  const classes = hasLabels(data.train) && hasLabels(data.val);
  const request = { size, labelled: classes, decode: run.decode };
  const bank = classes ? run.knn.maxTrain : Math.min(run.knn.maxTrain, UNLABELLED_BANK);
  const train = await readHeldOutImages(data.train, { ...request, count: bank });
  const testSource = data.val.length > 0 ? data.val : data.train;
  const test = await readHeldOutImages(testSource, { ...request, count: classes ? run.knn.maxTest : SHOWN });
  const shown = await readShown(testSource, test, options);
  const labels = train.labels.length > 0 && test.labels.length > 0 && { train: train.labels, test: test.labels };
  const right = async (features: Parameters<typeof knnRight>[0]) =>
    labels ? await knnRight(features, labels, run.knn.k) : undefined;
  const pixels = labels && (await right(pixelFeatures(train, test)));
  const teacher = vitOnState(gpu, { state, group: 'teacher', prefix: 'backbone' }, config);
  const side = shown.pictures.size;
  try {
    // both plans are compiled, and their memory is taken, before the first step
    await warming(async (events) => {
      await teacher.prepare([BATCH, 3, size, size], {}, events);
      await teacher.prepare([SHOWN, 3, side, side], { patches: true }, events);
    });
  } catch (error) {
    teacher.dispose();
    throw error;
  }
  return {
    skipped: [...train.skipped, ...test.skipped],
    train,
    test,
    shown,
    pictures: hashOf([train, test, shown.pictures], [run.knn.k, config.patchSize]),
    pixels: pixels || undefined,
    async measure(withLooks) {
      if (!labels && !withLooks) return { right: undefined, looks: undefined };
      const features = await teacherFeatures(teacher, { train, test }, BATCH);
      const nearest = () => shown.queries.map((query) => nearestImages(features, query, NEIGHBOURS));
      const looks = withLooks ? { maps: await patchMaps(teacher, shown), nearest: nearest() } : undefined;
      return { right: await right(features), looks };
    },
    [Symbol.dispose]: () => teacher.dispose(),
  };
}

/** Patches of the shown pictures in the colours of their first three principal components. */
async function patchMaps(teacher: VitModel, { pictures }: ShownPictures): Promise<readonly PcaMap[]> {
  const count = pictures.images.length;
  if (count === 0) return [];
  const features = await teacher.run(normalisedBatch(pictures, 0, SHOWN), { patches: true });
  const patches = features.patches.subarray(0, (features.patches.length / SHOWN) * count);
  return pcaMaps({ ...features, patches }, { recipe: 'capi', fitRows: FIT_PATCHES }).maps;
}

function hashOf(parts: readonly HeldOutImages[], settings: readonly number[]): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const { images, labels, size } of parts) {
    hash.update(JSON.stringify([images.length, size, [...labels]]));
    for (const { data } of images) hash.update(data);
  }
  return hash.digest('hex');
}
