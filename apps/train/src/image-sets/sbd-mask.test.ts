import { inflateSync } from 'node:zlib';
import { isImageError } from '@franca/data';
import { expect, test } from 'vitest';
import { SBD_MASK } from '../../test/sbd-mask';
import { readMatMask } from './sbd-mask';

/** The file with its one element as it is, not compressed. */
const inflated = (): Buffer => Buffer.concat([SBD_MASK.subarray(0, 128), inflateSync(SBD_MASK.subarray(136))]);

function renamed(name: string, other: string): Buffer {
  const bytes = inflated();
  bytes.write(other, bytes.indexOf(name), 'latin1');
  return bytes;
}

test('a mask of the Semantic Boundaries Dataset, as another program wrote it', () => {
  const { data, width, height } = readMatMask(SBD_MASK, 'a.mat');
  expect([width, height]).toEqual([6, 4]);
  expect([...data]).toEqual([
    ...[8, 8, 8, 8, 8, 8],
    ...[12, 12, 12, 0, 0, 0],
    ...[12, 12, 12, 0, 0, 0],
    ...[12, 12, 12, 0, 0, 255],
  ]);
});

test.each([
  ['nothing', Buffer.alloc(0), /is no MATLAB file of version 5/],
  ['a header alone', SBD_MASK.subarray(0, 128), /has no Segmentation/],
  ['half of it', SBD_MASK.subarray(0, 240), /is damaged/],
  ['compressed bytes that are none', Buffer.concat([SBD_MASK.subarray(0, 136), Buffer.alloc(217, 7)]), /is damaged/],
  ['another structure', renamed('Segmentation', 'Segmentatiom'), /has no Segmentation/],
])('%s is a damaged file', (_, bytes, message) => {
  let thrown: unknown;
  try {
    readMatMask(bytes, 'a.mat');
  } catch (error) {
    thrown = error;
  }
  expect(isImageError(thrown)).toBe(true);
  expect((thrown as Error).message).toMatch(message);
});

test('no byte of a file makes it anything but a mask or a damaged file', () => {
  const plain = inflated();
  for (let at = 128; at < plain.length; at++) {
    const bytes = Buffer.from(plain);
    bytes[at]! ^= 0xff;
    try {
      const { data, width, height } = readMatMask(bytes, 'a.mat');
      expect(data.length).toBe(width * height);
    } catch (error) {
      expect(isImageError(error), String(error)).toBe(true);
    }
  }
});
