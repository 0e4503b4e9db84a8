/**
 * One block of exactly n patches. The log-aspect is uniform in the widest range in which a rectangle of area n fits into
 * the grid, at most [ln 0.3, ln 1/0.3]; sides h = ceil(sqrt(n a)) and w = ceil(sqrt(n / a)); position uniform. Rounding
 * up leaves a surplus, which is cut from the end of the last row(s). `roll` then shifts the block cyclically, as on a
 * torus, by a uniform number of rows and columns, so that every patch is covered equally often; without it the centre
 * is favoured. Source: Franca, masking strategies (Fig. 4), and its official code.
 */
import { type AspectOptions, maxLogAspect } from './aspect';
import { checkOptions } from './check-options';
import { checkedCellCount, type Grid, type Mask } from './grid';
import { checkRandom, type RandomSource } from './random';

export interface BlockOptions extends AspectOptions {
  /** Shift the block cyclically by random amounts. Default false. */
  readonly roll?: boolean;
}

const OPTIONS: Record<keyof BlockOptions, true> = { minAspect: true, roll: true };

/** A mask `[H * W]` with one masked block of `count` patches. Throws `grid`, `count`, `options`, `random`. */
export function blockMask(grid: Grid, count: number, random: RandomSource, options: BlockOptions = {}): Mask {
  checkOptions('blockMask', options, OPTIONS);
  checkRandom(random);
  const mask = new Uint8Array(checkedCellCount(grid, count));
  const logAspect = maxLogAspect(options);
  if (count === 0) return mask;
  const { h, w } = blockSides(grid, count, random, logAspect);
  const top = h < grid.height ? random.integer(0, grid.height - h) : 0;
  const left = w < grid.width ? random.integer(0, grid.width - w) : 0;
  for (let i = 0; i < count; i++) {
    mask[(top + Math.floor(i / w)) * grid.width + left + (i % w)] = 1;
  }
  return options.roll ? roll(mask, grid, random) : mask;
}

function blockSides(
  { height, width }: Grid,
  count: number,
  random: RandomSource,
  logAspect: number,
): { h: number; w: number } {
  const high = Math.min(logAspect, Math.log(height ** 2 / (count + 1e-5)));
  const low = Math.min(high, Math.max(-logAspect, Math.log(count / width ** 2)));
  const aspect = Math.exp(random.uniform(low, high));
  const h = Math.min(height, Math.ceil(Math.sqrt(count * aspect)));
  // On a long narrow grid no aspect of the range fits: what one side loses to the border, the other makes up.
  const w = Math.min(width, Math.ceil(Math.max(Math.sqrt(count / aspect), count / h)));
  return { h: Math.max(h, Math.ceil(count / w)), w };
}

function roll(mask: Mask, { height, width }: Grid, random: RandomSource): Mask {
  const rows = random.integer(0, height - 1);
  const columns = random.integer(0, width - 1);
  const rolled = new Uint8Array(mask.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      rolled[((row + rows) % height) * width + ((column + columns) % width)] = mask[row * width + column]!;
    }
  }
  return rolled;
}
