import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { type LostOptions, lost } from './lost';
import { patchProducts } from './patch-products';

/** Drawn features: a background that resembles itself, a square that does not resemble it. */
function drawn(seed: number) {
  const [rows, columns, dim] = [7, 9, 5];
  const draws = random(seed);
  const patches = Float32Array.from({ length: rows * columns * dim }, (_, i) => {
    const [cell, d] = [Math.floor(i / dim), i % dim];
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const object = row > 1 && row < 5 && column > 2 && column < 7;
    return (d === Number(object) ? 0.8 : -0.2) + 0.6 * draws.normal();
  });
  return { dim, grid: [rows, columns], patches } as const;
}

/** The method with nothing saved: full matrix, sums, flood fill by repetition. */
function plain(
  { dim, grid: [rows, columns], patches }: ReturnType<typeof drawn>,
  { k = 100, normalise = false, bias = 0 }: LostOptions,
) {
  const n = rows * columns;
  const dot = (i: number, j: number) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += patches[i * dim + d]! * patches[j * dim + d]!;
    return sum;
  };
  const A = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => dot(i, j) / (normalise ? Math.sqrt(dot(i, i) * dot(j, j)) : 1) - bias),
  );
  const degrees = A.map((row, i) => row.filter((value, j) => j !== i && value > 0).length);
  const order = [...degrees.keys()].sort((a, b) => degrees[a]! - degrees[b]! || a - b);
  const seed = order[0]!;
  const kept = order.slice(0, k).filter((c) => A[seed]![c]! > 0);
  const sums = A[0]!.map((_, j) => kept.reduce((sum, c) => sum + A[c]![j]!, 0));
  const reached = new Set([seed]);
  for (let size = 0; size < reached.size; ) {
    size = reached.size;
    for (let cell = 0; cell < n; cell++) {
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      const beside = [
        row > 0 && cell - columns,
        row < rows - 1 && cell + columns,
        column > 0 && cell - 1,
        column < columns - 1 && cell + 1,
      ];
      if (sums[cell]! > 0 && beside.some((each) => each !== false && reached.has(each))) reached.add(cell);
    }
  }
  const [ys, xs] = [[...reached].map((cell) => Math.floor(cell / columns)), [...reached].map((cell) => cell % columns)];
  const cells = [Math.min(...ys), Math.min(...xs), Math.max(...ys) + 1, Math.max(...xs) + 1];
  return { seed, degree: degrees[seed]!, kept: kept.length, cells, sums, reached, affinity: A[seed]! };
}

const cases = [{}, { k: 9 }, { k: 1 }, { normalise: true }, { normalise: true, bias: 0.2 }, { bias: 0.1, k: 20 }];
test.each(cases.flatMap((options) => [1, 2, 3].map((seed) => ({ seed, ...options }))))(
  'as a plain computation: %o',
  ({ seed, ...options }) => {
    const features = drawn(seed);
    const expected = plain(features, options);
    const found = lost(features, options);
    expect(found.seed).toBe(expected.seed);
    expect(found.cells).toEqual(expected.cells);
    expect(found.detail).toMatchObject({
      degree: expected.degree,
      kept: expected.kept,
      foregroundCells: expected.sums.filter((sum) => sum > 0).length,
    });
    expect([...found.foreground.keys()].filter((i) => found.foreground[i])).toEqual(
      [...expected.reached].sort((a, b) => a - b),
    );
    for (const [i, sum] of expected.sums.entries()) expect(found.map[i]).toBeCloseTo(sum, 10);
    for (const [i, value] of expected.affinity.entries()) expect(found.affinity[i]).toBeCloseTo(value, 12);
    expect(lost(features, { ...options, products: patchProducts(features) })).toEqual(found);
  },
);

/** Rows of +1 and -1 per patch. */
const features = (grid: readonly [number, number], rows: readonly (readonly number[])[]) => ({
  dim: rows[0]!.length,
  grid,
  patches: Float32Array.from(rows.flat()),
});

test('two objects of one degree: the first patch is the seed, the other object another box', () => {
  const [a, b, c] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const found = lost(features([2, 5], [a!, c!, c!, c!, b!, a!, c!, c!, c!, b!]));
  expect(found.seed).toBe(0);
  expect(found.tiedSeeds).toEqual([0, 4, 5, 9]);
  expect(found.cells).toEqual([0, 0, 2, 1]);
  expect(found.otherCells).toEqual([[0, 4, 2, 5]]);
  expect(found.detail).toEqual({ degree: 1, kept: 2, cutMatters: 0, foregroundCells: 2 });
});

test('place k among equal degrees: the opposite order keeps another patch, and says where that matters', () => {
  // The seed resembles 1 and 5, both of degree 3, and k = 2 keeps one of them; 1 resembles 2 as well, 5 resembles 4.
  const rows = [
    [1, 0, 0, 0],
    [1, 1, 0, 0],
    [0, 1, 0, 1],
    [0, 0, 0, 1],
    [0, 0, 1, 1],
    [1, 0, 1, 0],
    [0, 0, 0, 1],
    [0, 0, 0, 1],
  ];
  const found = lost(features([1, 8], rows), { k: 2 });
  expect(found).toMatchObject({ seed: 0, tiedSeeds: [0], cells: [0, 0, 1, 3], otherCells: [[0, 0, 1, 2]] });
  expect(found.detail).toMatchObject({ degree: 2, kept: 2, cutMatters: 1 });
  const all = lost(features([1, 8], rows));
  expect(all).toMatchObject({ cells: [0, 0, 1, 3], otherCells: [], detail: { kept: 3, cutMatters: 0 } });
});

test('where every patch resembles every other, all tie and the picture is the box', () => {
  const found = lost({ dim: 2, grid: [20, 30], patches: new Float32Array(1200).fill(1) });
  expect(found).toMatchObject({ seed: 0, cells: [0, 0, 20, 30], otherCells: [] });
  expect(found.tiedSeeds).toHaveLength(600);
  expect(found.detail).toMatchObject({ degree: 599, kept: 100 });
});

test('the seed is its own object where a bias or a zero feature takes its similarity to itself', () => {
  const zero = lost(
    features(
      [1, 3],
      [
        [0, 0],
        [1, 0],
        [1, 0],
      ],
    ),
  );
  expect(zero).toMatchObject({ seed: 0, cells: [0, 0, 1, 1], detail: { degree: 0, kept: 1 } });
  const biased = lost(
    features(
      [1, 3],
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    ),
    { normalise: true, bias: 2 },
  );
  expect(biased).toMatchObject({
    seed: 0,
    cells: [0, 0, 1, 1],
    otherCells: [
      [0, 1, 1, 2],
      [0, 2, 1, 3],
    ],
  });
});
