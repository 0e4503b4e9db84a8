/**
 * Exposure map of a strategy: the fraction of masks in which each patch is masked (Franca Fig. 4). A map that is not flat
 * means that some positions are rarely predicted, or rarely seen.
 */
import { CyclicMaskError } from './errors';
import type { Mask } from './grid';

/** Exposure map `[H * W]` of masks. Throws `mask` when there is no mask, or when the masks differ in size. */
export function exposureMap(masks: Iterable<Mask>): Float64Array {
  let exposure: Float64Array | undefined;
  let count = 0;
  for (const mask of masks) {
    exposure ??= new Float64Array(mask.length);
    if (mask.length !== exposure.length) {
      throw new CyclicMaskError('mask', `mask ${count} has ${mask.length} patches, mask 0 has ${exposure.length}`);
    }
    for (let cell = 0; cell < mask.length; cell++) exposure[cell]! += mask[cell]!;
    count++;
  }
  if (!exposure) throw new CyclicMaskError('mask', 'an exposure map needs at least one mask');
  return exposure.map((hits) => hits / count);
}
