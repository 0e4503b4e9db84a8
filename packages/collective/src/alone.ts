/** One process for itself: every reduction of one value is that value. */
import { hostname } from 'node:os';
import { checkArrays, checkBroadcast, checkOverlap, checkReduction, checkStatus } from './check-call';
import type { Communicator, Numbers, Reduction } from './communicator';
import { CollectiveError } from './errors';

/** Rank 0 of 1. */
export function alone(): Communicator {
  let open = true;
  const checkOpen = (call: string): void => {
    if (!open) throw new CollectiveError('closed', `${call}: the communicator was closed`);
  };
  const copy = <T extends Numbers>(call: string, send: T, receive: T): void => {
    checkOverlap(call, send, receive);
    checkOpen(call);
    if (send !== receive) receive.set(send);
  };
  const reduction =
    (call: string) =>
    async <T extends Numbers>(send: T, receive: T, how: Reduction = 'sum'): Promise<void> => {
      checkArrays(call, [send, 1], [receive, 1]);
      checkReduction(call, send, how);
      copy(call, send, receive);
    };
  const close = async (): Promise<void> => {
    open = false;
  };
  return {
    rank: 0,
    size: 1,
    members: [{ host: hostname(), pid: process.pid }],
    notes: [],
    lost: new AbortController().signal,
    allReduce: reduction('allReduce'),
    reduceScatter: reduction('reduceScatter'),
    allGather: async (send, receive) => {
      checkArrays('allGather', [send, 1], [receive, 1]);
      copy('allGather', send, receive);
    },
    broadcast: async (values, root = 0) => {
      checkBroadcast(values, root, 1);
      checkOpen('broadcast');
    },
    barrier: async () => checkOpen('barrier'),
    abort: (status) => {
      checkStatus(status);
      process.exit(status);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
