/** Patch tokens standardised and reduced by PCA for overclustering, with masks at the size of comparison. */
import type { EvalBackend } from '../backend/eval-backend';
import { SEGMENTATION } from '../check-features';
import { checkOption, EvalsError } from '../errors';
import { type Batched, batches, imageCount, maskOf, patchTokens, type SegmentationFeatures } from '../features';
import { LONGEST_ARRAY, type Matrix } from '../matrix';
import { checkMask, type SegmentationScoring } from '../metrics/segmentation';
import type { Extent } from '../numerics/bilinear';
import { resizeLabels } from '../numerics/nearest';
import { momentsOf } from '../statistics/moments';
import { fitPca, projectPca } from '../statistics/pca';

/** Reduced tokens of all images, and their masks at the size of comparison. */
export interface ReducedImages {
  readonly points: Matrix;
  readonly grid: Extent;
  readonly size: Extent;
  readonly masks: readonly Uint8Array[];
}

/**
 * Projects all patch tokens on their first `components` principal components and resizes the masks to `size`. Reads the
 * features twice.
 */
export async function reduceImages(
  backend: EvalBackend,
  features: Batched<SegmentationFeatures>,
  options: SegmentationScoring & { readonly components?: number; readonly size?: Extent },
): Promise<ReducedImages> {
  const { components = 50, size = [100, 100] } = options;
  const gram = await momentsOf(backend, tokenBatches(features));
  const pca = fitPca(gram, Math.min(components, gram.cols), { standardise: true });
  const values = gram.rows * pca.directions.rows;
  checkOption(
    values <= LONGEST_ARRAY,
    `${gram.rows} patches of ${pca.directions.rows} components are ${values} numbers, and an array has at most ${LONGEST_ARRAY}; evaluate fewer images`,
  );
  const data = new Float32Array(values);
  const masks: Uint8Array[] = [];
  let grid: Extent | undefined;
  let row = 0;
  for await (const batch of batches('overclustering: features', features, SEGMENTATION)) {
    checkMask(batch.masks, options);
    const reduced = await projectPca(backend, pca, patchTokens(batch));
    data.set(reduced.data, row * reduced.cols);
    row += reduced.rows;
    grid ??= batch.grid;
    if (grid.join() !== batch.grid.join()) throw new EvalsError('features', 'batches with different patch grids');
    for (let i = 0; i < imageCount(batch); i++) masks.push(resizeLabels(maskOf(batch, i), batch.maskSize, size));
  }
  if (row !== gram.rows || !grid) {
    throw new EvalsError('features', 'the features could not be read twice; pass an array of batches, not a generator');
  }
  return { points: { data, rows: row, cols: pca.directions.rows }, grid, size, masks };
}

async function* tokenBatches(features: Batched<SegmentationFeatures>): AsyncGenerator<Matrix> {
  for await (const batch of batches('overclustering: features', features, SEGMENTATION)) yield patchTokens(batch);
}
