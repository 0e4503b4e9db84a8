/**
 * Random masking: `count` patches, every set of that size equally likely (MAE, He et al. 2022, section 3; Franca
 * Fig. 4a). A partial Fisher-Yates shuffle: the first `count` cells of a uniform permutation.
 */
import { checkedCellCount, type Grid, type Mask } from './grid';
import { checkRandom, type RandomSource } from './random';

/** A mask `[H * W]` of exactly `count` patches. Throws `grid`, `count`, `random`. */
export function randomMask(grid: Grid, count: number, random: RandomSource): Mask {
  checkRandom(random);
  const cells = checkedCellCount(grid, count);
  const order = Uint32Array.from({ length: cells }, (_, cell) => cell);
  const mask = new Uint8Array(cells);
  for (let i = 0; i < count; i++) {
    const j = random.integer(i, cells - 1);
    mask[order[j]!] = 1;
    order[j] = order[i]!;
  }
  return mask;
}
