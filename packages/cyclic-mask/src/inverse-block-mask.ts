/**
 * CyclicMask and inverse block masking: one contiguous block stays visible and all the rest is masked. The student sees a
 * coherent region of H * W - count patches and must predict its surroundings (Franca, Fig. 4). Unrolled, the centre
 * is nearly always visible and the last patch never is. CyclicMask rolls the block around the torus, which exposes every
 * position equally often.
 */
import { type BlockOptions, blockMask } from './block-mask';
import { checkedCellCount, type Grid, type Mask } from './grid';
import type { RandomSource } from './random';

/** A mask `[H * W]` of exactly `count` patches. Throws `grid`, `count`, `options`. */
export function inverseBlockMask(grid: Grid, count: number, random: RandomSource, options: BlockOptions = {}): Mask {
  const cells = checkedCellCount(grid, count);
  if (count === 0) return new Uint8Array(cells);
  return blockMask(grid, cells - count, random, options).map((visible) => 1 - visible);
}

/** CyclicMask, Franca's strategy: `inverseBlockMask` with `roll`. */
export function cyclicMask(grid: Grid, count: number, random: RandomSource): Mask {
  return inverseBlockMask(grid, count, random, { roll: true });
}
