/**
 * DINO-seg, the baseline that LOST is compared with: what the class token looks at. Of one head's attention to the patches the fewest patches that hold a share
 * of its mass are kept, and the box of their largest connected part is the object.
 *
 * The published code never considers the last part, and takes the background where there is one part only; `quirks` does the same. Sources: Caron et al. 2021;
 * Simeoni et al. 2021.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import { type Component, components } from './components';
import type { Cells, Discovery } from './discovery';

export interface ClassAttention {
  readonly grid: readonly [rows: number, columns: number];
  readonly heads: number;
  /** Attention of the class token to each patch [heads, N]. */
  readonly attention: Float32Array;
}

export interface DinoSegOptions {
  /** Share of the attention that is kept; default 0.6. */
  readonly mass?: number;
  /** Default the fifth, as published, or the last where there are fewer. */
  readonly head?: number;
  readonly quirks?: boolean;
}

const OPTIONS: OptionKinds<DinoSegOptions> = { mass: 'number', head: 'number', quirks: 'boolean' };
const PUBLISHED_HEAD = 4;

/**
 * The object of one picture; the seed is the patch with the most attention.
 * @returns `detail`: head, parts, foregroundCells
 * @throws EvalsError `features` or `options`
 */
export function dinoSeg(features: ClassAttention, options: DinoSegOptions = {}): Discovery {
  checkArgument('dinoSeg', 'features', features, 'object');
  checkArgument('dinoSeg', 'features.attention', features.attention, 'Float32Array');
  checkOptions('dinoSeg', options, OPTIONS);
  const { grid, heads, attention } = features;
  const size = grid[0] * grid[1];
  if (attention.length !== heads * size || size === 0)
    throw new EvalsError(
      'features',
      `dinoSeg: ${attention.length} values are not the attention of ${heads} heads to ${grid.join(' x ')} patches`,
    );
  const { mass = 0.6, head = Math.min(PUBLISHED_HEAD, heads - 1), quirks = false } = options;
  checkOption(mass > 0 && mass <= 1, `dinoSeg: the mass is ${mass}; it must lie above 0, up to 1`);
  checkOption(Number.isInteger(head) && head >= 0 && head < heads, `dinoSeg: there is no head ${head} of ${heads}`);
  const map = Float64Array.from(attention.subarray(head * size, (head + 1) * size));
  const kept = massMask(map, mass);
  const parts = components(kept, grid);
  const object = quirks ? publishedChoice(parts, kept, grid) : largestOf(parts);
  const seed = map.indexOf(map.reduce((a, b) => Math.max(a, b)));
  return {
    cells: object.cells,
    seed,
    tiedSeeds: [seed],
    otherCells: [],
    foreground: object.mask,
    map,
    affinity: map,
    detail: { head, parts: parts.length, foregroundCells: kept.reduce((sum, value) => sum + value, 0) },
  };
}

/** The patches that hold the share `mass` of all attention: those after the first, in ascending order, whose running sum exceeds the rest of it. */
function massMask(map: Float64Array, mass: number): Uint8Array {
  const order = Array.from(map.keys()).sort((a, b) => map[a]! - map[b]! || a - b);
  const total = map.reduce((sum, value) => sum + value, 0);
  const kept = new Uint8Array(map.length);
  let running = 0;
  for (const cell of order) {
    running += map[cell]! / total;
    if (running > 1 - mass) kept[cell] = 1;
  }
  // the most attended patch is kept whatever rounding does to the last sum
  kept[order.at(-1)!] = 1;
  return kept;
}

const largestOf = (parts: readonly Component[]): Component =>
  parts.reduce((best, part) => (part.size > best.size ? part : best));

/** As published: the largest but for the last, or what is not kept at all where there is one part. */
function publishedChoice(
  parts: readonly Component[],
  kept: Uint8Array,
  [rows, columns]: readonly [number, number],
): { readonly cells: Cells; readonly mask: Uint8Array } {
  if (parts.length > 1) return largestOf(parts.slice(0, -1));
  const mask = kept.map((value) => 1 - value);
  const inside = [...mask.keys()].filter((cell) => mask[cell]);
  if (inside.length === 0) return { cells: [0, 0, rows, columns], mask };
  const rowsOf = inside.map((cell) => Math.floor(cell / columns));
  const columnsOf = inside.map((cell) => cell % columns);
  const cells: Cells = [
    Math.min(...rowsOf),
    Math.min(...columnsOf),
    Math.max(...rowsOf) + 1,
    Math.max(...columnsOf) + 1,
  ];
  return { cells, mask };
}
