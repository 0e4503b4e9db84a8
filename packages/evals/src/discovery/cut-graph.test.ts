import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { type CutGraph, cutGraph, normalisedCut } from './cut-graph';
import { patchProducts } from './patch-products';

/** A graph of the pairs (i < j) with `isEdge`, every patch its own neighbour. */
function graphOf(size: number, isEdge: (i: number, j: number) => boolean, eps = 1e-5): CutGraph {
  const edges = new Set<string>();
  for (let j = 0; j < size; j++) for (let i = 0; i < j; i++) if (isEdge(i, j)) edges.add(`${i} ${j}`);
  const rows = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => j).filter(
      (j) => i === j || edges.has(`${Math.min(i, j)} ${Math.max(i, j)}`),
    ),
  );
  const starts = new Int32Array(size + 1);
  for (const [i, row] of rows.entries()) starts[i + 1] = starts[i]! + row.length;
  return { size, eps, starts, neighbours: Int32Array.from(rows.flat()) };
}

function dense({ size, eps, starts, neighbours, weights }: CutGraph): { W: Float64Array; degrees: number[] } {
  const W = new Float64Array(size * size).fill(eps);
  for (let i = 0; i < size; i++)
    for (let t = starts[i]!; t < starts[i + 1]!; t++) W[i * size + neighbours[t]!] = weights?.[t] ?? 1;
  const degrees = Array.from({ length: size }, (_, i) =>
    W.subarray(i * size, (i + 1) * size).reduce((sum, w) => sum + w, 0),
  );
  return { W, degrees };
}

/** All lambda by a dense decomposition, ascending, and the second v. */
function denseCut(graph: CutGraph): { lambdas: Float64Array; vector: Float64Array } {
  const { size } = graph;
  const { W, degrees } = dense(graph);
  const M = W.map((w, at) => w / Math.sqrt(degrees[Math.floor(at / size)]! * degrees[at % size]!));
  const { values, vectors } = symmetricEigen(M, size);
  const second = vectors.subarray(size, 2 * size).map((value, i) => value / Math.sqrt(degrees[i]!));
  return { lambdas: values.map((value) => 1 - value), vector: second };
}

const drawn = (share: number, seed: number) => {
  const draws = random(seed);
  return () => draws.uniform() < share;
};
const blocks = (size: number, first: number) => (i: number, j: number) => i < first === j < first && j < size;

test.each([
  ['few edges', graphOf(90, drawn(0.05, 1))],
  ['many edges', graphOf(120, drawn(0.6, 2))],
  ['a large eps', graphOf(60, drawn(0.3, 3), 0.4)],
  ['two blocks that share little', graphOf(80, (i, j) => i < 30 === j < 30 || (i + j) % 17 === 0)],
  ['three parts without an edge between them', graphOf(60, (i, j) => i % 3 === j % 3)],
  ['one patch apart', graphOf(50, (i) => i > 0)],
  ['one edge missing', graphOf(40, (i, j) => i !== 3 || j !== 7)],
  ['all alike', graphOf(20, () => true)],
  ['no edge', graphOf(20, () => false)],
  ['a ring, whose values occur twice', graphOf(64, (i, j) => j - i === 1 || j - i === 63)],
  ['two patches', graphOf(2, () => false)],
  ['two that are joined', graphOf(2, () => true)],
  ['three patches', graphOf(3, (i) => i === 0)],
])('%s: values and residual as of a dense decomposition', (_, graph) => {
  const { lambda2, lambda3, residual, vector } = normalisedCut(graph);
  const { lambdas, vector: expected } = denseCut(graph);
  expect(lambda2).toBeCloseTo(lambdas[1]!, 12);
  if (graph.size > 2) expect(lambda3).toBeCloseTo(lambdas[2]!, 12);
  else expect(lambda3).toBeUndefined();
  expect(residual).toBeLessThan(1e-13);
  if (graph.size < 3 || lambdas[2]! - lambdas[1]! < 1e-6) return;
  const peak = expected.reduce((at, value, i) => (Math.abs(value) > Math.abs(expected[at]!) ? i : at), 0);
  const scale = vector[peak]! / expected[peak]!;
  for (const [i, value] of expected.entries()) expect(vector[i]! / scale).toBeCloseTo(value, 10);
});

