/** What the teacher knows while it trains: k-NN accuracy on a held-out part, and patches for the PCA picture. */
import type { DataSplits } from '@franca/data';
import type { Gpu, State, WarmOptions } from '@franca/tensor';
import { type VitModel, vitOnState } from '@franca/vit';
import type { DerivedOptions } from '../config/derived-options';
import { type HeldOutImages, hasLabels, normalisedBatch, readHeldOutImages } from './held-out-images';
import { featureAccuracy, pixelAccuracy } from './online-knn';
import { type pcaPicture, SHOWN } from './pictures';

export interface TeacherFigures {
  /** Top-1 share of k-NN with the teacher's features, and with raw pixels; undefined without labels. */
  readonly knn: number | undefined;
  readonly pixels: number | undefined;
  /** For the PCA picture; undefined without images. */
  readonly picture: Parameters<typeof pcaPicture>[0] | undefined;
}

export interface TeacherReading extends Disposable {
  /** Images that were to be measured and could not be used, and why. */
  readonly skipped: readonly string[];
  measure(): Promise<TeacherFigures>;
}

const BATCH = 32;

/** Does work that compiles kernels: says how far it is, and ends it when asked to stop. */
export type Warming = (work: (options: WarmOptions) => Promise<void>) => Promise<void>;

/** Prepares fixed images of both parts and the teacher as a model. Without labels only a few images, for the picture. */
export async function createTeacherReading(
  gpu: Gpu,
  state: State,
  { vit: config, loop: run, crops }: DerivedOptions,
  data: DataSplits,
  warming: Warming,
): Promise<TeacherReading> {
  const size = crops.global_crops_size;
  const labelled = hasLabels(data.train) && hasLabels(data.val);
  const request = { size, labelled, decode: run.decode };
  const train = await readHeldOutImages(data.train, { ...request, count: labelled ? run.knn.maxTrain : 0 });
  const shown = data.val.length > 0 ? data.val : data.train;
  const test = await readHeldOutImages(shown, { ...request, count: labelled ? run.knn.maxTest : BATCH });
  const { k } = run.knn;
  const usable = train.labels.length > 0 && test.labels.length > 0;
  const pixels = usable ? await pixelAccuracy(train, test, k) : undefined;
  const teacher = vitOnState(gpu, { state, group: 'teacher', prefix: 'backbone' }, config);
  try {
    // one plan for both readings, and its memory is taken before the first step
    await warming((options) => teacher.prepare([BATCH, 3, size, size], { patches: true }, options));
  } catch (error) {
    teacher.dispose();
    throw error;
  }
  return {
    skipped: [...train.skipped, ...test.skipped],
    measure: async () => ({
      knn: usable ? await featureAccuracy(teacher, train, test, { k, batch: BATCH }) : undefined,
      pixels,
      picture: await picturePatches(teacher, test),
    }),
    [Symbol.dispose]: () => teacher.dispose(),
  };
}

/** Patches of a few images, spread over the held-out part, whose classes often lie one after the other. */
async function picturePatches(teacher: VitModel, held: HeldOutImages): Promise<TeacherFigures['picture']> {
  const { size } = held;
  const count = Math.min(SHOWN, held.images.length);
  if (count === 0) return undefined;
  const chosen = Array.from({ length: count }, (_, i) => held.images[Math.floor((i * held.images.length) / count)]!);
  const data = normalisedBatch({ images: chosen, size }, 0, BATCH);
  const { patches, grid } = await teacher.run({ data, shape: [BATCH, 3, size, size] }, { patches: true });
  return {
    images: data.subarray(0, count * 3 * size * size),
    size,
    patches,
    grid,
    dim: teacher.config.embedDim,
  };
}
