import { expect, test } from 'vitest';
import { dinoSeg } from './dino-seg';

const one = (rows: readonly (readonly number[])[]) =>
  ({
    grid: [rows.length, rows[0]!.length],
    heads: 1,
    attention: Float32Array.from(rows.flat()),
  }) as const;

test('the strongest patches that make up the mass, of them the largest part', () => {
  const picture = one([
    [8, 8, 0, 1],
    [8, 0, 0, 9],
    [1, 1, 1, 3],
  ]);
  const found = dinoSeg(picture, { mass: 0.8 });
  // 40 in all: 33 belong to the four strongest, the 3 is dropped with what lies below a fifth of the sum.
  expect(found.cells).toEqual([0, 0, 2, 2]);
  expect([...found.foreground].join('')).toBe('110010000000');
  expect(found).toMatchObject({ seed: 0, tiedSeeds: [0, 1, 4], otherCells: [] });
  expect(found.detail).toEqual({ head: 0, parts: 2, foregroundCells: 4 });
  expect(dinoSeg(picture, { mass: 0.85 }).detail).toMatchObject({ parts: 2, foregroundCells: 5 });
});

test('all of the mass keeps every patch with attention, next to none the strongest', () => {
  const picture = one([[1, 2, 3]]);
  expect(dinoSeg(picture, { mass: 1 }).cells).toEqual([0, 0, 1, 3]);
  expect(dinoSeg(picture, { mass: 1e-9 }).cells).toEqual([0, 2, 1, 3]);
});

test('of equally large parts the first; the other is another box', () => {
  const found = dinoSeg(one([[5, 5, 0, 5, 5]]), { mass: 1 });
  expect([found.cells, found.otherCells]).toEqual([[0, 0, 1, 2], [[0, 3, 1, 5]]]);
});

test('the published slip: the last part is passed over, a single one loses to the background', () => {
  const two = one([[5, 0, 5, 5, 5]]);
  expect(dinoSeg(two, { mass: 1 }).cells).toEqual([0, 2, 1, 5]);
  expect(dinoSeg(two, { mass: 1, quirks: true }).cells).toEqual([0, 0, 1, 1]);
  const single = one([[0, 5, 5, 0, 0]]);
  expect(dinoSeg(single).cells).toEqual([0, 1, 1, 3]);
  expect(dinoSeg(single, { quirks: true }).cells).toEqual([0, 0, 1, 5]);
  expect(dinoSeg(one([[5, 5]]), { quirks: true, mass: 1 }).cells).toEqual([0, 0, 1, 2]);
});

test('one head of several: the published one, or the last where there are fewer', () => {
  const heads = (count: number) => ({
    grid: [1, 6] as const,
    heads: count,
    attention: Float32Array.from({ length: 6 * count }, (_, i) => Number(i % 6 === Math.floor(i / 6))),
  });
  expect(dinoSeg(heads(6)).detail.head).toBe(4);
  expect(dinoSeg(heads(6)).cells).toEqual([0, 4, 1, 5]);
  expect(dinoSeg(heads(3)).cells).toEqual([0, 2, 1, 3]);
  expect(dinoSeg(heads(3), { head: 0 }).cells).toEqual([0, 0, 1, 1]);
});
