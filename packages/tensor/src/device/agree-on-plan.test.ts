import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockstepRanks } from '../../../../test/support/lockstep-ranks';
import { compile } from '../compile';
import type { Ranks } from '../graph/ranks';
import { openGpu } from '../node';
import { allReduce } from '../ops/collective';
import type { Gpu } from './gpu';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const batch = { x: { shape: [8], dtype: 'f32' } } as const;
const summing = (size: number, ranks?: Ranks, times = 1) =>
  compile(
    gpu,
    (_, { x }) => {
      let y = x;
      for (let i = 0; i < times; i++) y = allReduce(y, size);
      return y;
    },
    { batch, ...(ranks ? { ranks } : {}) },
  );

test('a step that was recorded for other ranks than it is given is refused, with both numbers', async () => {
  await expect(summing(3, lockstepRanks(2)[0])).rejects.toThrow(
    /^allReduce at \S+agree-on-plan\.test\.ts:\d+:\d+ exchanges values among 3 ranks, but compile was given ranks of size 2; /,
  );
  await expect(summing(2)).rejects.toThrow(/among 2 ranks, but compile was given no ranks/);
  await expect(summing(2, {} as Ranks)).rejects.toThrow(/ranks has no rank, size, allReduce, .* give a Communicator/);
});

test('ranks that record different exchanges all refuse, and name the one that differs', async () => {
  const before = gpu.allocatedBytes;
  const compiled = await Promise.allSettled(
    lockstepRanks(3).map((ranks) => summing(3, ranks, ranks.rank === 1 ? 2 : 1)),
  );
  for (const one of compiled) {
    expect(one.status).toBe('rejected');
    expect((one as PromiseRejectedResult).reason).toMatchObject({
      code: 'options',
      message: expect.stringMatching(
        /^rank 1 \(2 exchanges\) would exchange other values than rank 0 \(1 exchanges\); /,
      ),
    });
  }
  expect(gpu.allocatedBytes).toBe(before);
});

test('a rank that exchanges nothing is noticed too, and so is another size of a value', async () => {
  const [, first] = await Promise.allSettled(lockstepRanks(2).map((ranks) => summing(2, ranks, ranks.rank)));
  expect((first as PromiseRejectedResult).reason.message).toMatch(/^rank 1 \(1 exchanges\) would .* than rank 0 \(0 /);
  const sizes = await Promise.allSettled(
    lockstepRanks(2).map((ranks) =>
      compile(gpu, (_, { x }) => allReduce(x, 2), { batch: { x: { shape: [8 + ranks.rank], dtype: 'f32' } }, ranks }),
    ),
  );
  for (const one of sizes) expect((one as PromiseRejectedResult).reason.message).toMatch(/^rank 1 \(1 exchanges\)/);
});
