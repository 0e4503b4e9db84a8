import { expect, test } from 'vitest';
import { severalOf } from './regression';

test('of several classes an image has some, lacks others, and is too difficult to tell for the rest', () => {
  const set = {
    classes: ['cat', 'dog', 'bus'],
    labels: (index: number) => [[0], [1, 2]][index]!,
    difficult: (index: number) => [[2], []][index]!,
  };
  const labelled = { dim: 1, cls: Float32Array.of(7, 8), labels: Int32Array.of(-1, -1) };
  expect([...severalOf(set, { images: Int32Array.of(1, 0), labelled }).truth]).toEqual([-1, 1, 1, 1, -1, 0]);
});
