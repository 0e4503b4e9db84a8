/** Ranks in one process with all that a communicator has; a call resolves when all ranks have made it. */
import type { Communicator, Numbers } from '@franca/collective';
import { lockstepRanks } from '../../../test/support/lockstep-ranks';

/** `size` ranks, each on a host of its own; `abort` throws. */
export const lockstepCommunicators = (size: number): Communicator[] =>
  lockstepRanks(size).map((ranks): Communicator => {
    const calls = ranks as unknown as Pick<Communicator, 'allReduce' | 'reduceScatter' | 'allGather'>;
    const broadcast = async (values: Numbers, root = 0): Promise<void> => {
      const all = new (values.constructor as new (length: number) => Numbers)(size * values.length);
      await calls.allGather(values, all);
      values.set(all.subarray(root * values.length, (root + 1) * values.length));
    };
    const close = async (): Promise<void> => {};
    return {
      rank: ranks.rank,
      size,
      members: Array.from({ length: size }, (_, rank) => ({ host: `node${rank}`, pid: 100 + rank })),
      notes: [],
      lost: new AbortController().signal,
      allReduce: calls.allReduce,
      reduceScatter: calls.reduceScatter,
      allGather: calls.allGather,
      broadcast,
      barrier: () => broadcast(new Uint8Array(1)),
      abort: (status) => {
        throw new Error(`rank ${ranks.rank} ends all with status ${status}`);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  });

/** What each of `size` ranks comes to. */
export const onRanks = <T>(
  size: number,
  work: (ranks: Communicator) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> => Promise.allSettled(lockstepCommunicators(size).map(work));

/** Their values; throws the first error. */
export const valuesOnRanks = <T>(size: number, work: (ranks: Communicator) => Promise<T>): Promise<T[]> =>
  Promise.all(lockstepCommunicators(size).map(work));
