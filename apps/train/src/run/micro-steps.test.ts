import { alone, type Communicator } from '@franca/collective';
import { DataError, type LoadedBatch } from '@franca/data';
import { expect, test } from 'vitest';
import { onRanks } from '../../test/lockstep-communicators';
import { tinyOverrides } from '../../test/tiny-run';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { isAgreed } from '../ranks/known-to-all';
import { type MicroStepContext, type Update, updates } from './micro-steps';

const config = loadConfig(['cpu-tiny'], [...tinyOverrides(9), 'franca.gpus=2', 'franca.total_batch=16']).config;

/** What a rank does with `batches`: its updates, the steps that it ran, and the ranks that were asked to stop. */
async function follow(ranks: Communicator, batches: AsyncIterable<LoadedBatch>, isAsked = () => false) {
  const options = derive(config, { size: ranks.size, rank: ranks.rank, f16: false });
  const seen = { updates: [] as Update[], run: [] as number[], asked: [] as number[], skipped: 0 };
  const context = {
    ranks,
    options,
    step: { done: async () => {}, plan: { target: { family: 'cpu' } } },
    schedule: () => ({}),
    cropper: { inPlace: false, crops: () => ({}) },
    record: {
      imagesSeen: 0,
      count: (_: LoadedBatch, skipped: number) => {
        seen.skipped += skipped;
      },
    },
    profiler: { end: () => {}, run: async (number: number) => void seen.run.push(number) },
    isAsked,
    onStop: (asked: readonly number[]) => void seen.asked.push(...asked),
  } as unknown as MicroStepContext;
  for await (const update of updates(batches, 0, context)) {
    seen.updates.push(update);
    if (seen.updates.length === 4) break;
  }
  return seen;
}

async function* batchesOf(rank: number, failAt = Number.POSITIVE_INFINITY): AsyncGenerator<LoadedBatch> {
  for (let at = 0; ; at++) {
    if (at === failAt) throw new DataError('too-many-bad-images', `bad after ${at}`);
    yield { images: [], skipped: new Array(rank).fill({}), waitMs: 0, cursor: undefined } as unknown as LoadedBatch;
  }
}

test('every micro-step is run by all ranks, and images that one skipped are counted by all', async () => {
  for (const outcome of await onRanks(2, (ranks) => follow(ranks, batchesOf(ranks.rank)))) {
    const { value } = outcome as PromiseFulfilledResult<Awaited<ReturnType<typeof follow>>>;
    expect(value.updates.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(value.run).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([value.skipped, value.asked]).toEqual([8, []]);
  }
});

test('a rank whose data fail fails all under its name, before a step is begun', async () => {
  const run: number[][] = [];
  const outcomes = await onRanks(2, async (ranks) => {
    const batches = batchesOf(0, ranks.rank === 1 ? 3 : undefined);
    await follow(ranks, batches).then(({ run: all }) => run.push(all));
  });
  for (const { reason } of outcomes as PromiseRejectedResult[]) {
    expect(reason).toMatchObject({ code: 'data' });
    expect(reason.message).toMatch(/^rank 1 of 2, node1: bad after 3\nfranca\.data\.max_bad_share/);
    expect(isAgreed(reason)).toBe(true);
  }
  expect(run).toEqual([]);
});

test('asked in the middle of an update, one rank stops all after it', async () => {
  const outcomes = await onRanks(2, (ranks) => {
    let looks = 0;
    // from the fourth micro-step on, the second of an update
    return follow(ranks, batchesOf(0), () => ranks.rank === 1 && ++looks >= 4);
  });
  for (const outcome of outcomes) {
    const { value } = outcome as PromiseFulfilledResult<Awaited<ReturnType<typeof follow>>>;
    expect(value.updates.map(({ step }) => step)).toEqual([1, 2]);
    expect(value.asked).toEqual([1]);
  }
});

test('one rank alone throws what its data throw', async () => {
  await expect(follow(alone(), batchesOf(0, 1))).rejects.toMatchObject({
    code: 'data',
    message: expect.stringMatching(/^bad after 1/),
  });
});
