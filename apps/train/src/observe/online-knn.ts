/**
 * The figure that tells whether features get better: k-NN classification by the teacher, and by raw pixels. The bank are training images, the
 * queries a held-out part. Without labels there is nothing to classify, and the reading is left out.
 */
import { knn } from '@franca/evals';
import type { VitModel } from '@franca/vit';
import { type HeldOutImages, normalisedBatch } from './held-out-images';

/** Top-1 share of k-NN from `train` to `test` by the CLS tokens of `model`, which runs on `batch` images at a time. */
export async function featureAccuracy(
  model: VitModel,
  train: HeldOutImages,
  test: HeldOutImages,
  { k, batch }: { readonly k: number; readonly batch: number },
): Promise<number> {
  const tokens = async (part: HeldOutImages) => ({ cls: await clsTokens(model, part, batch), labels: part.labels });
  return knnAccuracy(await tokens(train), await tokens(test), model.config.embedDim, k);
}

/** Side to which raw pixels are reduced. */
const SIDE = 16;

/** 20-NN on raw pixels reduced to 16 x 16: what features must beat. */
export async function pixelAccuracy(train: HeldOutImages, test: HeldOutImages, k: number): Promise<number> {
  const pixels = (part: HeldOutImages) => ({ cls: reducedPixels(part), labels: part.labels });
  return knnAccuracy(pixels(train), pixels(test), 3 * SIDE * SIDE, k);
}

interface LabelledRows {
  readonly cls: Float32Array;
  readonly labels: Int32Array;
}

async function knnAccuracy(train: LabelledRows, test: LabelledRows, dim: number, k: number): Promise<number> {
  const { scores } = await knn({ ...train, dim }, { ...test, dim }, { ks: [Math.min(k, train.labels.length)] });
  return scores[0]!.top1;
}

/** CLS tokens of all images [n, D]; the last batch is filled up with zeros. */
async function clsTokens(model: VitModel, part: HeldOutImages, batch: number): Promise<Float32Array> {
  const { embedDim: D } = model.config;
  const n = part.images.length;
  const out = new Float32Array(n * D);
  for (let first = 0; first < n; first += batch) {
    const images = { data: normalisedBatch(part, first, batch), shape: [batch, 3, part.size, part.size] as const };
    const { cls } = await model.run(images);
    out.set(cls.subarray(0, (n - first) * D), first * D);
  }
  return out;
}

/** Images summed over the cells of a grid of SIDE x SIDE, [n, 3, SIDE, SIDE]. */
function reducedPixels(part: HeldOutImages): Float32Array {
  const { size } = part;
  const n = part.images.length;
  const out = new Float32Array(n * 3 * SIDE * SIDE);
  for (let image = 0; image < n; image++) {
    const pixels = normalisedBatch(part, image, 1);
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
