import { expect, test } from 'vitest';
import { exposureMap } from './exposure';

test('the map is the fraction of masks that hide each patch', () => {
  expect([...exposureMap([Uint8Array.of(1, 0, 1), Uint8Array.of(1, 0, 0)])]).toEqual([1, 0, 0.5]);
});

test('no masks, or masks of different sizes, are refused', () => {
  expect(() => exposureMap([])).toThrow(/at least one mask/);
  expect(() => exposureMap([new Uint8Array(2), new Uint8Array(3)])).toThrow('mask 1 has 3 patches, mask 0 has 2');
});
