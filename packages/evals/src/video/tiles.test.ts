import { expect, test } from 'vitest';
import { cellCount, tilesOf } from './tiles';

test.each([
  [[5, 7], 2, 1],
  [[30, 52], 12, 8],
  [[100, 180], 12, 8],
  [[1, 90], 3, 4],
  [[40, 40], 1000, 60],
] as const)('tiles of %j at radius %i cover every cell once, with all that it can see', (grid, radius, sources) => {
  const times = new Uint8Array(grid[0] * grid[1]);
  for (const { cells, reach } of tilesOf(grid, radius, sources)) {
    expect(cellCount(cells) * cellCount(reach) * sources).toBeLessThanOrEqual(2 ** 24);
    expect(reach).toEqual({
      top: Math.max(0, cells.top - radius),
      bottom: Math.min(grid[0], cells.bottom + radius),
      left: Math.max(0, cells.left - radius),
      right: Math.min(grid[1], cells.right + radius),
    });
    for (let row = cells.top; row < cells.bottom; row++)
      for (let column = cells.left; column < cells.right; column++) times[row * grid[1] + column]!++;
  }
  expect(times.every((count) => count === 1)).toBe(true);
});
