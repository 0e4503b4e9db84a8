/**
 * A command that several processes run together, as `mpirun` or `srun` started them; with one process it is what it always was. However it ends, all end: with an
 * error that all know of in peace, and with one that only this rank has, or where a rank is gone, at once.
 */
import { type Communicator, openCommunicator } from '@franca/collective';
import { ownVersion } from '../own-version';
import { errorText, exitStatus } from '../text/error-text';
import { isAgreed, markTold } from './known-to-all';
import { rankName } from './rank-name';

/** How ranks end that cannot go on. */
export interface Ending {
  /** Lines that follow the error: how to go on. */
  advice: () => readonly string[];
}

/** Opens the ranks, does `work` and closes them. Of several ranks one prints the error that it throws; nothing is left to print then. */
export async function withRanks(work: (ranks: Communicator, ending: Ending) => Promise<void>): Promise<void> {
  const ranks = await openCommunicator({ version: `franca-train ${ownVersion()}` }).catch(endUnmet);
  const ending: Ending = { advice: () => [] };
  // whatever this rank is doing: the state of a step that lacks a rank is no state to save
  ranks.lost.addEventListener('abort', () => endWithout(ranks, ranks.lost.reason, ending), { once: true });
  try {
    await work(ranks, ending);
  } catch (error) {
    if (ranks.size === 1) throw error;
    if (!isAgreed(error)) endAll(ranks, error, ending);
    if (ranks.rank === 0) console.error(`franca-train: ${errorText(error)}`);
    // the launcher ends the others when one ends: not before it is printed
    await ranks.close();
    throw markTold(error);
  }
  await ranks.close();
}

/** Ends a rank that did not meet the others. A thread may wait for them inside MPI, and Node would wait for that thread. */
function endUnmet(error: unknown): never {
  print([errorText(error)]);
  process.exit(exitStatus(error));
}

/** Ends all ranks on account of an error that only this one has. */
export function endAll(ranks: Communicator, error: unknown, { advice }: Ending): never {
  print([`${rankName(ranks, ranks.rank)}: ${errorText(error)}`, ...advice()]);
  ranks.abort(exitStatus(error));
}

/** Ends this rank where another one is gone, as each of those that are left does; the lowest of them tells. */
function endWithout({ rank }: Communicator, lost: Error, { advice }: Ending): never {
  const lowestLeft = lost.message.startsWith('rank 0 ') ? 1 : 0;
  if (rank === lowestLeft) print([errorText(lost), ...advice()]);
  process.exit(1);
}

const print = ([error, ...more]: readonly string[]): void => {
  for (const line of [`franca-train: ${error}`, ...more]) console.error(line);
};
