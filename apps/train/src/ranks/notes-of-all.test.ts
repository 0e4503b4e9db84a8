import { expect, test } from 'vitest';
import { valuesOnRanks } from '../../test/lockstep-communicators';
import { notesOfAll } from './notes-of-all';

test('what only other ranks say stands under their names, once', async () => {
  const printed: string[] = [];
  const said = [['a'], ['a', 'warning: slow'], ['a', 'warning: slow'], []];
  const notes = await valuesOnRanks(4, (ranks) =>
    notesOfAll(ranks, said[ranks.rank]!, (text) => void (ranks.rank === 0 && printed.push(text))),
  );
  expect(printed).toEqual(['rank 1 of 4, node1 and 1 more: warning: slow']);
  for (const all of notes) expect(all).toEqual(['a', ...printed]);
});
