import { expect, test } from 'vitest';
import { checkRoom } from './image-part';

const imageNet = { dataset: 'imagenet-1k', split: 'train', length: 1_281_167 };
const GIB = 2 ** 30;

test('features that do not fit are refused with the numbers and the way out', () => {
  expect(() => checkRoom(imageNet, { dim: 768, tokens: 5 }, 'learn from a stream', 16 * GIB)).toThrow(
    'features of imagenet-1k train do not fit in memory: 1281167 images x 5 tokens x 768 numbers are 18.3 GiB, of the 16.0 GiB of ' +
      'this machine 75 % may be taken; take fewer images with --images <train,test>, or learn from a stream',
  );
  checkRoom(imageNet, { dim: 768, tokens: 5 }, undefined, 32 * GIB);
  checkRoom(imageNet, { dim: 768, tokens: 1 }, undefined, 16 * GIB);
});

test('one array has a largest length, whatever the memory', () => {
  const many = { ...imageNet, length: 3_000_000 };
  expect(() => checkRoom(many, { dim: 1536, tokens: 1 }, undefined, 1024 * GIB)).toThrow(/at most 4294967295 numbers/);
});
