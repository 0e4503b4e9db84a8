/**
 * The graph of TokenCut and the eigenvector that cuts it in two.
 *
 * Patches are joined by weight w_ij = 1 where their cosine is above tau, else by a small eps; D = diag(sum_j w_ij). The
 * normalised cut relaxes to (D - W) v = lambda D v, and its second smallest eigenvalue is wanted: the smallest is 0, with v constant.
 * With u = D^1/2 v these are the largest eigenvalues mu = 1 - lambda of M = D^-1/2 W D^-1/2, the first of which (1, with
 * u = D^1/2 1) is known, so it is taken out exactly. W = eps + (weights of the edges - eps) is never written down:
 * a product with it sums over lists of neighbours.
 *
 * Patches with the same neighbours have the same row of M. Their sums run over the same list in the same order, and the
 * search starts inside the image of M, so their entries of v are equal bit by bit. Two patches that are not joined make
 * mu2 > 0 (the part of M that belongs to them is positive definite), so the image holds what is sought; where all are
 * joined there is nothing to cut, and v is 0.
 */
import { largestEigenpair, type SymmetricOperator } from '../numerics/lanczos';
import { random } from '../numerics/random';
import { inverseLengths, type PatchProducts } from './patch-products';

/** Lists of neighbours: those of patch i are `neighbours[starts[i]] .. neighbours[starts[i + 1] - 1]`, itself among them. */
export interface CutGraph {
  readonly size: number;
  readonly starts: Int32Array;
  readonly neighbours: Int32Array;
  /** Weight of each entry of `neighbours`; absent where all are 1. */
  readonly weights?: Float64Array;
  /** Weight between patches that are no neighbours. */
  readonly eps: number;
}

/** The second eigenvector of a graph. */
export interface Cut {
  /** v, `[size]`; 0 where the graph has nothing to cut. */
  readonly vector: Float64Array;
  readonly lambda2: number;
  /** Absent where the graph has less than three patches. */
  readonly lambda3?: number;
  /** |M u - mu u| at unit length. */
  readonly residual: number;
  /** Products with the graph. */
  readonly iterations: number;
}

/** Aimed-at residuals: of the vector, near what f64 gives; of the third eigenvalue, which is far more exact than that. */
const VECTOR_TOLERANCE = 1e-14;
const VALUE_TOLERANCE = 1e-9;
const MOST_PRODUCTS = 20_000;

/** Joins patches by their cosines: above `tau`, or with `weighted` not below it and by the cosine itself. */
export function cutGraph(
  products: PatchProducts,
  { tau, eps, weighted }: { readonly tau: number; readonly eps: number; readonly weighted: boolean },
): CutGraph {
  const { size, lower } = products;
  const inverse = inverseLengths(products);
  const starts = new Int32Array(size + 1);
  const cosines = new Float64Array(size);
  const joined = new Int32Array(size);
  const rows: Int32Array[] = [];
  const weights: Float64Array[] = [];
  for (let i = 0; i < size; i++) {
    let count = 0;
    for (let j = 0; j < size; j++) {
      const at = j <= i ? (i * (i + 1)) / 2 + j : (j * (j + 1)) / 2 + i;
      const cosine = lower[at]! * (inverse[i]! * inverse[j]!);
      if (!(weighted ? cosine >= tau : cosine > tau)) continue;
      cosines[count] = cosine;
      joined[count++] = j;
    }
    starts[i + 1] = starts[i]! + count;
    rows.push(joined.slice(0, count));
    if (weighted) weights.push(cosines.slice(0, count));
  }
  const neighbours = new Int32Array(starts[size]!);
  for (const [i, row] of rows.entries()) neighbours.set(row, starts[i]!);
  if (!weighted) return { size, starts, neighbours, eps };
  const values = new Float64Array(neighbours.length);
  for (const [i, row] of weights.entries()) values.set(row, starts[i]!);
  return { size, starts, neighbours, weights: values, eps };
}

/** Second eigenvector and third eigenvalue of the normalised cut. */
export function normalisedCut(graph: CutGraph): Cut {
  const { size } = graph;
  const ones = new Float64Array(size).fill(1);
  const degrees = new Float64Array(size);
  multiply(graph, ones, degrees);
  const root = degrees.map((degree) => 1 / Math.sqrt(degree));
  const operator = normalised(graph, root);
  const total = Math.sqrt(degrees.reduce((sum, degree) => sum + degree, 0));
  const first = degrees.map((degree) => Math.sqrt(degree) / total);
  const draws = random(0);
  const noise = (): Float64Array => first.map(() => draws.normal());

  const start = new Float64Array(size);
  operator.apply(noise(), start);
  const second = largestEigenpair(operator, start, {
    deflated: [first],
    tolerance: VECTOR_TOLERANCE,
    limit: MOST_PRODUCTS,
  });
  // Every patch is joined to every other: all eigenvalues but the first are mu = 0.
  if (!second)
    return { vector: new Float64Array(size), lambda2: 1, ...(size > 2 && { lambda3: 1 }), residual: 0, iterations: 1 };
  // A draw of its own: where mu2 occurs twice, the second vector took all that the first draw had of them.
  const third = largestEigenpair(operator, noise(), {
    deflated: [first, second.vector],
    tolerance: VALUE_TOLERANCE,
    limit: MOST_PRODUCTS,
  });
  return {
    vector: second.vector.map((value, i) => value * root[i]!),
    lambda2: 1 - second.value,
    ...(third && { lambda3: 1 - third.value }),
    residual: second.residual,
    iterations: second.iterations + (third?.iterations ?? 0),
  };
}

function normalised(graph: CutGraph, root: Float64Array): SymmetricOperator {
  const inner = new Float64Array(graph.size);
  return {
    size: graph.size,
    apply: (x, out) => {
      for (let i = 0; i < inner.length; i++) inner[i] = x[i]! * root[i]!;
      multiply(graph, inner, out);
      for (let i = 0; i < inner.length; i++) out[i]! *= root[i]!;
    },
  };
}

/** out = W x. */
function multiply({ size, starts, neighbours, weights, eps }: CutGraph, x: Float64Array, out: Float64Array): void {
  const everywhere = eps * x.reduce((sum, value) => sum + value, 0);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    if (weights) for (let t = starts[i]!; t < starts[i + 1]!; t++) sum += (weights[t]! - eps) * x[neighbours[t]!]!;
    else for (let t = starts[i]!; t < starts[i + 1]!; t++) sum += x[neighbours[t]!]!;
    out[i] = everywhere + (weights ? sum : (1 - eps) * sum);
  }
}
