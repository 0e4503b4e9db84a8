import { alone } from '@franca/collective';
import { DataError } from '@franca/data';
import { expect, test } from 'vitest';
import { onRanks, valuesOnRanks } from '../../test/lockstep-communicators';
import { TrainError } from '../errors';
import { isAgreed } from './known-to-all';
import { onFirst, together } from './together';

const errorsOf = async (size: number, work: (rank: number) => unknown) => {
  const outcomes = await onRanks(size, (ranks) => together(ranks, () => work(ranks.rank)));
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
};

test('one failing rank fails all, under its name; the lowest of several', async () => {
  const errors = await errorsOf(4, (rank) => {
    if (rank >= 2) throw new TrainError('config', `no ${rank}`);
  });
  for (const error of errors) {
    expect(error).toMatchObject({ code: 'config', message: 'rank 2 of 4, node2: no 2' });
    expect(isAgreed(error)).toBe(true);
  }
});

test('what all ranks fail with alike has no name before it', async () => {
  const errors = await errorsOf(2, () => {
    throw new DataError('corrupt-image', 'no such folder');
  });
  for (const error of errors) expect(error).toMatchObject({ code: 'data', message: 'no such folder' });
});

test('an error that nobody foresaw keeps its words', async () => {
  const [error] = await errorsOf(2, (rank) => {
    if (rank === 1) throw new TypeError('x is not a function');
  });
  expect(error.message).toContain('rank 1 of 2, node1: unexpected TypeError: x is not a function');
});

test('where all is well each has its own value, and of rank 0 alone there is one', async () => {
  expect(await valuesOnRanks(2, (ranks) => together(ranks, () => ranks.rank))).toEqual([0, 1]);
  expect(await valuesOnRanks(2, (ranks) => onFirst(ranks, async () => 7))).toEqual([7, undefined]);
});

test('one rank alone throws what it is thrown', async () => {
  const error = new Error('as it was');
  await using ranks = alone();
  await expect(together(ranks, () => Promise.reject(error))).rejects.toBe(error);
  expect(isAgreed(error)).toBe(false);
});
