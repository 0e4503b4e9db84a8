import { expect, test } from 'vitest';
import { linspaceF32 } from './linspace';

test.each([1, 2, 3, 16, 33, 65])('%s values are f32, equally spaced, and include both ends', (steps) => {
  const values = linspaceF32(0.1, 0.65, steps);
  expect(values).toHaveLength(steps);
  values.forEach((value, i) => {
    expect(Math.fround(value)).toBe(value);
    // Three roundings to f32 below 1: 3 * 2^-25.
    expect(Math.abs(value - (0.1 + (0.55 * i) / Math.max(1, steps - 1)))).toBeLessThan(1e-7);
  });
});
