import { expect, test } from 'vitest';
import { alone } from './alone';

test('what one rank sends is what it receives, whatever the call', async () => {
  await using ranks = alone();
  for (const call of [ranks.allReduce, ranks.reduceScatter, ranks.allGather]) {
    const received = new Float32Array(3);
    await call(Float32Array.of(1, 2, 3), received);
    expect([...received]).toEqual([1, 2, 3]);
  }
  expect([ranks.rank, ranks.size, ranks.members.length]).toEqual([0, 1, 1]);
});

test('arrays that do not fit, and a closed communicator, are refused', async () => {
  const ranks = alone();
  await expect(ranks.allReduce(new Float32Array(3), new Float32Array(2))).rejects.toThrow(
    'Float32Array [3] does not go into Float32Array [2]',
  );
  await ranks.close();
  await expect(ranks.barrier()).rejects.toThrow(expect.objectContaining({ code: 'closed' }));
});
