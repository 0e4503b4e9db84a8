/**
 * TokenCut: the object of a picture as one side of a normalised cut of its patches.
 *
 * Patches whose features have a cosine above tau = 0.2 are joined, and the second eigenvector v of the graph (`cut-graph.ts`) is cut
 * at its mean. The patch with the largest |v| is the seed, its side the foreground, and the 4-connected part of it around the
 * seed the object.
 *
 * Equal values are part of the method: patches with the same neighbours have the same entry of v, so several often share the
 * largest |v|. Here |v| >= (1 - 1e-9) max counts as equal and the lowest index is the seed; what the others would have given is told.
 * Where every patch is joined to every other there is nothing to cut, v is 0, and the picture is the object.
 *
 * Source: Wang et al., Self-Supervised Transformers for Unsupervised Object Discovery using Normalized Cut, CVPR 2022.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkOption, checkOptions } from '../errors';
import type { PatchFeatures } from '../features';
import { componentMask, components } from './components';
import { cutGraph, normalisedCut } from './cut-graph';
import { type Discovery, otherBoxes } from './discovery';
import { inverseLengths, type PatchProducts, productRow, productsOf } from './patch-products';

/** Options of `tokenCut`. */
export interface TokenCutOptions {
  /** Cosine above which patches are joined, below 1. Default 0.2. */
  readonly tau?: number;
  /** Weight between patches that are not joined, between 0 and 1. Default 1e-5. */
  readonly eps?: number;
  /** Joins patches by their cosine in place of 1; an ablation of the paper. Default false. */
  readonly weighted?: boolean;
  /** `patchProducts` of the same features, where they are there already. */
  readonly products?: PatchProducts;
}

const TOKEN_CUT_OPTIONS: OptionKinds<TokenCutOptions> = {
  tau: 'number',
  eps: 'number',
  weighted: 'boolean',
  products: 'object',
};

/** What `tokenCut` takes where nothing is said. */
export const TOKEN_CUT_DEFAULTS = { tau: 0.2, eps: 1e-5, weighted: false } as const;

/** |v| of this share of the largest counts as equal to it. */
const TIE = 1 - 1e-9;

/**
 * @param features of one picture
 * @returns `map` is the eigenvector, positive at the seed; `detail` has `lambda2`, `lambda3` (where there are three patches),
 *   `residual` and `iterations` of the solver, `edges` (pairs of patches that are joined, in both orders and each with itself)
 *   `foregroundCells` (patches on the seed's side, connected or not), and how near a decision was: `tauMargin` (of a cosine to tau)
 *   and `meanMargin` (of an entry to the mean, as a share of the largest)
 * @throws EvalsError `features` or `options`
 */
export function tokenCut(features: PatchFeatures, options: TokenCutOptions = {}): Discovery {
  checkOptions('tokenCut', options, TOKEN_CUT_OPTIONS);
  const defaults = TOKEN_CUT_DEFAULTS;
  const { tau = defaults.tau, eps = defaults.eps, weighted = defaults.weighted } = options;
  checkOption(tau < 1, `tokenCut: tau is ${tau}; a cosine must be able to lie above it`);
  checkOption(eps > 0 && eps < 1, `tokenCut: eps is ${eps}; it must lie between 0 and 1`);
  const products = productsOf('tokenCut', features, options.products);
  const graph = cutGraph(products, { tau, eps, weighted });
  const { vector, ...solved } = normalisedCut(graph);

  const largest = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const tiedSeeds = [...vector.keys()].filter((i) => Math.abs(vector[i]!) >= TIE * largest);
  const seed = tiedSeeds[0]!;
  const map = vector[seed]! < 0 ? vector.map((value) => -value) : vector;
  const { mean, sides, sideOf } = bipartition(map);
  const parts = sides.map((side) => components(side, features.grid));
  const grown = (from: number) => {
    const found = parts[sideOf(from)]!;
    return { found, label: found.labels[from]! };
  };
  const { found, label } = grown(seed);
  const cells = found.boxes[label]!;
  const inverse = inverseLengths(products);
  return {
    cells,
    seed,
    tiedSeeds,
    otherCells: otherBoxes(
      cells,
      tiedSeeds.map(grown).map((other) => other.found.boxes[other.label]!),
    ),
    foreground: componentMask(found, label),
    map,
    affinity: productRow(products, seed).map((product, j) => product * (inverse[seed]! * inverse[j]!)),
    detail: {
      ...solved,
      edges: graph.neighbours.length,
      foregroundCells: sides[sideOf(seed)]!.reduce((sum, value) => sum + value, 0),
      tauMargin: tauMargin(products, inverse, tau),
      meanMargin: map.reduce((least, value) => Math.min(least, Math.abs(value - mean)), largest) / (largest || 1),
    },
  };
}

/** How near the cosine of two patches comes to tau; less than the rounding of features, and an edge is theirs to decide. */
function tauMargin({ size, lower }: PatchProducts, inverse: Float64Array, tau: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0, at = 0; i < size; i++)
    for (let j = 0; j <= i; j++, at++)
      least = Math.min(least, Math.abs(lower[at]! * (inverse[i]! * inverse[j]!) - tau));
  return least;
}

/** The two sides of the mean of `v`, and on which of them a patch lies. */
function bipartition(v: Float64Array): {
  mean: number;
  sides: readonly Uint8Array[];
  sideOf: (patch: number) => number;
} {
  const mean = v.reduce((sum, value) => sum + value, 0) / v.length;
  const above = Uint8Array.from(v, (value) => Number(value > mean));
  return { mean, sides: [above.map((value) => 1 - value), above], sideOf: (patch) => above[patch]! };
}
