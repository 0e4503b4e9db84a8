/**
 * The second eigenvector of a normalised graph cut, matrix-free.
 *
 * For a symmetric W with row sums D, (D - W) v = lambda D v has the same solutions as M u = (1 - lambda) u with
 * M = D^-1/2 W D^-1/2 and v = D^-1/2 u. The largest eigenvalue of M is 1, its vector D^1/2 1 is known and deflated exactly; what is looked for
 * is the next one. A Lanczos basis with full reorthogonalisation grows to a fixed size, then restarts from its best Ritz vectors
 * (thick restart, Wu and Simon 2000), all in f64; W itself is seen only through products with vectors.
 *
 * Rows of W that are equal get bitwise equal entries: every vector of the basis begins as a product with M, whose sums run over such rows in
 * one order, and is then only scaled and added. The third eigenvalue comes from a run of its own with the second vector deflated too, so that
 * one that occurs twice is seen to.
 */
import { EvalsError } from '../errors';
import { random } from './random';
import { symmetricEigen } from './symmetric-eigen';

/** W = `background` everywhere, but for the listed neighbours of each row, ascending, where it is 1 or the value given. */
export interface SparseGraph {
  readonly size: number;
  readonly background: number;
  /** Neighbours of row i are `neighbours[starts[i] .. starts[i + 1])`. */
  readonly starts: Uint32Array;
  readonly neighbours: Uint32Array;
  /** One for each neighbour; absent: all 1. */
  readonly values?: Float64Array;
}

export interface SecondEigenvector {
  /** v [size], of unit D-norm; its sign is arbitrary. */
  readonly vector: Float64Array;
  /** The second and the third smallest lambda; the third is NaN where there are two rows only. */
  readonly lambda2: number;
  readonly lambda3: number;
  /** |M u - (1 - lambda2) u| for the unit vector u. */
  readonly residual: number;
  /** Products with W. */
  readonly products: number;
}

const BASIS = 40;
const KEPT = 12;
const MAX_RESTARTS = 500;
const TOLERANCE = 1e-13;
const TOLERANCE_OF_THIRD = 1e-9;

/** @throws EvalsError `features` for fewer than two rows, or where the iteration does not converge */
export function secondEigenvector(graph: SparseGraph): SecondEigenvector {
  const { size } = graph;
  if (size < 2) throw new EvalsError('features', `a graph of ${size} patches has no second eigenvector`);
  const { multiply, roots } = normalised(graph);
  const first = unit(Float64Array.from(roots, (root) => 1 / root));
  const second = largest(multiply, [first], TOLERANCE);
  const third = size > 2 ? largest(multiply, [first, second.vector], TOLERANCE_OF_THIRD) : undefined;
  return {
    vector: second.vector.map((value, i) => value * roots[i]!),
    lambda2: 1 - second.value,
    lambda3: third ? 1 - third.value : Number.NaN,
    residual: second.residual,
    products: second.products + (third?.products ?? 0),
  };
}

type Multiply = (x: Float64Array) => Float64Array;

/** Products with M, and D^-1/2. */
function normalised({ size, background, starts, neighbours, values }: SparseGraph): {
  multiply: Multiply;
  roots: Float64Array;
} {
  const scaled = new Float64Array(size);
  /** W x. */
  const weigh: Multiply = (x) => {
    const all = background * x.reduce((sum, value) => sum + value, 0);
    const y = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let at = starts[i]!; at < starts[i + 1]!; at++) {
        const weight = (values ? values[at]! : 1) - background;
        sum += weight * x[neighbours[at]!]!;
      }
      y[i] = all + sum;
    }
    return y;
  };
  const roots = weigh(new Float64Array(size).fill(1)).map((degree) => 1 / Math.sqrt(degree));
  const multiply: Multiply = (x) => {
    for (let i = 0; i < size; i++) scaled[i] = roots[i]! * x[i]!;
    return weigh(scaled).map((value, i) => value * roots[i]!);
  };
  return { multiply, roots };
}

interface Eigenpair {
  readonly value: number;
  readonly vector: Float64Array;
  readonly residual: number;
  readonly products: number;
}

/** The largest eigenvalue of M on the complement of the unit vectors `deflated`. */
function largest(multiply: Multiply, deflated: readonly Float64Array[], tolerance: number): Eigenpair {
  const draws = random(1);
  const drawn = (size: number): Float64Array => Float64Array.from({ length: size }, draws.normal);
  // differences of equal rows are no product with M: their eigenvalue is 0
  const products = lanczos(multiply, deflated, tolerance, (size) => multiply(drawn(size)));
  return products && products.value >= 0 ? products : lanczos(multiply, deflated, tolerance, drawn)!;
}

/** The same from vectors of `draw`; undefined where none of them has a part in that complement. */
function lanczos(
  multiply: Multiply,
  deflated: readonly Float64Array[],
  tolerance: number,
  draw: (size: number) => Float64Array,
): Eigenpair | undefined {
  const size = deflated[0]!.length;
  let basis: Float64Array[] = [];
  let projected: number[][] = [];
  let products = 0;
  let next = orthonormal(draw(size), deflated);
  if (!next) return undefined;
  for (let restart = 0; restart < MAX_RESTARTS; restart++) {
    while (next && basis.length < BASIS) {
      basis.push(next);
      const product = multiply(next);
      products++;
      projected = bordered(
        projected,
        basis.map((vector) => dot(vector, product)),
      );
      next = orthonormal(product, [...deflated, ...basis]) ?? orthonormal(draw(size), [...deflated, ...basis]);
    }
    const m = basis.length;
    const { values, vectors } = symmetricEigen(Float64Array.from(projected.flat()), m);
    const ritz = (k: number): Float64Array => combined(basis, vectors.subarray(k * m, (k + 1) * m));
    const vector = ritz(0);
    const residual = norm(multiply(vector).map((value, i) => value - values[0]! * vector[i]!));
    products++;
    if (residual <= tolerance || !next) return { value: values[0]!, vector, residual, products };
    const kept = Math.min(KEPT, m - 1);
    basis = Array.from({ length: kept }, (_, k) => ritz(k));
    projected = basis.map((_, i) => basis.map((_, j) => (i === j ? values[i]! : 0)));
  }
  throw new EvalsError('features', `no second eigenvector of ${size} patches in ${products} products with their graph`);
}

/** A symmetric matrix with one more row and column. */
const bordered = (matrix: readonly (readonly number[])[], border: readonly number[]): number[][] => [
  ...matrix.map((row, i) => [...row, border[i]!]),
  [...border],
];

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

function unit(a: Float64Array): Float64Array {
  const length = norm(a);
  return a.map((value) => value / length);
}

/** Share of a vector's length below which what is left of it is rounding. */
const NOTHING = 1e-10;

/** The part of `a` orthogonal to unit vectors, at unit length; undefined where nothing is left of it. */
function orthonormal(a: Float64Array, others: readonly Float64Array[]): Float64Array | undefined {
  const length = norm(a);
  const rest = a.slice();
  for (let pass = 0; pass < 2; pass++)
    for (const other of others) {
      const along = dot(rest, other);
      for (let i = 0; i < rest.length; i++) rest[i] = rest[i]! - along * other[i]!;
    }
  return norm(rest) > NOTHING * length ? unit(rest) : undefined;
}

function combined(basis: readonly Float64Array[], weights: Float64Array): Float64Array {
  const sum = new Float64Array(basis[0]!.length);
  for (const [k, vector] of basis.entries())
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weights[k]! * vector[i]!;
  return sum;
}
