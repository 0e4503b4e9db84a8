/**
 * A command that several processes run together, as `mpirun` or `srun` started them; with one process it is what it always was. However it ends, all end: with an
 * error that all know of in peace, and with one that only this rank has, or where a rank is gone, at once.
 */
import { alone, CollectiveError, type Communicator } from '@franca/collective';
import { errorText, exitStatus } from '../text/error-text';
import { isAgreed, markTold } from './known-errors';
import { rankName } from './rank-name';

/** Opens the ranks, does `work` and closes them. Rank 0 prints an error that all have; nothing is left to print then. */
export async function withRanks(work: (ranks: Communicator) => Promise<void>): Promise<void> {
  const ranks = alone();
  try {
    await work(ranks);
  } catch (error) {
    if (ranks.size === 1) throw error;
    if (!isAgreed(error)) endAll(ranks, error, []);
    if (ranks.rank === 0) console.error(`franca-train: ${errorText(error)}`);
    // the launcher ends the others when one ends: not before it is printed
    await ranks.barrier();
    await ranks.close();
    throw markTold(error);
  }
  await ranks.close();
}

/** Ends all ranks on account of an error of this one, or of a rank that is gone. `more`: lines that follow the error. */
export function endAll(ranks: Communicator, error: unknown, more: readonly string[]): never {
  const isLost = error instanceof CollectiveError && error.code === 'rank';
  if (!isLost || isLowestLiving(ranks, error))
    for (const line of [`franca-train: ${rankName(ranks, ranks.rank)}: ${errorText(error)}`, ...more])
      console.error(line);
  // the others know of a lost rank too, and a call that waits for it would be aborted in vain
  if (isLost) process.exit(1);
  ranks.abort(exitStatus(error));
}

/** One of those that are left tells of it. */
const isLowestLiving = ({ rank }: Communicator, { message }: Error): boolean =>
  rank === (message.startsWith('rank 0 ') ? 1 : 0);
