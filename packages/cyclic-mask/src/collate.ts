/**
 * What the masked-patch loss needs of a batch of masks: places and weights of the masked patches. Places are indices into
 * the flattened [C * N] tokens; the weight is 1 / (masked patches of that crop), so that every masked crop counts the same
 * however much of it is hidden. The lists have as many entries as there are masked patches, which differs from batch to batch; `padToBound`
 * makes them the fixed length U for engines that compile one shape.
 */
import { CyclicMaskError } from './errors';
import type { Mask } from './grid';

/** The masks of C crops, with the places and weights of their masked patches. */
export interface CollatedMasks {
  /** `[C, N]` row-major, 1 = masked; the official `collated_masks`. */
  readonly masks: Uint8Array;
  /** Ascending indices into the flattened masks; the official `mask_indices_list`. `[nMasked]`, or `[U]` when padded. */
  readonly maskIndices: Int32Array;
  /** Loss weight of each index; they sum to the number of masked crops. Same length as `maskIndices`. */
  readonly masksWeight: Float32Array;
  /** Number of masked patches; the official `n_masked_patches`. Entries past it are padding. */
  readonly nMasked: number;
}

/** Collates one mask `[N]` per crop. Throws `mask` when there is none or when they differ in size. */
export function collateMasks(masks: readonly Mask[]): CollatedMasks {
  const cells = masks[0]?.length;
  if (!cells) throw new CyclicMaskError('mask', 'there is nothing to collate: give one non-empty mask per crop');
  const flat = new Uint8Array(masks.length * cells);
  const indices: number[] = [];
  const weights: number[] = [];
  masks.forEach((mask, crop) => {
    if (mask.length !== cells) {
      throw new CyclicMaskError('mask', `mask ${crop} has ${mask.length} patches, mask 0 has ${cells}`);
    }
    flat.set(mask, crop * cells);
    const before = indices.length;
    mask.forEach((masked, cell) => {
      if (masked) indices.push(crop * cells + cell);
    });
    const masked = indices.length - before;
    for (let i = 0; i < masked; i++) weights.push(1 / masked);
  });
  return {
    masks: flat,
    maskIndices: Int32Array.from(indices),
    masksWeight: Float32Array.from(weights),
    nMasked: indices.length,
  };
}

/**
 * The same with lists of fixed length `bound` (U of `upperBound`): padding entries have index 0, so that a gather stays
 * in range, and weight 0, so that they add nothing to a loss. Throws `batch` when more patches are masked than fit.
 */
export function padToBound(collated: CollatedMasks, bound: number): CollatedMasks {
  const { maskIndices, masksWeight, nMasked } = collated;
  if (!Number.isSafeInteger(bound) || bound < nMasked) {
    throw new CyclicMaskError(
      'batch',
      `${nMasked} masked patches do not fit into a list of ${bound}: use upperBound() of the options that sampled them`,
    );
  }
  const paddedIndices = new Int32Array(bound);
  const paddedWeight = new Float32Array(bound);
  paddedIndices.set(maskIndices);
  paddedWeight.set(masksWeight);
  return { ...collated, maskIndices: paddedIndices, masksWeight: paddedWeight };
}
