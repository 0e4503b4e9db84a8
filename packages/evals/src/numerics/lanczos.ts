/**
 * The largest eigenvalue of a symmetric operator and its eigenvector, by products with vectors alone (Lanczos).
 *
 * From a start vector q the products q, Aq, A^2 q, ... span a space in which the ends of the spectrum appear first. An
 * orthonormal basis V of it is grown by one product a step; the small matrix H = V^T A V has the best approximations
 * (theta, V s) as its eigenpairs, and each has the residual |A x - theta x| = beta |s_last|, beta being the length of
 * what the last product has outside of V. When V is full it is replaced by its best few approximations and that last
 * direction (thick restart), so memory stays at some tens of vectors.
 *
 * Every new vector is orthogonalised twice against all of V, and against vectors that are known already (`deflated`), so
 * neither copies of found eigenvalues nor lost orthogonality occur. All of it is f64, and all updates are element by
 * element with common scalars: where the operator treats two places alike, their entries are equal bit by bit.
 *
 * Source: Wu and Simon, Thick-Restart Lanczos Method for Large Symmetric Eigenvalue Problems, 2000.
 */
import { symmetricEigen } from './symmetric-eigen';

/** A symmetric operator on vectors of `size`, of norm about 1. */
export interface SymmetricOperator {
  readonly size: number;
  /** Writes the product with `x` to `out`. */
  readonly apply: (x: Float64Array, out: Float64Array) => void;
}

export interface Eigenpair {
  readonly value: number;
  /** Of unit length. */
  readonly vector: Float64Array;
  /** |A x - value x|, computed with one more product. */
  readonly residual: number;
  /** Products with the operator. */
  readonly iterations: number;
}

/** How exactly, and for how long. */
export interface LanczosOptions {
  /** Vectors that the search stays orthogonal to, of unit length and orthogonal to each other. */
  readonly deflated: readonly Float64Array[];
  /** Residual at which the search ends. */
  readonly tolerance: number;
  /** Products after which it ends in any case; the residual says how far it came. */
  readonly limit: number;
}

/** Vectors of the basis, and those that a restart keeps. */
const BASIS = 36;
const KEPT = 12;
/** A direction this short relative to what it was taken from is rounding. */
const ROUNDING = 1e-13;

/**
 * The largest eigenvalue among vectors orthogonal to `deflated` that have a part along `start`.
 *
 * @returns undefined where nothing of `start` is left outside of `deflated`
 */
export function largestEigenpair(
  operator: SymmetricOperator,
  start: Float64Array,
  { deflated, tolerance, limit }: LanczosOptions,
): Eigenpair | undefined {
  const before = length(start);
  const first = Float64Array.from(start);
  orthogonalise(first, deflated);
  if (!(length(first) > ROUNDING * before)) return undefined;
  const dimension = Math.min(BASIS, operator.size - deflated.length);
  let basis = [scaled(first, 1 / length(first))];
  let projected = new Float64Array(BASIS * BASIS);
  for (let iterations = 1; ; iterations++) {
    const last = basis.length - 1;
    const next = new Float64Array(operator.size);
    operator.apply(basis[last]!, next);
    const along = orthogonalise(next, [...deflated, ...basis]).subarray(deflated.length);
    for (const [i, part] of along.entries()) {
      projected[last * BASIS + i] = part;
      projected[i * BASIS + last] = part;
    }
    const beta = length(next);
    const ended = beta <= ROUNDING || iterations >= limit;
    if (!ended && basis.length < dimension) {
      basis.push(scaled(next, 1 / beta));
      continue;
    }
    const { values, vectors } = symmetricEigen(leading(projected, basis.length), basis.length);
    const ritz = (i: number) => combination(basis, vectors.subarray(i * basis.length, (i + 1) * basis.length));
    if (ended || basis.length < BASIS || beta * Math.abs(vectors[last]!) <= tolerance)
      return finished(operator, values[0]!, ritz(0), iterations + 1);
    basis = [...Array.from({ length: KEPT }, (_, i) => ritz(i)), scaled(next, 1 / beta)];
    projected = new Float64Array(BASIS * BASIS);
    for (let i = 0; i < KEPT; i++) projected[i * BASIS + i] = values[i]!;
  }
}

function finished(operator: SymmetricOperator, value: number, x: Float64Array, iterations: number): Eigenpair {
  const vector = scaled(x, 1 / length(x));
  const product = new Float64Array(operator.size);
  operator.apply(vector, product);
  const residual = Math.sqrt(product.reduce((sum, each, i) => sum + (each - value * vector[i]!) ** 2, 0));
  return { value, vector, residual, iterations };
}

/** Takes the parts along `basis` out of `x`, twice against rounding, and returns them. */
function orthogonalise(x: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const along = new Float64Array(basis.length);
  for (let pass = 0; pass < 2; pass++) {
    for (const [i, vector] of basis.entries()) {
      let part = 0;
      for (let t = 0; t < x.length; t++) part += x[t]! * vector[t]!;
      for (let t = 0; t < x.length; t++) x[t]! -= part * vector[t]!;
      along[i]! += part;
    }
  }
  return along;
}

function combination(basis: readonly Float64Array[], weights: Float64Array): Float64Array {
  const sum = new Float64Array(basis[0]!.length);
  for (const [i, vector] of basis.entries()) {
    const weight = weights[i]!;
    for (let t = 0; t < sum.length; t++) sum[t]! += weight * vector[t]!;
  }
  return sum;
}

/** The first `size` rows and columns of a matrix with rows of `BASIS`. */
function leading(matrix: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => matrix[Math.floor(i / size) * BASIS + (i % size)]!);
}

function length(x: Float64Array): number {
  let squares = 0;
  for (let t = 0; t < x.length; t++) squares += x[t]! ** 2;
  return Math.sqrt(squares);
}

function scaled(x: Float64Array, factor: number): Float64Array {
  return x.map((value) => value * factor);
}