test('two blocks have the value of their closed form', () => {
  // Blocks of a and b patches, joined within, eps between: 1 - lambda is (a / da + b / db) - 1 with da = a + eps b, db = b + eps a.
  const [a, b, eps] = [12, 30, 1e-3];
  const { lambda2, lambda3, vector } = normalisedCut(graphOf(a + b, blocks(a + b, a), eps));
  expect(lambda2).toBeCloseTo(2 - a / (a + eps * b) - b / (b + eps * a), 14);
  expect(lambda3).toBeCloseTo(1, 12);
  expect(Math.sign(vector[0]!)).toBe(-Math.sign(vector[a]!));
});

test('patches with the same neighbours have the same bits', () => {
  const isEdge = drawn(0.4, 7);
  const apart = Array.from({ length: 30 * 30 }, isEdge);
  // Thirty kinds of patches in no order, six of each: whether two are joined depends on their kinds alone.
  const kind = (i: number) => (i * 37) % 30;
  const graph = graphOf(180, (i, j) => {
    const [a, b] = [Math.min(kind(i), kind(j)), Math.max(kind(i), kind(j))];
    return a === b || apart[30 * a + b]!;
  });
  const { vector, iterations } = normalisedCut(graph);
  expect(iterations).toBeGreaterThan(20);
  for (let i = 0; i < 180; i++) expect(vector[i]).toBe(vector.find((_, j) => kind(j) === kind(i)));
  expect(new Set(vector).size).toBe(30);
});

test('a value that occurs twice leaves no gap, a near one a small gap', () => {
  const { lambda2, lambda3 } = normalisedCut(graphOf(45, (i, j) => i % 3 === j % 3));
  expect(lambda3! - lambda2).toBeCloseTo(0, 12);
  const near = graphOf(46, (i, j) => i % 3 === j % 3);
  const { lambdas } = denseCut(near);
  const cut = normalisedCut(near);
  expect(cut.lambda3! - cut.lambda2).toBeCloseTo(lambdas[2]! - lambdas[1]!, 12);
  expect(cut.lambda3!).toBeGreaterThan(cut.lambda2);
});

test('where all patches are joined, or there is one, there is nothing to cut', () => {
  expect(normalisedCut(graphOf(20, () => true)).vector).toEqual(new Float64Array(20));
  const { lambda3, ...alone } = normalisedCut(graphOf(1, () => true));
  expect(alone).toEqual({ vector: new Float64Array(1), lambda2: 1, residual: 0, iterations: 1 });
});

test('the graph of features: cosines above tau, or not below it by their value', () => {
  const draws = random(11);
  const patches = Float32Array.from({ length: 30 * 4 }, () => draws.normal());
  patches.fill(0, 8, 12);
  const products = patchProducts({ dim: 4, grid: [5, 6], patches });
  const row = (i: number) => patches.subarray(4 * i, 4 * i + 4);
  const dot = (i: number, j: number) => row(i).reduce((sum, value, d) => sum + value * row(j)[d]!, 0);
  const cosine = (i: number, j: number) => dot(i, j) / Math.sqrt(dot(i, i) * dot(j, j)) || 0;
  for (const weighted of [false, true]) {
    const { W } = dense(cutGraph(products, { tau: 0.3, eps: 1e-5, weighted }));
    for (let at = 0; at < W.length; at++) {
      const value = cosine(Math.floor(at / 30), at % 30);
      expect(W[at]).toBeCloseTo(value > 0.3 ? (weighted ? value : 1) : 1e-5, 12);
    }
  }
  const graph = cutGraph(products, { tau: 0.3, eps: 1e-5, weighted: true });
  const { lambda2, lambda3 } = normalisedCut(graph);
  expect([lambda2, lambda3!]).toEqual(
    [...denseCut(graph).lambdas.subarray(1, 3)].map((value) => expect.closeTo(value, 12)),
  );
});
