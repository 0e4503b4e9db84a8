/** What evaluations commonly read of images, and what that takes in memory. */
import type { FeatureSession } from '../../../features/session';
import type { ImageSet } from '../../../image-sets/image-set';
import { centreCrop, type DenseLook, type Preparation } from '../../../image-sets/preparation';
import type { CostQuestion, FeatureReading } from '../task-cost';

type Sized = Pick<FeatureSession, 'size' | 'model'>;

/** What is read of a picture whose centre is cut out. */
interface Tokens {
  /** Last blocks whose CLS tokens are read; default 1. */
  readonly blocks?: number;
  readonly patchMean?: boolean;
  readonly resize?: number | undefined;
}

/** Where one of several evaluations reads more blocks, all that any of them reads is computed at once. */
export function tokensOf(
  { session: { size, model }, data }: Pick<CostQuestion, 'session' | 'data'>,
  set: ImageSet,
  { blocks = 1, patchMean = false, resize = data.resize }: Tokens = {},
): FeatureReading {
  const preparation: Preparation = { ...centreCrop(size), ...(resize && { resize }) };
  const computed = Math.min(Math.max(blocks, data.blocks ?? 1), model.config.depth);
  return { set, request: { preparation, blocks: computed, patchMean: patchMean || computed > blocks } };
}

/** Patch tokens of whole pictures. */
export const patchesOf = ({ size }: Pick<Sized, 'size'>, set: ImageSet, look: DenseLook = {}): FeatureReading => ({
  set,
  request: { preparation: { kind: 'squash', size, ...look }, patches: true },
});

/** Rows and columns of patches of a square input. */
export function gridOf({ size, model }: Sized): readonly [rows: number, columns: number] {
  const side = size / model.config.patchSize;
  return [side, side];
}

/** Bytes of f32 numbers. */
export const floats = (...counts: readonly number[]): number => 4 * counts.reduce((product, count) => product * count);
