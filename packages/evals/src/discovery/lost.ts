/**
 * LOST: the object grows from the patch that is like the fewest others.
 *
 * With A_ij = <f_i, f_j>, not normalised, the degree of a patch is the number of others with A_ij > 0. Objects are smaller than what is around them, so
 * the patch of lowest degree is the seed. Of the `k` patches of lowest degree those with A[seed, c] > 0 are like it; a patch i belongs to the object where
 *
 *   M_i = sum over these c of A[c, i] > 0,
 *
 * and the part connected with the seed is kept. Degrees are whole numbers and tie: the order is by degree, then by index.
 *
 * Features other than those of DINO need more: `normalise` takes cosines, and `bias` is subtracted from A before it is asked for its sign (Darcet et al.
 * 2024 sweep it). Source: Simeoni et al. 2021, LOST.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkOption, checkOptions } from '../errors';
import type { PatchFeatures } from '../features';
import { componentAt } from './components';
import { type Cells, checkPicture, type Discovery, otherBoxes } from './discovery';
import { type PatchProducts, patchProducts, productOf } from './patch-products';

export interface LostOptions {
  /** Patches of lowest degree that may be like the seed; default 100. */
  readonly k?: number;
  /** Take cosines in place of products; default false. */
  readonly normalise?: boolean;
  /** Subtracted from every similarity; default 0. */
  readonly bias?: number;
}

const OPTIONS: OptionKinds<LostOptions> = { k: 'number', normalise: 'boolean', bias: 'number' };

/**
 * The object of one picture.
 * @param products of its patches, where they are known already
 * @returns `detail`: degree (of the seed), kept (patches that are like it), cutMatters (1 where the opposite order of ties at place k gives another box),
 * foregroundCells (before the part connected with the seed is taken)
 * @throws EvalsError `features` or `options`
 */
export function lost(
  features: PatchFeatures,
  options: LostOptions = {},
  products: PatchProducts = patchProducts(checked(features)),
): Discovery {
  checkPicture('lost', features);
  checkOptions('lost', options, OPTIONS);
  const { k = 100, normalise = false, bias = 0 } = options;
  checkOption(Number.isInteger(k) && k >= 1, `lost: k is ${k}; it must be a positive integer`);
  const { size } = products;
  const lengths = Float64Array.from({ length: size }, (_, i) => Math.sqrt(productOf(products, i, i)));
  const similarity = (i: number, j: number): number =>
    (normalise ? productOf(products, i, j) / (lengths[i]! * lengths[j]!) || 0 : productOf(products, i, j)) - bias;

  const degrees = new Int32Array(size);
  for (let i = 1; i < size; i++)
    for (let j = 0; j < i; j++)
      if (similarity(i, j) > 0) {
        degrees[i]!++;
        degrees[j]!++;
      }
  const orders = [1, -1].map((direction) =>
    Array.from(degrees.keys()).sort((a, b) => degrees[a]! - degrees[b]! || direction * (a - b)),
  );
  const grow = (seed: number, order: readonly number[]) => {
    const kept = order.slice(0, k).filter((c) => c === seed || similarity(seed, c) > 0);
    const map = Float64Array.from({ length: size }, (_, i) => kept.reduce((sum, c) => sum + similarity(c, i), 0));
    // the seed is its own object where its own similarity is not positive
    const side = Uint8Array.from(map, (value, i) => Number(value > 0 || i === seed));
    return { kept: kept.length, map, side, ...componentAt(side, features.grid, seed) };
  };
  const [order, opposite] = orders as [number[], number[]];
  const seed = order[0]!;
  const tiedSeeds = order.filter((i) => degrees[i] === degrees[seed]);
  const object = grow(seed, order);
  const cutTies = degrees[order[k - 1] ?? -1] === degrees[order[k] ?? -1] && k < size;
  const ordersThatDiffer = cutTies ? [order, opposite] : [order];
  const others = tiedSeeds.flatMap((other) => ordersThatDiffer.map((each): Cells => grow(other, each).cells));
  return {
    cells: object.cells,
    seed,
    tiedSeeds,
    otherCells: otherBoxes(object.cells, others),
    foreground: object.mask,
    map: object.map,
    affinity: Float64Array.from({ length: size }, (_, i) => similarity(seed, i)),
    detail: {
      degree: degrees[seed]!,
      kept: object.kept,
      cutMatters: Number(cutTies && grow(seed, opposite).cells.join() !== object.cells.join()),
      foregroundCells: object.side.reduce((sum, value) => sum + value, 0),
    },
  };
}

function checked(features: PatchFeatures): PatchFeatures {
  checkPicture('lost', features);
  return features;
}
