import { expect, test } from 'vitest';
import { softVote } from './cpu-soft-vote';

test('labels are averaged with softmax weights over the neighbours', async () => {
  const out = await softVote({
    neighbours: { k: 2, scores: Float32Array.of(0.5, 0.25), indices: Int32Array.of(1, 0) },
    temperature: 0.25,
    labels: { data: Float32Array.of(1, 0, 0.5, 0.5), rows: 2, cols: 2 },
  });
  const near = 1 / (1 + Math.exp(-1));
  expect([...out]).toEqual([Math.fround(near * 0.5 + (1 - near)), Math.fround(near * 0.5)]);
});

test('a very small temperature takes the best neighbour alone, without overflow', async () => {
  const out = await softVote({
    neighbours: { k: 2, scores: Float32Array.of(0.9, -0.9), indices: Int32Array.of(0, 1) },
    temperature: 1e-4,
    labels: { data: Float32Array.of(0, 1, 1, 0), rows: 2, cols: 2 },
  });
  expect([...out]).toEqual([0, 1]);
});
