import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { symmetricEigen } from '../numerics/symmetric-eigen';
import { type CutGraph, normalisedCut } from './cut-graph';

/** A graph of the pairs (i, j) with `isEdge`, every patch its own neighbour. */
function graphOf(size: number, isEdge: (i: number, j: number) => boolean, eps = 1e-5): CutGraph {
  const rows = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => j).filter((j) => i === j || isEdge(Math.min(i, j), Math.max(i, j))),
  );
  const starts = new Int32Array(size + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i]! + row.length;
  });
  return { size, eps, starts, neighbours: Int32Array.from(rows.flat()) };
}

/** All lambda by a dense decomposition, ascending. */
function denseLambdas({ size, eps, starts, neighbours }: CutGraph): Float64Array {
  const weights = new Float64Array(size * size).fill(eps);
  for (let i = 0; i < size; i++)
    for (let at = starts[i]!; at < starts[i + 1]!; at++) weights[i * size + neighbours[at]!] = 1;
  const degrees = Array.from({ length: size }, (_, i) =>
    weights.subarray(i * size, (i + 1) * size).reduce((sum, value) => sum + value, 0),
  );
  const scaled = weights.map((w, at) => w / Math.sqrt(degrees[Math.floor(at / size)]! * degrees[at % size]!));
  return symmetricEigen(scaled, size).values.map((value) => 1 - value);
}

const drawn = (share: number, seed: number) => {
  const draws = random(seed);
  const known = new Map<string, boolean>();
  return (i: number, j: number): boolean => {
    const key = `${i} ${j}`;
    const edge = known.get(key) ?? draws.uniform() < share;
    known.set(key, edge);
    return edge;
  };
};

test.each([
  ['few edges', graphOf(90, drawn(0.05, 1))],
  ['many edges', graphOf(120, drawn(0.6, 2))],
  ['two blocks that share little', graphOf(80, (i, j) => i < 30 === j < 30 || (i + j) % 17 === 0)],
  ['three parts without an edge between them', graphOf(60, (i, j) => i % 3 === j % 3)],
  ['one patch apart', graphOf(50, (i) => i > 0)],
  ['all alike', graphOf(20, () => true)],
  ['no edge', graphOf(20, () => false)],
  ['a ring, whose values occur twice', graphOf(64, (i, j) => j - i === 1 || j - i === 63)],
  ['two rows', graphOf(2, () => false)],
  ['three rows', graphOf(3, (i) => i === 0)],
])('%s: as a dense decomposition', (_, graph) => {
  const { vector, lambda2, lambda3, residual } = normalisedCut(graph);
  const expected = denseLambdas(graph);
  expect(lambda2).toBeCloseTo(expected[1]!, 11);
  if (graph.size > 2) expect(lambda3!).toBeCloseTo(expected[2]!, 8);
  expect(residual).toBeLessThan(1e-12);
  if (lambda2 < 1) expect(Math.max(...vector.map(Math.abs))).toBeGreaterThan(0);
});

test('the vector tells blocks apart, and patches with the same neighbours have the same bits', () => {
  const { vector } = normalisedCut(graphOf(40, (i, j) => i < 12 === j < 12 || (i === 11 && j === 30)));
  expect(new Set(vector.subarray(0, 11)).size).toBe(1);
  expect(new Set([...vector.subarray(12, 30), ...vector.subarray(31)]).size).toBe(1);
  expect(Math.sign(vector[0]!)).toBe(-Math.sign(vector[20]!));
});

test('a value that occurs twice leaves no gap', () => {
  const { lambda2, lambda3 } = normalisedCut(graphOf(45, (i, j) => i % 3 === j % 3));
  expect(Math.abs(lambda3! - lambda2)).toBeLessThan(1e-9);
});
