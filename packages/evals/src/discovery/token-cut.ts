/**
 * TokenCut: the object is one side of a normalised cut of the graph of patches.
 *
 * Patches are joined where the cosine of their tokens exceeds tau:
 *
 *   W_ij = 1 if <f_i, f_j> / |f_i| |f_j| > tau, else eps;   (D - W) v = lambda D v
 *
 * The eigenvector of the second smallest lambda is cut at its mean. The patch with the largest |v| is the seed; its side of the cut is the
 * object's, of which the part connected with the seed is kept.
 *
 * As the graph is binary, patches with the same neighbours have the same entry of v: those within 1e-9 of the largest tie for the seed, and the
 * lowest index wins. Source: Wang et al. 2022, TokenCut.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkOption, checkOptions } from '../errors';
import type { PatchFeatures } from '../features';
import { type SparseGraph, secondEigenvector } from '../numerics/second-eigenvector';
import { componentAt } from './components';
import { checkPicture, type Discovery, otherBoxes } from './discovery';
import { type PatchProducts, patchProducts, productOf } from './patch-products';

export interface TokenCutOptions {
  /** Cosine above which two patches are joined; default 0.2. */
  readonly tau?: number;
  /** Weight of all other pairs; default 1e-5. */
  readonly eps?: number;
  /** Join patches by their cosine in place of 1; default false. */
  readonly weighted?: boolean;
}

const OPTIONS: OptionKinds<TokenCutOptions> = { tau: 'number', eps: 'number', weighted: 'boolean' };

/** Share of the largest |v| below which an entry ties with it. */
const TIE = 1e-9;

/**
 * The object of one picture.
 * @param products of its patches, where they are known already
 * @returns `detail`: lambda2, lambda3, residual, products (with the graph), edges (ordered pairs, a patch and itself included), foregroundCells
 * (of the whole side of the cut)
 * @throws EvalsError `features` or `options`
 */
export function tokenCut(
  features: PatchFeatures,
  options: TokenCutOptions = {},
  products: PatchProducts = patchProducts(checked(features)),
): Discovery {
  checkPicture('tokenCut', features);
  checkOptions('tokenCut', options, OPTIONS);
  const { tau = 0.2, eps = 1e-5, weighted = false } = options;
  checkOption(eps > 0, `tokenCut: eps is ${eps}; it must be positive, else parts of the graph fall apart`);
  const lengths = Float64Array.from({ length: products.size }, (_, i) => Math.sqrt(productOf(products, i, i)));
  const cosine = (i: number, j: number): number => productOf(products, i, j) / (lengths[i]! * lengths[j]!) || 0;
  const graph = joined(products.size, cosine, { tau, eps, weighted });
  const { vector, lambda2, lambda3, residual, products: multiplied } = secondEigenvector(graph);
  const mean = vector.reduce((sum, value) => sum + value, 0) / vector.length;
  const size = vector.map(Math.abs);
  const largest = size.reduce((a, b) => Math.max(a, b));
  const tiedSeeds = [...size.keys()].filter((i) => size[i]! >= (1 - TIE) * largest);
  const sideOf = (seed: number): Uint8Array => {
    const above = vector[seed]! > mean;
    return Uint8Array.from(vector, (value) => Number(value > mean === above));
  };
  const objectAt = (seed: number) => componentAt(sideOf(seed), features.grid, seed);
  const seed = tiedSeeds[0]!;
  const { mask, cells } = objectAt(seed);
  const sign = vector[seed]! > mean ? 1 : -1;
  return {
    cells,
    seed,
    tiedSeeds,
    otherCells: otherBoxes(
      cells,
      tiedSeeds.slice(1).map((other) => objectAt(other).cells),
    ),
    foreground: mask,
    map: vector.map((value) => sign * value),
    affinity: Float64Array.from({ length: vector.length }, (_, i) => cosine(seed, i)),
    detail: {
      lambda2,
      lambda3,
      residual,
      products: multiplied,
      edges: graph.neighbours.length,
      foregroundCells: sideOf(seed).reduce((sum, value) => sum + value, 0),
    },
  };
}

function checked(features: PatchFeatures): PatchFeatures {
  checkPicture('tokenCut', features);
  return features;
}

/** The graph of patches. */
function joined(
  size: number,
  cosine: (i: number, j: number) => number,
  { tau, eps, weighted }: Required<TokenCutOptions>,
): SparseGraph {
  const starts = new Uint32Array(size + 1);
  let room = new Uint32Array(16 * size);
  let count = 0;
  const values: number[] = [];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const value = cosine(i, j);
      if (!(value > tau)) continue;
      if (count === room.length) {
        const larger = new Uint32Array(2 * count);
        larger.set(room);
        room = larger;
      }
      room[count++] = j;
      if (weighted) values.push(value);
    }
    starts[i + 1] = count;
  }
  const neighbours = room.subarray(0, count);
  return { size, background: eps, starts, neighbours, ...(weighted && { values: Float64Array.from(values) }) };
}
