import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { patchProducts } from './patch-products';
import { tokenCut } from './token-cut';

/** Features [1, 0, 0] for `.`, [0, 1, 0] for `#` and [0, 0, 1] for `o`, with noise in five more dimensions. */
function picture(rows: readonly string[], noise = 0) {
  const draws = random(1);
  const cells = [...rows.join('')];
  const dim = 8;
  const patches = new Float32Array(cells.length * dim);
  for (const [i, cell] of cells.entries()) {
    patches[i * dim + ['.', '#', 'o'].indexOf(cell)] = 1;
    for (let d = 3; d < dim; d++) patches[i * dim + d] = noise * draws.normal();
  }
  return { dim, grid: [rows.length, rows[0]!.length], patches } as const;
}

const SQUARE = ['.......', '..###..', '..###..', '.......', '.......'];

test('the smaller of two alike groups is the object; its patches tie, and all give its box', () => {
  const found = tokenCut(picture(SQUARE));
  expect(found.cells).toEqual([1, 2, 3, 5]);
  expect(found.seed).toBe(9);
  expect(found.tiedSeeds).toEqual([9, 10, 11, 16, 17, 18]);
  expect(found.otherCells).toEqual([]);
  expect(found.foreground.reduce((sum, value) => sum + value, 0)).toBe(6);
  expect(found.map[9]).toBeGreaterThan(0);
  expect(found.map[0]).toBeLessThan(0);
  expect([found.affinity[10], found.affinity[0]]).toEqual([1, 0]);
  expect(found.detail).toMatchObject({ edges: 6 * 6 + 29 * 29, foregroundCells: 6 });
  // eps joins the groups: closed form of two blocks.
  const [a, b, eps] = [6, 29, 1e-5];
  expect(found.detail.lambda2).toBeCloseTo(2 - a / (a + eps * b) - b / (b + eps * a), 14);
  expect(found.detail.residual).toBeLessThan(1e-14);
  // Cosines are 0 and 1, and v has two values, whose mean lies 1 - (mean / largest) from that of the object.
  expect(found.detail.tauMargin).toBeCloseTo(0.2, 15);
  const mean = found.map.reduce((sum, value) => sum + value, 0) / 35;
  const margins = [found.map[0]!, found.map[9]!].map((value) => Math.abs(value - mean) / found.map[9]!);
  expect(found.detail.meanMargin).toBeCloseTo(Math.min(...margins), 14);
});

test('noise changes neither box nor side', () => {
  const { cells, detail } = tokenCut(picture(SQUARE, 0.05));
  expect(cells).toEqual([1, 2, 3, 5]);
  expect(detail.foregroundCells).toBe(6);
});

test('of two apart parts of one group the first is the rule, the other another box', () => {
  const found = tokenCut(picture(['##.....', '##.....', '.......', '....###', '....###']));
  expect(found.cells).toEqual([0, 0, 2, 2]);
  expect(found.otherCells).toEqual([[3, 4, 5, 7]]);
  expect(found.detail.foregroundCells).toBe(10);
  expect(found.tiedSeeds).toHaveLength(10);
});

test('tied seeds of opposite signs take their own sides', () => {
  // Two halves: |v| is the same on both, so every patch ties.
  const found = tokenCut(picture(['..##', '..##']));
  expect(found.tiedSeeds).toHaveLength(8);
  expect(found.cells).toEqual([0, 0, 2, 2]);
  expect(found.otherCells).toEqual([[0, 2, 2, 4]]);
});

test('a picture without anything to cut is its own box, and every patch ties', () => {
  for (const rows of [['...', '...'], ['.']]) {
    const { cells, otherCells, tiedSeeds, detail } = tokenCut(picture(rows));
    expect(cells).toEqual([0, 0, rows.length, rows[0]!.length]);
    expect(otherCells).toEqual([]);
    expect(tiedSeeds).toHaveLength(rows.join('').length);
    expect(detail).toMatchObject({ lambda2: 1, meanMargin: 0 });
  }
});

test('zero patches resemble nothing, not even themselves', () => {
  const features = picture(SQUARE);
  features.patches.fill(0, 0, 8);
  const { detail, affinity, cells } = tokenCut(features);
  expect(detail.edges).toBe(6 * 6 + 28 * 28);
  expect(affinity[0]).toBe(0);
  expect(cells).toEqual([1, 2, 3, 5]);
});

test('tau decides which cosines join, and weights are cosines on request', () => {
  const features = picture(SQUARE);
  for (let i = 0; i < features.patches.length; i += 8) features.patches[i + 7] = 0.5;
  // Between the groups the cosine is 0.25 / 1.25 = 0.2, which rounding puts on either side: away from it the answer is clear.
  expect(tokenCut(features, { tau: 0.19 }).detail.edges).toBe(35 * 35);
  expect(tokenCut(features, { tau: 0.21 }).detail.edges).toBe(6 * 6 + 29 * 29);
  const weighted = tokenCut(features, { tau: 0.1, weighted: true });
  expect(weighted.cells).toEqual([1, 2, 3, 5]);
  // W has 1 within groups and w = 0.2 between: two blocks once more.
  const w = 0.2;
  expect(weighted.detail.lambda2).toBeCloseTo(2 - 6 / (6 + w * 29) - 29 / (29 + w * 6), 12);
});

test('products that are there already give the same', () => {
  const features = picture(SQUARE, 0.1);
  expect(tokenCut(features, { products: patchProducts(features) })).toEqual(tokenCut(features));
});
