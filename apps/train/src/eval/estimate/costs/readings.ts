/** What evaluations commonly read of images, and what that takes in memory. */
import type { FeatureSession } from '../../../features/session';
import type { ImageSet } from '../../../image-sets/image-set';
import { centreCrop, type DenseLook, type Preparation } from '../../../image-sets/preparation';
import type { FeatureReading } from '../task-cost';

type Sized = Pick<FeatureSession, 'size' | 'model'>;

/** CLS tokens of so many last blocks, of pictures whose centre is cut out. */
export const tokensOf = (
  { size, model }: Sized,
  set: ImageSet,
  { blocks = 1, resize }: { readonly blocks?: number; readonly resize?: number | undefined } = {},
): FeatureReading => ({
  set,
  options: {
    preparation: { ...centreCrop(size), ...(resize && { resize }) } as Preparation,
    blocks: Math.min(blocks, model.config.depth),
  },
});

/** Patch tokens of whole pictures. */
export const patchesOf = ({ size }: Pick<Sized, 'size'>, set: ImageSet, look: DenseLook = {}): FeatureReading => ({
  set,
  options: { preparation: { kind: 'squash', size, ...look }, patches: true },
});

/** Rows and columns of patches of a square input. */
export function gridOf({ size, model }: Sized): readonly [rows: number, columns: number] {
  const side = size / model.config.patchSize;
  return [side, side];
}

/** Bytes of f32 numbers. */
export const floats = (...counts: readonly number[]): number => 4 * counts.reduce((product, count) => product * count);
