/**
 * Linear heads on patch tokens: where they start, and how a trained one scores. A 1 x 1 convolution commutes with
 * bilinear upsampling (the interpolation weights sum to one), so logits are computed on the patch grid and upsampled,
 * which equals upsampling the features first.
 */
import type { EvalBackend, LinearClassifier, LinearHead } from '../backend/eval-backend';
import { classify } from '../classifier';
import { type ClassCounts, classCounts } from '../compare/class-counts';
import { EvalsError } from '../errors';
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

/** Images whose logits are computed in one product. */
const IMAGES_AT_ONCE = 32;

/** How a head scores, and what each image adds to that. */
export interface HeadScore extends SegmentationScore {
  readonly images: readonly ClassCounts[];
}

/**
 * Scores trained heads on the first `count` images at `size`; the images are read once for all heads.
 *
 * @throws EvalsError `features` where there are fewer
 */
export async function scoreHeads(
  backend: EvalBackend,
  heads: readonly LinearClassifier[],
  images: Iterable<SegmentationFeatures> | AsyncIterable<SegmentationFeatures>,
  scoring: SegmentationScoring,
  { size, count = Number.POSITIVE_INFINITY }: { readonly size: Extent; readonly count?: number },
): Promise<HeadScore[]> {
  const pooled = heads.map(() => pooledCounts(backend, scoring));
  const each = heads.map((): ClassCounts[] => []);
  let seen = 0;
  for await (const features of images) {
    const cells = features.grid[0] * features.grid[1];
    const tokens = patchTokens(features);
    const scored = Math.min(imageCount(features), count - seen);
    for (let begin = 0; begin < scored; begin += IMAGES_AT_ONCE) {
      const end = Math.min(begin + IMAGES_AT_ONCE, scored);
      const targets = Array.from({ length: end - begin }, (_, i) =>
        resizeLabels(maskOf(features, begin + i), features.maskSize, size),
      );
      for (const [h, head] of heads.entries()) {
        const scores = await classify(backend, head, rowRange(tokens, begin * cells, end * cells));
        for (const [i, target] of targets.entries()) {
          const own = rowRange(scores, i * cells, (i + 1) * cells);
          const map = await backend.labelMap({ scores: own, grid: features.grid }, size);
          each[h]!.push(classCounts(await pooled[h]!.add(map, target), scoring.classes));
        }
      }
    }
    seen += scored;
    if (seen === count) break;
  }
  if (seen < count && Number.isFinite(count))
    throw new EvalsError(
      'features',
      `${seen} of ${count} test images could be read again; pass an array of batches, not a generator`,
    );
  return pooled.map(({ counts }, h) => ({ ...scoreCounts(counts, scoring), images: each[h]! }));
}
