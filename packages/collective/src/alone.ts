/** One process for itself: every reduction of one value is that value. */
import { hostname } from 'node:os';
import type { Communicator, Numbers } from './communicator';
import { CollectiveError } from './errors';

/** Rank 0 of 1. */
export function alone(): Communicator {
  let open = true;
  const copy = async <T extends Numbers>(send: T, receive: T): Promise<void> => {
    if (!open) throw new CollectiveError('closed', 'the communicator was closed; open another one');
    if (send.length !== receive.length || send.constructor !== receive.constructor)
      throw new CollectiveError(
        'argument',
        `${send.constructor.name} [${send.length}] does not go into ${receive.constructor.name} [${receive.length}]`,
      );
    if (send !== receive) receive.set(send);
  };
  const close = async (): Promise<void> => {
    open = false;
  };
  return {
    rank: 0,
    size: 1,
    members: [{ host: hostname(), pid: process.pid }],
    allReduce: copy,
    reduceScatter: copy,
    allGather: copy,
    broadcast: (values) => copy(values, values),
    barrier: () => copy(new Uint8Array(), new Uint8Array()),
    abort: (status) => process.exit(status),
    close,
    [Symbol.asyncDispose]: close,
  };
}
