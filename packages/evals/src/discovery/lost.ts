/**
 * LOST: the object of a picture as the patches that resemble a seed and its like.
 *
 * Patches of the background are many and resemble each other. The degree of a patch counts the others with a positive
 * similarity (inner products of the raw features); the patch of the lowest degree is the seed. Of the k = 100 lowest degrees,
 * those similar to the seed are kept; a patch is foreground where its similarities to them sum to more than 0, and the
 * 4-connected part of it around the seed is the object. The seed is always kept, and foreground.
 *
 * Degrees are integers, so equal ones are the rule, at the lowest and at place k. Here the lower index comes first; what the
 * opposite order would have given is told.
 *
 * Source: Simeoni et al., Localizing Objects with Self-Supervised Transformers and no Labels, BMVC 2021. Normalisation and
 * bias: Darcet et al., Vision Transformers Need Registers, ICLR 2024.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkOption, checkOptions } from '../errors';
import type { PatchFeatures } from '../features';
import { componentMask, components } from './components';
import { type Cells, type Discovery, otherBoxes } from './discovery';
import { inverseLengths, type PatchProducts, productRow, productsOf } from './patch-products';

/** Options of `lost`. */
export interface LostOptions {
  /** How many patches of lowest degree may be kept. Default 100. */
  readonly k?: number;
  /** Cosines in place of inner products. Default false. */
  readonly normalise?: boolean;
  /** What is subtracted from every similarity. Default 0. */
  readonly bias?: number;
  /** `patchProducts` of the same features, where they are there already. */
  readonly products?: PatchProducts;
}

const LOST_OPTIONS: OptionKinds<LostOptions> = {
  k: 'number',
  normalise: 'boolean',
  bias: 'number',
  products: 'object',
};

/** What `lost` takes where nothing is said. */
export const LOST_DEFAULTS = { k: 100, normalise: false, bias: 0 } as const;

/** A seed grown to an object. */
interface Grown {
  readonly cells: Cells;
  readonly kept: number;
  readonly map: Float64Array;
  readonly mask: Uint8Array;
  readonly foregroundCells: number;
}

/**
 * @param features of one picture
 * @returns `map` is the sum of similarities to the kept patches; `detail` has `degree` (of the seed), `kept` (patches),
 *   `cutMatters` (1 where the opposite order of equal degrees at place k alone gives another box) and `foregroundCells`
 *   (all patches with a positive sum, connected or not)
 * @throws EvalsError `features` or `options`
 */
export function lost(features: PatchFeatures, options: LostOptions = {}): Discovery {
  checkOptions('lost', options, LOST_OPTIONS);
  const { k, normalise, bias } = { ...LOST_DEFAULTS, ...options };
  checkOption(Number.isInteger(k) && k >= 1, `lost: k is ${k}; it must be a positive integer`);
  checkOption(Number.isFinite(bias), `lost: bias is ${bias}; it must be a number`);
  const products = productsOf('lost', features, options.products);
  const similarities = similaritiesOf(products, normalise, bias);
  const { degrees } = similarities;
  const ascending = [...degrees.keys()].sort((a, b) => degrees[a]! - degrees[b]! || a - b);
  const opposite = [...degrees.keys()].sort((a, b) => degrees[a]! - degrees[b]! || b - a);
  const tiedSeeds = ascending.filter((i) => degrees[i] === degrees[ascending[0]!]);
  const seed = tiedSeeds[0]!;
  const from = (start: number, order: readonly number[]) => grow(similarities, features.grid, start, order.slice(0, k));

  const { cells, kept, map, mask, foregroundCells } = from(seed, ascending);
  const others = [
    from(seed, opposite),
    ...tiedSeeds.slice(1).flatMap((other) => [from(other, ascending), from(other, opposite)]),
  ];
  return {
    cells,
    seed,
    tiedSeeds,
    otherCells: otherBoxes(
      cells,
      others.map((other) => other.cells),
    ),
    foreground: mask,
    map,
    affinity: similarities.row(seed),
    detail: {
      degree: degrees[seed]!,
      kept,
      cutMatters: Number(others[0]!.cells.join() !== cells.join()),
      foregroundCells,
    },
  };
}

/** Similarities of all pairs of patches: products, or cosines, less the bias. */
interface Similarities {
  readonly size: number;
  readonly degrees: Int32Array;
  readonly row: (patch: number) => Float64Array;
}

function similaritiesOf(products: PatchProducts, normalise: boolean, bias: number): Similarities {
  const { size, lower } = products;
  const scale = normalise ? inverseLengths(products) : new Float64Array(size).fill(1);
  const similarity = (product: number, i: number, j: number): number => product * (scale[i]! * scale[j]!) - bias;
  const degrees = new Int32Array(size);
  for (let i = 0, at = 0; i < size; i++, at++) {
    for (let j = 0; j < i; j++, at++) {
      if (!(similarity(lower[at]!, i, j) > 0)) continue;
      degrees[i]! += 1;
      degrees[j]! += 1;
    }
  }
  return { size, degrees, row: (i) => productRow(products, i).map((product, j) => similarity(product, i, j)) };
}

/** The object around `seed`, from the patches of lowest degree. */
function grow(similarities: Similarities, grid: PatchFeatures['grid'], seed: number, lowest: readonly number[]): Grown {
  const toSeed = similarities.row(seed);
  const kept = lowest.filter((patch) => patch === seed || toSeed[patch]! > 0);
  const map = new Float64Array(similarities.size);
  for (const patch of kept) {
    const row = similarities.row(patch);
    for (let j = 0; j < map.length; j++) map[j]! += row[j]!;
  }
  const positive = Uint8Array.from(map, (sum, j) => Number(sum > 0 || j === seed));
  const found = components(positive, grid);
  const label = found.labels[seed]!;
  return {
    cells: found.boxes[label]!,
    kept: kept.length,
    map,
    mask: componentMask(found, label),
    foregroundCells: positive.reduce((sum, value) => sum + value, 0),
  };
}
