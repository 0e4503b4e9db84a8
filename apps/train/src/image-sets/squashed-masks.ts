/** Masks of some images of a set, as large as the model's input. They are read from their files at every use and cached nowhere. */
import { prefetch } from '@franca/data';
import type { SegmentationFeatures } from '@franca/evals';
import type { ImageSet } from './image-set';
import { squashMask } from './preparation';

/** Masks [n, size, size] of the images at `indices`. @throws what `mask` of the set throws */
export async function squashedMasks(
  set: ImageSet,
  indices: readonly number[],
  size: number,
): Promise<Pick<SegmentationFeatures, 'maskSize' | 'masks'>> {
  const masks = new Uint8Array(indices.length * size * size);
  let at = 0;
  for await (const mask of prefetch(indices, (index, signal) => set.mask!(index, signal), { inFlight: 4, ahead: 8 })) {
    squashMask(mask, size, masks.subarray(at));
    at += size * size;
  }
  return { maskSize: [size, size], masks };
}
