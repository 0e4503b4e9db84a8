import { expect, test } from 'vitest';
import { countPairs } from './cpu-count-pairs';

test('pairs are counted exactly; ignored targets and labels out of range are dropped', async () => {
  const predicted = [0, 1, 1, 2, 0, 5, -1];
  const target = [0, 0, 1, 255, 1, 0, 0];
  const counts = await countPairs({ predicted, target, shape: [3, 2], ignore: 255 });
  expect([...counts]).toEqual([1, 1, 1, 1, 0, 0]);
});

test('ignoring a class in range removes its pixels from the counts', async () => {
  const counts = await countPairs({ predicted: [0, 1], target: [0, 1], shape: [2, 2], ignore: 0 });
  expect([...counts]).toEqual([0, 0, 0, 1]);
});

test('arrays that do not pair up are refused', async () => {
  await expect(countPairs({ predicted: [0], target: [0, 1], shape: [2, 2] })).rejects.toMatchObject({
    code: 'labels',
  });
});
