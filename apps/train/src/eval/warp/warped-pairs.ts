/** The pictures of a warped set, each matched with its warps, batch by batch. */
import { matchWarped, type PatchFeatures, type WarpMatch } from '@franca/evals';
import type { IndexedPatches } from '../part';
import type { WarpedSet, WarpedView } from './warped-set';

/** A picture and one of its warps. */
export interface WarpedPair {
  /** Index of the picture and of the warped one in the warped set. */
  readonly images: readonly [source: number, target: number];
  readonly warped: NonNullable<WarpedView['warped']>;
  /** Rows of cells. */
  readonly side: number;
  readonly matches: readonly WarpMatch[];
}

/** All pairs in the order of the set; a picture that could not be read has none. */
export async function* warpedPairs(
  set: Pick<WarpedSet, 'views'>,
  batches: AsyncIterable<IndexedPatches>,
): AsyncGenerator<WarpedPair> {
  // A batch may end between a picture and its warps.
  let source: { readonly image: number; readonly picture: number; readonly features: PatchFeatures } | undefined;
  for await (const batch of batches) {
    for (const [row, image] of batch.images.entries()) {
      const { picture, warped } = set.views(image);
      const features = featuresOf(batch, row);
      if (!warped) {
        source = { image, picture, features: { ...features, patches: features.patches.slice() } };
        continue;
      }
      if (source?.picture !== picture) continue;
      const matches = matchWarped(source.features, features, warped.warp);
      yield { images: [source.image, image], warped, side: features.grid[0], matches };
    }
  }
}

/** Tokens of one picture of a batch. */
function featuresOf({ dim, grid, patches }: PatchFeatures, row: number): PatchFeatures {
  const length = grid[0] * grid[1] * dim;
  return { dim, grid, patches: patches.subarray(row * length, (row + 1) * length) };
}
