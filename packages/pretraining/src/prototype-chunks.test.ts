import { expect, test } from 'vitest';
import { prototypeChunks } from './prototype-chunks';

test('prototypes go in pieces that the adapter binds, larger where it binds more', () => {
  const bytes = (maxBindingBytes: number) => prototypeChunks({ maxBindingBytes }).chunkBytes;
  expect([2 ** 24, 2 ** 27, 2 ** 32].map(bytes)).toEqual([2 ** 23, 2 ** 26, 2 ** 28]);
});
