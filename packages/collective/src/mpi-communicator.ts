/** The communicator over MPI: every call is checked, waits for its turn, is compared with what the other ranks call, and made. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, callsOfRanks, callText } from './agreement';
import type { CallQueue } from './call-queue';
import { checkArrays, checkBroadcast, checkOverlap, checkReduction, checkStatus } from './check-call';
import { allGather, allReduce, broadcast, type Exchange, reduceScatter } from './collectives';
import type { Communicator, Member, Numbers, Reduction } from './communicator';
import { CollectiveError } from './errors';
import type { LifeLine } from './life-line';
import { numberType } from './number-types';
import { rankName } from './versions';

interface Parts {
  readonly queue: CallQueue;
  readonly lost: AbortSignal;
  readonly line: LifeLine;
}

/** Where MPI fails a rank may have died, whose name the life line knows within this. */
const NAME_MS = 2000;

export function mpiCommunicator(on: Exchange, members: readonly Member[], parts: Parts): Communicator {
  const { library, rank, size } = on;
  const { queue, lost, line } = parts;
  let closed: Promise<void> | undefined;
  /** Does `work` in its turn, once all ranks are about to do the same. */
  const inTurn = (call: Call, work: () => Promise<void>): Promise<void> => {
    if (closed) throw new CollectiveError('closed', `${call.name}: the communicator was closed`);
    return queue.run(() =>
      endedByMpi(parts, async () => {
        agree(await callsOfRanks(library, on.communicator, size, call), rank, members);
        await work();
      }),
    );
  };
  const reduction =
    (name: 'allReduce' | 'reduceScatter', share: number, work: typeof allReduce) =>
    async <T extends Numbers>(send: T, receive: T, how: Reduction = 'sum'): Promise<void> => {
      checkArrays(name, [send, share], [receive, 1]);
      checkReduction(name, send, how);
      checkOverlap(name, send, receive);
      await inTurn({ name, type: numberType(send)!, length: send.length, how }, () => work(on, send, receive, how));
    };
  const close = (): Promise<void> => (closed ??= leave(on, parts));
  return {
    rank,
    size,
    members,
    notes: notesOn(line, members),
    lost,
    allReduce: reduction('allReduce', 1, allReduce),
    reduceScatter: reduction('reduceScatter', size, reduceScatter),
    async allGather(send, receive) {
      checkArrays('allGather', [send, 1], [receive, size]);
      const call: Call = { name: 'allGather', type: numberType(send)!, length: send.length };
      await inTurn(call, () => allGather(on, send, receive));
    },
    async broadcast(values, root = 0) {
      checkBroadcast(values, root, size);
      const call: Call = { name: 'broadcast', type: numberType(values)!, length: values.length, root };
      await inTurn(call, () => broadcast(on, values, root));
    },
    barrier: async () => inTurn({ name: 'barrier' }, async () => {}),
    abort(status) {
      checkStatus(status);
      library.callNow('MPI_Abort', on.communicator, status);
      process.exit(status);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @throws CollectiveError where ranks call different things: `rank` if one has closed, else `argument` */
function agree(calls: readonly Call[], rank: number, members: readonly Member[]): void {
  const own = callText(calls[rank]!);
  const other = calls.findIndex((call) => callText(call) !== own);
  if (other < 0) return;
  const closed = calls.findIndex(({ name }) => name === 'close');
  const [who, code] = closed < 0 ? [other, 'argument' as const] : [closed, 'rank' as const];
  throw new CollectiveError(
    code,
    `${rankName(who, members[who]!)} calls ${callText(calls[who]!)} where this rank calls ${own}; all ranks make the same calls in the same order`,
  );
}

/**
 * Waits until all ranks close. One that calls something else meanwhile learns by that call that this rank has closed, fails, and closes too or ends: so an error on one
 * rank ends all of them, also where `await using` closes before anybody has seen it. What has failed already was told to whoever called it, and is
 * not told again: there is nothing left to close.
 */
async function leave({ library, communicator, size }: Exchange, parts: Parts): Promise<void> {
  const together = async (): Promise<void> => {
    let calls: Call[];
    do calls = await callsOfRanks(library, communicator, size, { name: 'close' });
    while (calls.some(({ name }) => name !== 'close'));
    await library.call('MPI_Finalize');
  };
  try {
    await parts.queue.run(() => endedByMpi(parts, together));
  } catch (error) {
    if (error !== parts.queue.failure) throw error;
  } finally {
    parts.line.end();
  }
}

/** After an error of MPI no call can be relied on: it ends the communicator, by the name of the rank that died if one did. */
async function endedByMpi({ queue, lost }: Parts, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CollectiveError) || error.code !== 'mpi') throw error;
    await sleep(NAME_MS, undefined, { signal: lost }).catch(() => {});
    queue.fail(error);
    throw queue.failure;
  }
}

const notesOn = ({ unconnected }: LifeLine, members: readonly Member[]): string[] =>
  unconnected.map(
    (rank) =>
      `${rankName(rank, members[rank]!)} cannot connect to rank 0 (${members[0]!.host}), a firewall perhaps: where a rank dies, the others may wait until the launcher ends them`,
  );
