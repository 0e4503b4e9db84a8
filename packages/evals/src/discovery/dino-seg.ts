/**
 * DINO-seg: the object of a picture as the largest connected part of what the class token looks at.
 *
 * Of one head's attention from the class token to the patches, the strongest patches that make up 60 % of its sum are kept;
 * the largest 4-connected part of them is the object, the first in reading order where several are as large.
 *
 * The code that ships with LOST never considers the part that is numbered last, and where there is one part only it takes the
 * background; `quirks` repeats that.
 *
 * Source: Caron et al., Emerging Properties in Self-Supervised Vision Transformers, 2021, as LOST's code has it.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkSet } from '../check-features';
import { checkOption, checkOptions, EvalsError } from '../errors';
import { type Components, componentMask, components } from './components';
import { type Discovery, otherBoxes } from './discovery';

/** Attention from the class token to the patches of one picture. */
export interface ClassAttention {
  /** Patch grid, rows then columns. */
  readonly grid: readonly [rows: number, columns: number];
  readonly heads: number;
  /** `[heads, rows * columns]`; what other tokens receive is left out. */
  readonly attention: Float32Array;
}

/** Options of `dinoSeg`. */
export interface DinoSegOptions {
  /** Share of the attention that is kept. Default 0.6. */
  readonly mass?: number;
  /** Which head, from 0. Default 4 as published, or the last where there are fewer. */
  readonly head?: number;
  /** Passes over the last part, as the reference code does. Default false. */
  readonly quirks?: boolean;
}

const DINO_SEG_OPTIONS: OptionKinds<DinoSegOptions> = { mass: 'number', head: 'number', quirks: 'boolean' };

/** What `dinoSeg` takes where nothing is said. */
export const DINO_SEG_DEFAULTS = { mass: 0.6, quirks: false } as const;
/** Of the six of DINO's ViT-S. */
const PUBLISHED_HEAD = 4;

/**
 * @returns `seed` is the patch of the object with the most attention, `map` and `affinity` the attention of the head;
 *   `detail` has `head`, `parts` (connected parts) and `foregroundCells` (patches that are kept)
 * @throws EvalsError `features` or `options`
 */
export function dinoSeg(picture: ClassAttention, options: DinoSegOptions = {}): Discovery {
  checkOptions('dinoSeg', options, DINO_SEG_OPTIONS);
  checkSet('dinoSeg', picture, { grid: 'numbers', heads: 'number', attention: 'Float32Array' });
  const { mass = DINO_SEG_DEFAULTS.mass, quirks = DINO_SEG_DEFAULTS.quirks } = options;
  const { head = Math.min(PUBLISHED_HEAD, picture.heads - 1) } = options;
  checkOption(mass > 0 && mass <= 1, `dinoSeg: mass is ${mass}; it must be a share above 0`);
  const map = attentionOf(picture, head);
  const mask = strongest(map, mass);
  const parts = components(mask, picture.grid);
  const ranked = candidates(parts, quirks);
  const [label] = ranked;
  const foreground = componentMask(parts, label!);
  const inside = [...map.keys()].filter((i) => foreground[i]);
  const most = inside.reduce((max, i) => Math.max(max, map[i]!), 0);
  const tiedSeeds = inside.filter((i) => map[i] === most);
  const cells = parts.boxes[label!]!;
  return {
    cells,
    seed: tiedSeeds[0]!,
    tiedSeeds,
    otherCells: otherBoxes(
      cells,
      ranked.map((other) => parts.boxes[other]!),
    ),
    foreground,
    map,
    affinity: map,
    detail: {
      head,
      parts: parts.sizes.length - 1,
      foregroundCells: mask.reduce((sum, value) => sum + value, 0),
    },
  };
}

function attentionOf({ grid, heads, attention }: ClassAttention, head: number): Float64Array {
  const cells = grid[0] * grid[1];
  if (attention.length !== heads * cells) {
    const shape = `${heads} heads of ${grid.join(' x ')} patches`;
    throw new EvalsError(
      'features',
      `dinoSeg: ${attention.length} values of attention for ${shape}; give [heads, patches]`,
    );
  }
  checkOption(
    Number.isInteger(head) && head >= 0 && head < heads,
    `dinoSeg: head is ${head}, the model has ${heads}; give one of 0 .. ${heads - 1}`,
  );
  const values = Float64Array.from(attention.subarray(head * cells, (head + 1) * cells));
  const bad = values.find((value) => !(value >= 0 && Number.isFinite(value)));
  if (bad !== undefined || !values.some((value) => value > 0))
    throw new EvalsError('features', `dinoSeg: attention holds ${bad ?? 'nothing but 0'}; it must be a softmax`);
  return values;
}

/** 1 for the strongest patches that make up `mass` of the sum. */
function strongest(attention: Float64Array, mass: number): Uint8Array {
  const ascending = [...attention.keys()].sort((a, b) => attention[a]! - attention[b]! || a - b);
  const total = attention.reduce((sum, value) => sum + value, 0);
  const mask = new Uint8Array(attention.length);
  let sum = 0;
  for (const patch of ascending) {
    sum += attention[patch]! / total;
    mask[patch] = Number(sum > 1 - mass);
  }
  // Rounding may leave the sum of all at just 1 - mass where mass is tiny.
  mask[ascending.at(-1)!] = 1;
  return mask;
}

/** Numbers of the largest parts, all of one size. */
function candidates({ sizes }: Components, quirks: boolean): number[] {
  const last = sizes.length - 1;
  if (quirks && last === 1) return [sizes[0] === 0 ? 1 : 0];
  const labels = sizes.map((_, label) => label).slice(1, quirks ? last : undefined);
  const largest = labels.reduce((max, label) => Math.max(max, sizes[label]!), 0);
  return labels.filter((label) => sizes[label] === largest);
}
