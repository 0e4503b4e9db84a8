import { expect, test } from 'vitest';
import { rankNotes } from './rank-notes';

const shared = (size: number, gpus: number) => ({
  ranks: { rank: 0, size },
  gpus,
  batch: { perDevice: (8 * gpus) / size, group: 8, accumulation: 1, total: 8 * gpus },
});
const before = (ranks: number | undefined) =>
  ({ saved: { made: ranks === undefined ? undefined : { ranks } } }) as never;

test('nothing is said of as many ranks as the run is written for', () => {
  expect(rankNotes(shared(1, 1), undefined)).toEqual([]);
  expect(rankNotes(shared(2, 2), before(2))).toEqual([]);
  expect(rankNotes(shared(1, 1), before(undefined))).toEqual([]);
});

test('other numbers are told, and other ones than before', () => {
  expect(rankNotes(shared(4, 2), before(2))).toEqual([
    '4 ranks: 4 images each of the 2 x 8 that the run is written for (franca.gpus x train.batch_size_per_gpu)',
    'the steps so far were computed on 2 ranks: on 4 the run goes on, but not bit for bit',
  ]);
});
