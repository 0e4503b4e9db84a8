/**
 * Linear heads on patch tokens: where they start, and how a trained one scores. A 1 x 1 convolution commutes with
 * bilinear upsampling (the interpolation weights sum to one), so logits are computed on the patch grid and upsampled,
 * which equals upsampling the features first.
 */
import type { EvalBackend, LinearClassifier, LinearHead } from '../backend/eval-backend';
import { classify } from '../classifier';
import { imageCount, maskOf, patchTokens, type SegmentationFeatures } from '../features';
import { rowRange } from '../matrix';
import { pooledCounts, type SegmentationScore, type SegmentationScoring, scoreCounts } from '../metrics/segmentation';
import type { Extent } from '../numerics/bilinear';
import { resizeLabels } from '../numerics/nearest';
import { random } from '../numerics/random';

/** Heads that differ in their learning rate only; weights and biases start uniform in +-1/sqrt(D). */
export function segmentationHeads(
  dim: number,
  classes: number,
  learningRates: readonly number[],
  seed: number,
): LinearHead[] {
  const { uniform } = random(seed);
  const draw = () => (2 * uniform() - 1) / Math.sqrt(dim);
  const weight = { data: Float32Array.from({ length: classes * dim }, draw), rows: classes, cols: dim };
  const initial = { weight, bias: Float32Array.from({ length: classes }, draw) };
  return learningRates.map((learningRate) => ({ start: 0, end: dim, learningRate, initial }));
}

/** Masks of all images resized to `size` by nearest neighbour, `[n, size]`. */
export function resizedMasks(features: SegmentationFeatures, size: Extent): Int32Array {
  const pixels = size[0] * size[1];
  const targets = new Int32Array(imageCount(features) * pixels);
  for (let i = 0; i < imageCount(features); i++) {
    targets.set(resizeLabels(maskOf(features, i), features.maskSize, size), i * pixels);
  }
  return targets;
}

/** The features and masks of the images with the given numbers, copied in that order. */
export function takeImages(features: SegmentationFeatures, images: ArrayLike<number>): SegmentationFeatures {
  const tokens = features.grid[0] * features.grid[1] * features.dim;
  const pixels = features.maskSize[0] * features.maskSize[1];
  const patches = new Float32Array(images.length * tokens);
  const masks = new Uint8Array(images.length * pixels);
  for (let i = 0; i < images.length; i++) {
    patches.set(features.patches.subarray(images[i]! * tokens, (images[i]! + 1) * tokens), i * tokens);
    masks.set(maskOf(features, images[i]!), i * pixels);
  }
  return { ...features, patches, masks };
}

/** Images whose logits are computed in one product. */
const IMAGES_AT_ONCE = 32;

/** Scores a trained head on the first `count` images at `size`. */
export async function scoreHead(
  backend: EvalBackend,
  head: LinearClassifier,
  features: SegmentationFeatures,
  scoring: SegmentationScoring,
  { size, count = imageCount(features) }: { readonly size: Extent; readonly count?: number },
): Promise<SegmentationScore> {
  const cells = features.grid[0] * features.grid[1];
  const pooled = pooledCounts(backend, scoring);
  const tokens = patchTokens(features);
  for (let begin = 0; begin < count; begin += IMAGES_AT_ONCE) {
    const end = Math.min(begin + IMAGES_AT_ONCE, count);
    const scores = await classify(backend, head, rowRange(tokens, begin * cells, end * cells));
    for (let i = begin; i < end; i++) {
      const own = rowRange(scores, (i - begin) * cells, (i - begin + 1) * cells);
      const map = await backend.labelMap({ scores: own, grid: features.grid }, size);
      await pooled.add(map, resizeLabels(maskOf(features, i), features.maskSize, size));
    }
  }
  return scoreCounts(pooled.counts, scoring);
}
