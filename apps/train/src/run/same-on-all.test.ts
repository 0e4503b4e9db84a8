import { expect, test } from 'vitest';
import { lockstepCommunicators, onRanks } from '../../test/lockstep-communicators';
import { type RankFacts, sameOnAll, unlikeFirst } from './same-on-all';

const names = (count: number) => ({ count, sha256: `of ${count}`, some: [] });
const facts: RankFacts = {
  made: {
    config: { train: { seed: 0 } },
    precision: 'f32',
    data: { train: names(40), val: names(8), classes: names(3) },
  },
  from: 0,
  adapter: 'card',
};
const DIFFERENCES: [string, Partial<RankFacts>, RegExp][] = [
  ['settings', { made: { ...facts.made, config: { train: { seed: 1 } } } }, /train\.seed 0 -> 1/],
  ['precision', { made: { ...facts.made, precision: 'f16' } }, /in f16 on card, rank 0 in f32/],
  ['pictures', { made: { ...facts.made, data: { ...facts.made.data, train: names(39) } } }, /40 pictures and are 39/],
  [
    'a frozen teacher',
    { made: { ...facts.made, teacher: { file: 'there.safetensors', sha256: 'other' } } },
    /its frozen teacher has other weights \(there\.safetensors\)/,
  ],
  ['the step it goes on from', { from: 7 }, /from step 7, rank 0 from step 0/],
];

test.each(DIFFERENCES)('a rank with other %s is named and refused by all', async (_, other, message) => {
  const outcomes = await onRanks(3, (ranks) => sameOnAll(ranks, ranks.rank === 2 ? { ...facts, ...other } : facts));
  for (const outcome of outcomes) {
    const { reason } = outcome as PromiseRejectedResult;
    expect(reason.message).toMatch(/^rank 2 of 3, node2, would compute another run than rank 0/);
    expect(reason.message).toMatch(message);
  }
});

test('other adapters and other kernels are allowed, with a warning', async () => {
  const adapters = await onRanks(2, (ranks) => sameOnAll(ranks, { ...facts, adapter: `card ${ranks.rank}` }));
  expect(adapters[1]).toMatchObject({ value: ['card 0', 'card 1'] });
  const [ranks] = lockstepCommunicators(2);
  expect(unlikeFirst(ranks!, ['a', 'a'], ['k', 'k'])).toEqual([]);
  expect(unlikeFirst(ranks!, ['a', 'b'], ['k', 'l'])[0]).toMatch(
    /not all ranks compute on a \(rank 1 of 2, node1: b\)/,
  );
  expect(unlikeFirst(ranks!, ['a', 'a'], ['k', 'l'])[0]).toMatch(/rank 1 of 2, node1, computes by other kernels/);
});
