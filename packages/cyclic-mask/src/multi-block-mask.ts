/**
 * BEiT's blockwise masking (Bao et al. 2022, algorithm 1; used by iBOT and DINOv2): rectangles of random area and aspect
 * are thrown onto the grid until `count` patches are covered. A rectangle has area ~ U(4, room), log-aspect
 * ~ U(ln 0.3, ln 1/0.3), and is taken when it adds between 1 and `room` new patches, where room = min(missing, maxPatches).
 * Ten misses in a row end it, so the mask can hold fewer patches than asked for (in about 9% of the draws at 16 x 16,
 * nearly always by one), never more.
 */
import { type AspectOptions, maxLogAspect } from './aspect';
import { checkOptions } from './check-options';
import { CyclicMaskError } from './errors';
import { checkedCellCount, type Grid, type Mask } from './grid';
import { checkRandom, type RandomSource } from './random';

export interface MultiBlockOptions extends AspectOptions {
  /** Smallest area drawn for one rectangle, in patches. Default 4. */
  readonly minPatches?: number;
  /** Largest number of patches that one rectangle may add. Default floor(H / 2) * W: half the grid. */
  readonly maxPatches?: number;
}

const ATTEMPTS = 10;
const OPTIONS: Record<keyof MultiBlockOptions, true> = { minAspect: true, minPatches: true, maxPatches: true };

/** A mask `[H * W]` of at most `count` patches. Throws `grid`, `count`, `options`, `random`. */
export function multiBlockMask(grid: Grid, count: number, random: RandomSource, options: MultiBlockOptions = {}): Mask {
  checkOptions('multiBlockMask', options, OPTIONS);
  checkRandom(random);
  const mask = new Uint8Array(checkedCellCount(grid, count));
  const { minPatches = 4, maxPatches = Math.max(1, Math.floor(grid.height / 2) * grid.width) } = options;
  if (!(minPatches >= 1) || !(maxPatches >= 1)) {
    throw new CyclicMaskError(
      'options',
      `minPatches ${minPatches} and maxPatches ${maxPatches} are areas in patches: give numbers from 1 up`,
    );
  }
  const logAspect = maxLogAspect(options);
  let covered = 0;
  while (covered < count) {
    const room = Math.min(count - covered, maxPatches);
    const added = addBlock(mask, grid, { minPatches, room, logAspect }, random);
    if (added === 0) break;
    covered += added;
  }
  return mask;
}

/** Number of patches that the first fitting rectangle of ten added. */
function addBlock(
  mask: Mask,
  { height, width }: Grid,
  { minPatches, room, logAspect }: { minPatches: number; room: number; logAspect: number },
  random: RandomSource,
): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = random.uniform(minPatches, room);
    const aspect = Math.exp(random.uniform(-logAspect, logAspect));
    const h = Math.round(Math.sqrt(area * aspect));
    const w = Math.round(Math.sqrt(area / aspect));
    if (h >= height || w >= width) continue;
    const top = random.integer(0, height - h);
    const left = random.integer(0, width - w);
    const visible = visibleCells(mask, width, { top, left, h, w });
    if (visible.length === 0 || visible.length > room) continue;
    for (const cell of visible) mask[cell] = 1;
    return visible.length;
  }
  return 0;
}

function visibleCells(
  mask: Mask,
  width: number,
  { top, left, h, w }: { top: number; left: number; h: number; w: number },
): number[] {
  const cells: number[] = [];
  for (let row = top; row < top + h; row++) {
    for (let column = left; column < left + w; column++) {
      const cell = row * width + column;
      if (mask[cell] === 0) cells.push(cell);
    }
  }
  return cells;
}
