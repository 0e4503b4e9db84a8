import { expect, test } from 'vitest';
import { resizeLabels, resizeLabelsByCentre } from './nearest';

test('enlarging repeats labels, shrinking picks floor(i * in / out)', () => {
  expect(resizeLabels(Uint8Array.of(1, 2), [1, 2], [2, 4])).toEqual(Uint8Array.of(1, 1, 2, 2, 1, 1, 2, 2));
  expect(resizeLabels(Int32Array.of(0, 1, 2, 3, 4), [1, 5], [1, 3])).toEqual(Int32Array.of(0, 1, 3));
});

test('by centre, what lies under the middle of an output is picked; on an edge the later one', () => {
  expect(resizeLabelsByCentre(Uint8Array.of(0, 1, 2, 3, 4), [1, 5], [1, 3])).toEqual(Uint8Array.of(0, 2, 4));
  expect(resizeLabelsByCentre(Uint8Array.of(1, 2), [2, 1], [5, 1])).toEqual(Uint8Array.of(1, 1, 2, 2, 2));
});
