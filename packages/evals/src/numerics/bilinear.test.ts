import { expect, test } from 'vitest';
import { bilinear } from './bilinear';
import { random } from './random';

test('pixel centres lie at half-integers and the border is repeated', () => {
  const out = new Float64Array(4);
  bilinear([1, 2], [1, 4]).apply([0, 1], out, 1);
  expect([...out]).toEqual([0, 0.25, 0.75, 1]);
});

test('rows, columns and channels are kept apart', () => {
  const out = new Float64Array(4 * 4 * 2);
  bilinear([2, 2], [4, 4]).apply([0, 9, 1, 9, 2, 9, 3, 9], out, 2);
  // Along the row +1 per source cell, down the column +2.
  expect([out[0], out[2 * 3], out[2 * 12], out[2 * 15], out[2 * 5]]).toEqual([0, 1, 2, 3, 0.75]);
  expect([...out].filter((_, i) => i % 2 === 1)).toEqual(Array(16).fill(9));
});

test('resampling to the same extent changes nothing', () => {
  const source = [3, 1, 4, 1, 5, 9];
  const out = new Float64Array(6);
  bilinear([2, 3], [2, 3]).apply(source, out, 1);
  expect([...out]).toEqual(source);
});

test('the adjoint satisfies <A x, y> = <x, A^T y>', () => {
  const { uniform } = random(7);
  const { apply, adjoint } = bilinear([3, 4], [7, 5]);
  const x = Float64Array.from({ length: 24 }, uniform);
  const y = Float64Array.from({ length: 70 }, uniform);
  const ax = new Float64Array(70);
  const aty = new Float64Array(24);
  apply(x, ax, 2);
  adjoint(y, aty, 2);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  expect(dot(ax, y)).toBeCloseTo(dot(x, aty), 12);
});
