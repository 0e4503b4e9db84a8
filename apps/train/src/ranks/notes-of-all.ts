/** What ranks have to say of themselves, for the one record of a run. */
import type { Communicator } from '@franca/collective';
import { gatherRecords } from './exchange';
import { rankName } from './rank-name';

/** The notes of rank 0, and under their names what others say beside it, which are told to `say`; the same on all ranks. */
export async function notesOfAll(
  ranks: Communicator,
  own: readonly string[],
  say: (text: string) => void,
): Promise<string[]> {
  const all = ranks.size === 1 ? [own] : await gatherRecords(ranks, own);
  const first = all[0]!;
  const more = new Map<string, number[]>();
  for (const [rank, notes] of all.entries())
    for (const note of notes) if (!first.includes(note)) more.set(note, [...(more.get(note) ?? []), rank]);
  const named = [...more].map(
    ([note, [lowest, ...others]]) =>
      `${rankName(ranks, lowest!)}${others.length > 0 ? ` and ${others.length} more` : ''}: ${note}`,
  );
  for (const text of named) say(text);
  return [...first, ...named];
}
