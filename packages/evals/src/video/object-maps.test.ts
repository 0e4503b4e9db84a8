import { expect, test } from 'vitest';
import { bilinear } from '../numerics/bilinear';
import { resizeLabelsByCentre } from '../numerics/nearest';
import { random } from '../numerics/random';
import { decodeMaps, firstFrameMaps } from './object-maps';

test('a mask becomes one-hot maps by the pixel under the centre of each token; ids of no object are background', () => {
  const mask = Uint8Array.of(0, 7, 7, 3, 255, 9, 0, 3);
  expect([...firstFrameMaps(mask, [2, 4], [1, 2], [7, 3])]).toEqual([1, 0, 0, 0, 0, 1]);
  expect([...firstFrameMaps(mask, [2, 4], [2, 4], [7])]).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
});

/** DINO's way as it is written: all upsampled, all stretched, the largest, then the nearest pixel. */
function slowDecode(
  maps: Float32Array,
  grid: readonly [number, number],
  patch: number,
  size: readonly [number, number],
): number[] {
  const fine = [grid[0] * patch, grid[1] * patch] as const;
  const planes = [0, 1, 2].map((c) => {
    const plane = new Float64Array(fine[0] * fine[1]);
    bilinear(grid, fine).apply(
      Float64Array.from({ length: grid[0] * grid[1] }, (_, i) => maps[3 * i + c]!),
      plane,
      1,
    );
    const [least, most] = [Math.min(...plane), Math.max(...plane)];
    return most > 0 ? plane.map((value) => (value - least) / (most - least)) : plane;
  });
  const winners = planes[0]!.map((_, i) => {
    const values = planes.map((plane) => plane[i]!);
    return values.indexOf(Math.max(...values));
  });
  return [...resizeLabelsByCentre(Uint8Array.from(winners), fine, size)];
}

test.each([
  { grid: [5, 7], patchSize: 4, size: [20, 28] },
  { grid: [5, 7], patchSize: 4, size: [33, 29] },
  { grid: [6, 4], patchSize: 5, size: [11, 13] },
  { grid: [1, 3], patchSize: 2, size: [5, 9] },
  { grid: [4, 4], patchSize: 1, size: [4, 4] },
] as const)('pixels read off maps of $grid at $patchSize for $size are those of upsampled ones', (given) => {
  const draws = random(given.patchSize);
  const maps = Float32Array.from({ length: 3 * given.grid[0] * given.grid[1] }, draws.uniform);
  const { grid, patchSize, size } = given;
  const ids = decodeMaps(maps, grid, { size, patchSize, objects: [1, 2] });
  expect([...ids]).toEqual(slowDecode(maps, grid, patchSize, size));
});

test('maps are stretched before they are compared, so that a faint object is seen; equal ones are the first', () => {
  const maps = Float32Array.of(0.9, 0.1, 0, 0.8, 0.2, 0);
  for (const upsampling of ['bilinear', 'nearest'] as const) {
    const ids = decodeMaps(maps, [1, 2], { size: [1, 2], patchSize: 1, objects: [5, 6], upsampling });
    expect([...ids]).toEqual([0, 5]);
  }
});

test('an object that is nowhere stays so, and one that is everywhere by DINO alone', () => {
  const [nowhere, everywhere] = [Float32Array.of(1, 0, 1, 0), Float32Array.of(0, 1, 0, 1)];
  const options = { size: [1, 2], patchSize: 3, objects: [4] } as const;
  expect([...decodeMaps(nowhere, [1, 2], options)]).toEqual([0, 0]);
  expect([...decodeMaps(everywhere, [1, 2], options)]).toEqual([4, 4]);
  expect([...decodeMaps(everywhere, [1, 2], { ...options, upsampling: 'nearest' })]).toEqual([0, 0]);
  // 0.3 at weights that are no binary fractions is not the same everywhere
  const faint = Float32Array.from({ length: 24 }, (_, i) => (i % 2) * 0.3);
  const many = decodeMaps(faint, [3, 4], { size: [42, 56], patchSize: 14, objects: [4] });
  expect(many.every((id) => id === 4)).toBe(true);
});

test('what are no maps of the objects is refused', () => {
  const options = { size: [2, 2], patchSize: 2, objects: [1] } as const;
  expect(() => decodeMaps(new Float32Array(5), [1, 2], options)).toThrow(
    '5 values are no maps of 1 x 2 tokens and 1 objects',
  );
  expect(() => decodeMaps(new Float32Array(4), [1, 2], { ...options, objects: [255] })).toThrow(
    'ids from 1 to 254, each once',
  );
  expect(() => firstFrameMaps(new Uint8Array(5), [2, 2], [1, 1], [1])).toThrow(
    'a mask of 5 pixels is not of size [2,2]',
  );
});
