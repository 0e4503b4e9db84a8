import { expect, test } from 'vitest';
import { exposureMap } from './exposure';
import { cyclicMask, inverseBlockMask } from './inverse-block-mask';
import { seededRandom } from './random';

const grid = { height: 16, width: 16 };
const DRAWS = 20_000;

function exposure(draw: () => Uint8Array): Float64Array {
  return exposureMap(Array.from({ length: DRAWS }, draw));
}

test('CyclicMask masks every position equally often', () => {
  const random = seededRandom(5);
  // Each cell is a binomial fraction with p = 96 / 256: five standard deviations.
  const p = 96 / 256;
  const bound = 5 * Math.sqrt((p * (1 - p)) / DRAWS);
  for (const fraction of exposure(() => cyclicMask(grid, 96, random))) {
    expect(Math.abs(fraction - p)).toBeLessThan(bound);
  }
});

test('without rolling the last patch is always masked and the centre almost never', () => {
  const random = seededRandom(5);
  const map = exposure(() => inverseBlockMask(grid, 96, random));
  expect(map.at(-1)).toBe(1);
  expect(map[8 * 16 + 8]).toBeLessThan(0.05);
});

test('the visible patches are one block on the torus', () => {
  const random = seededRandom(6);
  for (let draw = 0; draw < 50; draw++) {
    const mask = cyclicMask(grid, 150, random);
    expect(reachable(mask)).toBe(256 - 150);
  }
});

/** Visible cells connected, across the edges too, to the first visible one. */
function reachable(mask: Uint8Array): number {
  const start = mask.indexOf(0);
  const seen = new Set([start]);
  for (const cell of seen) {
    const [row, column] = [Math.floor(cell / 16), cell % 16];
    for (const [dr, dc] of [
      [1, 0],
      [15, 0],
      [0, 1],
      [0, 15],
    ] as const) {
      const next = ((row + dr) % 16) * 16 + ((column + dc) % 16);
      if (mask[next] === 0) seen.add(next);
    }
  }
  return seen.size;
}
