/**
 * The figure that tells whether features get better: 20-NN classification with the frozen teacher on a held-out part, beside the same
 * with raw pixels. Without labels there is nothing to classify, and the reading is left out.
 */
import { type ImageSource, preprocess, readImage } from '@franca/data';
import { knn } from '@franca/evals';
import type { Step } from '@franca/tensor';

/** Features [n, D] of a fixed set of images, and their labels. */
export interface LabelledImages {
  /** Normalised images [n, 3, S, S]. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly size: number;
}

/** A step that maps `images` [B, 3, S, S] to `cls` [B, D]. */
export type FeatureStep = Step<{ images: { shape: readonly number[]; dtype: 'f32' } }, Record<string, never>>;

/** Reads and prepares at most `count` labelled images, spread evenly over the source; unreadable ones are left out. */
export async function labelledImages(source: ImageSource, count: number, size: number): Promise<LabelledImages> {
  const stride = Math.max(1, source.length / count);
  const chosen = Array.from({ length: Math.min(count, source.length) }, (_, i) => Math.floor(i * stride));
  const images: Float32Array[] = [];
  const labels: number[] = [];
  for (const index of chosen) {
    const label = source.label?.(index);
    if (label === undefined) continue;
    const image = await readImage(source, index).catch(() => undefined);
    if (!image) continue;
    images.push(preprocess(image, { resize: Math.round((size * 8) / 7), crop: size }));
    labels.push(label);
  }
  const out = new Float32Array(images.length * 3 * size * size);
  for (const [i, image] of images.entries()) out.set(image, i * 3 * size * size);
  return { images: out, labels: Int32Array.from(labels), size };
}

/** CLS features of all images, in batches of the step's size; the last batch is filled up with repeats. */
export async function extractFeatures(
  step: FeatureStep,
  { images, size, labels }: LabelledImages,
  batch: number,
): Promise<{ features: Float32Array; dim: number }> {
  const n = labels.length;
  const pixels = 3 * size * size;
  const rows: Float32Array[] = [];
  for (let first = 0; first < n; first += batch) {
    const part = new Float32Array(batch * pixels);
    part.set(images.subarray(first * pixels, Math.min(first + batch, n) * pixels));
    step.run({ images: part });
    rows.push(Float32Array.from(await step.read('cls')));
  }
  const dim = (rows[0]?.length ?? 0) / batch;
  const features = new Float32Array(n * dim);
  for (const [i, row] of rows.entries())
    features.set(row.subarray(0, Math.min(row.length, (n - i * batch) * dim)), i * batch * dim);
  return { features, dim };
}

/** Top-1 share of k-NN from `train` to `test` features [n, D]. */
export async function knnAccuracy(
  train: { features: Float32Array; labels: Int32Array },
  test: { features: Float32Array; labels: Int32Array },
  dim: number,
  k = 20,
): Promise<number> {
  const set = (part: typeof train) => ({ cls: part.features, dim, labels: part.labels });
  const { scores } = await knn(set(train), set(test), { ks: [Math.min(k, train.labels.length)] });
  return scores[0]!.top1;
}

/** 20-NN on raw pixels reduced to 16 x 16: what features must beat. */
export async function pixelAccuracy(train: LabelledImages, test: LabelledImages): Promise<number> {
  const side = 16;
  const reduce = ({ images, size, labels }: LabelledImages) => {
    const out = new Float32Array(labels.length * 3 * side * side);
    for (let plane = 0; plane < labels.length * 3; plane++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const at = plane * side * side + Math.floor((y * side) / size) * side + Math.floor((x * side) / size);
          out[at]! += images[(plane * size + y) * size + x]!;
        }
      }
    }
    return { features: out, labels };
  };
  return knnAccuracy(reduce(train), reduce(test), 3 * side * side);
}
