import { expect, test } from 'vitest';
import { collateMasks, padToBound } from './collate';

const masks = [Uint8Array.of(0, 1, 1, 0), Uint8Array.of(0, 0, 0, 0), Uint8Array.of(1, 1, 1, 1)];

test('indices point into the flattened masks, weights share one over the patches of a crop', () => {
  const { maskIndices, masksWeight, nMasked, masks: flat } = collateMasks(masks);
  expect([...flat]).toEqual([0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  expect([...maskIndices]).toEqual([1, 2, 8, 9, 10, 11]);
  expect([...masksWeight]).toEqual([0.5, 0.5, 0.25, 0.25, 0.25, 0.25]);
  expect(nMasked).toBe(6);
});

test('padding keeps the real entries first and adds entries of weight 0', () => {
  const padded = padToBound(collateMasks(masks), 8);
  expect([...padded.maskIndices]).toEqual([1, 2, 8, 9, 10, 11, 0, 0]);
  expect([...padded.masksWeight]).toEqual([0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0, 0]);
  expect(padded.nMasked).toBe(6);
});

test('a bound that is too small is refused', () => {
  expect(() => padToBound(collateMasks(masks), 5)).toThrow('6 masked patches do not fit into a list of 5');
});

test('no masks, empty masks and masks of different sizes are refused', () => {
  expect(() => collateMasks([])).toThrow(/nothing to collate/);
  expect(() => collateMasks([new Uint8Array(0)])).toThrow(/nothing to collate/);
  expect(() => collateMasks([new Uint8Array(4), new Uint8Array(3)])).toThrow('mask 1 has 3 patches, mask 0 has 4');
});
