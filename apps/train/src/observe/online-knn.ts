/**
 * The figure that tells whether features get better: k-NN classification by the teacher, and by raw pixels. The bank are training images, the
 * queries a held-out part. Without labels there is nothing to classify, and the reading is left out.
 */
import { knn } from '@franca/evals';
import type { VitModel } from '@franca/vit';
import { type HeldOutImages, normalisedBatch } from './held-out-images';

/** A row of features for each image of both parts. */
export interface BothParts {
  /** [n, dim] */
  readonly train: Float32Array;
  readonly test: Float32Array;
  readonly dim: number;
}

/** Side to which raw pixels are reduced. */
const SIDE = 16;

/** Values of an image by `reducedPixels`. */
export const PIXELS: number = 3 * SIDE * SIDE;

/** Which images of the test part k-NN gives their own class, [n] of 0 and 1. */
export async function knnRight(
  { train, test, dim }: BothParts,
  labels: { readonly train: Int32Array; readonly test: Int32Array },
  k: number,
): Promise<Uint8Array> {
  const { predicted } = await knn(
    { cls: train, labels: labels.train, dim },
    { cls: test, labels: labels.test, dim },
    { ks: [Math.min(k, labels.train.length)] },
  );
  return Uint8Array.from(predicted, (label, i) => (label === labels.test[i] ? 1 : 0));
}

/** The `count` images of the bank whose features point most nearly as those of test image `query` do, nearest first. */
export function nearestImages({ train, test, dim }: BothParts, query: number, count: number): number[] {
  const asked = test.subarray(query * dim, (query + 1) * dim);
  const cosines = Array.from({ length: train.length / dim }, (_, i) => {
    const row = train.subarray(i * dim, (i + 1) * dim);
    let product = 0;
    let square = 0;
    for (let d = 0; d < dim; d++) {
      product += row[d]! * asked[d]!;
      square += row[d]! ** 2;
    }
    return { i, cosine: product / (Math.sqrt(square) || 1) };
  });
  return cosines
    .sort((a, b) => b.cosine - a.cosine || a.i - b.i)
    .slice(0, count)
    .map(({ i }) => i);
}

/** CLS tokens of all images [n, D] by `model`, which runs on `batch` images at a time; the last batch is filled up with zeros. */
export async function clsTokens(model: VitModel, part: HeldOutImages, batch: number): Promise<Float32Array> {
  const { embedDim: D } = model.config;
  const n = part.images.length;
  const out = new Float32Array(n * D);
  for (let first = 0; first < n; first += batch) {
    const { cls } = await model.run(normalisedBatch(part, first, batch));
    out.set(cls.subarray(0, (n - first) * D), first * D);
  }
  return out;
}

/** Raw pixels, what features must beat: images summed over the cells of a grid of 16 x 16, [n, 3, 16, 16]. */
export function reducedPixels(part: HeldOutImages): Float32Array {
  const { size } = part;
  const n = part.images.length;
  const out = new Float32Array(n * 3 * SIDE * SIDE);
  for (let image = 0; image < n; image++) {
    const { data: pixels } = normalisedBatch(part, image, 1);
    for (let plane = 0; plane < 3; plane++) {
      for (let y = 0; y < size; y++) {
        const row = ((3 * image + plane) * SIDE + Math.floor((y * SIDE) / size)) * SIDE;
        for (let x = 0; x < size; x++)
          out[row + Math.floor((x * SIDE) / size)]! += pixels[(plane * size + y) * size + x]!;
      }
    }
  }
  return out;
}
