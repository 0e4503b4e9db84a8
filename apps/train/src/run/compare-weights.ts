/**
 * Every rank holds all weights and updates them by the same reduced gradients, so that they stay the same to the bit: unless a device or its memory computes wrong,
 * or a program does. A hash of student and teacher tells; who differs from most has drifted.
 */
import { createHash } from 'node:crypto';
import type { Communicator } from '@franca/collective';
import type { State } from '@franca/tensor';
import { TrainError } from '../errors';
import { gatherTexts } from '../ranks/exchange';
import { markAgreed } from '../ranks/known-to-all';
import { rankName } from '../ranks/rank-name';
import { together } from '../ranks/together';

/** Throws TrainError `run` on all ranks where the weights of one are not those of the others. @param when in words: `after step 12` */
export async function compareWeights(
  ranks: Communicator,
  state: Pick<State, 'layout' | 'read'>,
  when: string,
): Promise<void> {
  if (ranks.size === 1) return;
  const own = await together(ranks, () => hashOf(state));
  const drifted = unlikeMost(await gatherTexts(ranks, own));
  if (drifted.length === 0) return;
  const names = drifted.map((rank) => rankName(ranks, rank)).join('; ');
  throw markAgreed(
    new TrainError(
      'run',
      `the weights of ${names} are not those of the other ranks ${when}: its device or memory computes wrong, or another kind of device than theirs; nothing of this was saved`,
    ),
  );
}

async function hashOf(state: Pick<State, 'layout' | 'read'>): Promise<string> {
  const hash = createHash('sha256');
  for (const group of ['student', 'teacher'])
    for (const name of Object.keys(state.layout[group]!.segments)) {
      const { buffer, byteOffset, byteLength } = await state.read(group, name);
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  return hash.digest('hex');
}

/** The ranks whose value is not the most frequent one; of two as frequent, that of the lowest rank counts. */
export function unlikeMost(values: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const usual = values.find((value) => counts.get(value) === most);
  return values.flatMap((value, rank) => (value === usual ? [] : [rank]));
}
