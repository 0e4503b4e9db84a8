import { expect, test } from 'vitest';
import { labelMemory } from './label-memory';
import { softVote } from './soft-vote';

/** A memory of dense rows. */
function memoryOf(...rows: readonly (readonly number[])[]) {
  const memory = labelMemory(rows[0]!.length);
  memory.add(Float32Array.from(rows.flat()), [...rows.keys()]);
  return memory.build();
}

test('labels are averaged with softmax weights over the neighbours', () => {
  const vote = {
    neighbours: { k: 2, scores: Float32Array.of(0.5, 0.25), indices: Int32Array.of(1, 0) },
    temperature: 0.25,
    labels: memoryOf([1, 0], [0.5, 0.5]),
  };
  const near = 1 / (1 + Math.exp(-1));
  expect([...softVote(vote, 0, 1)]).toEqual([Math.fround(near * 0.5 + (1 - near)), Math.fround(near * 0.5)]);
});

test('a very small temperature takes the best neighbour alone, without overflow', () => {
  const vote = {
    neighbours: { k: 2, scores: Float32Array.of(0.9, -0.9), indices: Int32Array.of(0, 1) },
    temperature: 1e-4,
    labels: memoryOf([0, 1], [1, 0]),
  };
  expect([...softVote(vote, 0, 1)]).toEqual([0, 1]);
});

test('some queries are voted for as all are', () => {
  const vote = {
    neighbours: {
      k: 2,
      scores: Float32Array.of(0.9, 0.1, 0.5, 0.4, 0.3, 0.2),
      indices: Int32Array.of(0, 1, 2, 0, 1, 2),
    },
    temperature: 0.1,
    labels: memoryOf([1, 0, 0], [0, 0.25, 0.75], [0.5, 0, 0.5]),
  };
  expect(softVote(vote, 1, 3)).toEqual(softVote(vote, 0, 3).subarray(3));
});

test('a memory holds the chosen rows without their zeros, however often it has grown', () => {
  const memory = labelMemory(3);
  const dense = Float32Array.of(0, 1, 0, 0.5, 0, 0.5, 0, 0, 0);
  for (let i = 0; i < 1000; i++) memory.add(dense, [1, 2, 0]);
  const { rows, starts, entries, shares } = memory.build();
  expect([rows, starts.length, entries.length]).toEqual([3000, 3001, 3000]);
  expect([...starts.subarray(2994)]).toEqual([2994, 2996, 2996, 2997, 2999, 2999, 3000]);
  expect([...entries.subarray(2997)]).toEqual([0, 2, 1]);
  expect([...shares.subarray(2997)]).toEqual([0.5, 0.5, 1]);
});
