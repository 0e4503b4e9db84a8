import { expect, test } from 'vitest';
import { parityJson } from '../../../../test/support/parity';
import type { PatchFeatures } from '../features';
import { matchPoints } from './match-points';

/** One picture of unit features in the plane whose cosine with (1, 0) is that of each cell. */
function picture(cosines: readonly (readonly number[])[]): PatchFeatures {
  const patches = Float32Array.from(cosines.flat().flatMap((cosine) => [cosine, Math.sqrt(1 - cosine ** 2)]));
  return { dim: 2, grid: [cosines.length, cosines[0]!.length], patches };
}
const toTheRight: PatchFeatures = { dim: 2, grid: [1, 1], patches: Float32Array.of(3, 0) };

test('the cell is that of the reference in its heat maps, the first of two that are equal', () => {
  const { heatmaps, xy } = (
    parityJson('eval_correspondence') as { argmax_2d: { heatmaps: number[][][]; xy: number[][] } }
  ).argmax_2d;
  for (const [i, map] of heatmaps.entries()) {
    const target = picture(map.map((row) => row.map((value) => value / 10)));
    const { cells, similarities } = matchPoints(toTheRight, target, [[0.3, 0.9]]);
    const [columns, cell] = [map[0]!.length, cells[0]!];
    expect([cell % columns, Math.floor(cell / columns)]).toEqual(xy[i]);
    expect(similarities[0]).toBeCloseTo(Math.max(...map.flat()) / 10, 6);
  }
  expect(heatmaps.length).toBe(3);
});

test('a point is read between the centres of cells, which lie at the corners of the picture', () => {
  const [east, north, west] = [
    [5, 0],
    [0, 2],
    [-1, 0],
  ] as const;
  // one row of three cells; unit norms, whatever the lengths
  const source: PatchFeatures = { dim: 2, grid: [1, 3], patches: Float32Array.from([...east, ...north, ...west]) };
  const target: PatchFeatures = {
    dim: 2,
    grid: [2, 2],
    patches: Float32Array.from([1, 0, 0.8, 0.6, 0, 3, -1, 0]),
  };
  const { cells, similarities } = matchPoints(source, target, [
    [0, 0.2],
    [0.15, 1],
    [0.5, 0],
    [1, 0],
  ]);
  expect([...cells]).toEqual([0, 1, 2, 3]);
  // at 0.15 of the way from corner to corner: 0.3 of a cell towards the second, not normalised again
  for (const [i, similarity] of [1, 0.7 * 0.8 + 0.3 * 0.6, 1, 1].entries())
    expect(similarities[i]).toBeCloseTo(similarity, 6);
});

test('what cannot be matched is refused: two pictures at once, other widths, places outside, features that are no numbers', () => {
  const two = { ...toTheRight, patches: new Float32Array(4).fill(1) };
  const match =
    (...args: Parameters<typeof matchPoints>) =>
    () =>
      matchPoints(...args);
  expect(match(two, toTheRight, [[0, 0]])).toThrow(/source has 4 values, one picture of 1 x 1 cells of width 2 has 2/);
  expect(match({ ...toTheRight, dim: 1, patches: new Float32Array(1) }, toTheRight, [])).toThrow(/width 1 and 2/);
  expect(match(toTheRight, toTheRight, [[0, 1.01]])).toThrow(/points\[0\] is \[0,1.01\]/);
  expect(match(toTheRight, { ...toTheRight, patches: Float32Array.of(Number.NaN, 1) }, [[0, 0]])).toThrow(/not finite/);
});
