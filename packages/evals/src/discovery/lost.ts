/**
 * LOST: the object of a picture as the patches that resemble a seed and its like.
 *
 * Patches of the background are many and resemble each other. The degree of a patch counts the others with a positive
 * similarity (inner products of the raw features); the patch of the lowest degree is the seed. Of the k = 100 lowest degrees,
 * those similar to the seed are kept; a patch is foreground where its similarities to them sum to more than 0, and the
 * 4-connected part of it around the seed is the object. The seed is foreground whatever a bias or a zero feature does to it.
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
import { type Components, componentMask, components } from './components';
import { type Discovery, otherBoxes } from './discovery';
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

/** The patches that resemble some kept ones. */
interface Likeness {
  /** Sum of similarities to the kept patches. */
  readonly map: Float64Array;
  /** Where it is positive. */
  readonly positive: Uint8Array;
  readonly parts: Components;
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
  const defaults = LOST_DEFAULTS;
  const { k = defaults.k, normalise = defaults.normalise, bias = defaults.bias } = options;
  checkOption(Number.isInteger(k) && k >= 1, `lost: k is ${k}; it must be a positive integer`);
  checkOption(Number.isFinite(bias), `lost: bias is ${bias}; it must be a number`);
  const products = productsOf('lost', features, options.products);
  const similarities = similaritiesOf(products, normalise, bias);
  const { degrees } = similarities;
  const ascending = [...degrees.keys()].sort((a, b) => degrees[a]! - degrees[b]! || a - b);
  const opposite = [...degrees.keys()].sort((a, b) => degrees[a]! - degrees[b]! || b - a);
  const tiedSeeds = ascending.filter((i) => degrees[i] === degrees[ascending[0]!]);
  const seed = tiedSeeds[0]!;
  const likeness = likenessOf(similarities, features.grid);
  const grow = (from: number, order: readonly number[]) => {
    const toSeed = similarities.row(from);
    const kept = order.slice(0, k).filter((patch) => patch === from || toSeed[patch]! > 0);
    const { parts, ...grown } = likeness(kept, from);
    const label = parts.labels[from]!;
    return { ...grown, parts, label, kept: kept.length, cells: parts.boxes[label]! };
  };

  const { cells, kept, map, positive, parts, label } = grow(seed, ascending);
  const opposed = grow(seed, opposite).cells;
  const others = tiedSeeds.flatMap((other) => [grow(other, ascending).cells, grow(other, opposite).cells]);
  return {
    cells,
    seed,
    tiedSeeds,
    otherCells: otherBoxes(cells, others),
    foreground: componentMask(parts, label),
    map,
    affinity: similarities.row(seed),
    detail: {
      degree: degrees[seed]!,
      kept,
      cutMatters: Number(opposed.join() !== cells.join()),
      foregroundCells: positive.reduce((sum, value) => sum + value, 0),
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

/** What resembles kept patches, and the seed in any case; many tied seeds keep the same ones, for which it is computed once. */
function likenessOf(
  { size, row }: Similarities,
  grid: PatchFeatures['grid'],
): (kept: readonly number[], seed: number) => Likeness {
  const known = new Map<string, Likeness>();
  const compute = (kept: readonly number[]): Likeness => {
    const map = new Float64Array(size);
    for (const patch of kept) {
      const similarities = row(patch);
      for (let j = 0; j < size; j++) map[j]! += similarities[j]!;
    }
    const positive = Uint8Array.from(map, (sum) => Number(sum > 0));
    return { map, positive, parts: components(positive, grid) };
  };
  return (kept, seed) => {
    const key = kept.join();
    const found = known.get(key) ?? compute(kept);
    known.set(key, found);
    if (found.positive[seed]) return found;
    const positive = found.positive.map((value, j) => (j === seed ? 1 : value));
    return { map: found.map, positive, parts: components(positive, grid) };
  };
}
