import { expect, test } from 'vitest';
import { valuesOnRanks } from '../../test/lockstep-communicators';
import { fromFirst, gatherNumbers, gatherRecords, gatherShares, gatherTexts } from './exchange';

test('numbers, texts of any length and records come in the order of the ranks', async () => {
  const texts = ['', 'zwölf', 'a longer text'];
  const said = await valuesOnRanks(3, async (ranks) => ({
    numbers: await gatherNumbers(ranks, [ranks.rank, 0.1]),
    texts: await gatherTexts(ranks, texts[ranks.rank]!),
    records: await gatherRecords(ranks, ranks.rank === 1 ? null : { at: ranks.rank }),
  }));
  for (const { numbers, texts: all, records } of said) {
    expect(numbers).toEqual([
      [0, 0.1],
      [1, 0.1],
      [2, 0.1],
    ]);
    expect(all).toEqual(texts);
    expect(records).toEqual([{ at: 0 }, null, { at: 2 }]);
  }
});

test('what rank 0 knows is on all ranks, undefined too', async () => {
  const known = await valuesOnRanks(2, async (ranks) => [
    await fromFirst(ranks, { rank: ranks.rank }),
    await fromFirst(ranks, undefined),
  ]);
  expect(known).toEqual([
    [{ rank: 0 }, undefined],
    [{ rank: 0 }, undefined],
  ]);
});

test('rows in shares of different lengths come together in order', async () => {
  const counts = [2, 0, 1];
  const rows = [[1, 2, 3, 4], [], [5, 6]];
  const all = await valuesOnRanks(3, (ranks) => gatherShares(ranks, Float32Array.from(rows[ranks.rank]!), counts, 2));
  for (const gathered of all) expect([...gathered]).toEqual([1, 2, 3, 4, 5, 6]);
});
