/** What an error of MPI ends. MPI is played here, since those that are installed do not fail when asked to. */
import { expect, test } from 'vitest';
import { callQueue } from './call-queue';
import { CollectiveError } from './errors';
import { mpiCommunicator } from './mpi-communicator';
import type { MpiLibrary } from './mpi-library';

/** One rank over an MPI that cannot exchange, and what was called. */
function failing() {
  const called: string[] = [];
  const call: MpiLibrary['call'] = async (name, ...args) => {
    called.push(name);
    if (name === 'MPI_Alltoallv') throw new CollectiveError('mpi', 'MPI_Alltoallv: unreachable');
    const [send, , , receive] = args;
    if (name === 'MPI_Allgather') (receive as Int32Array).set(send as Int32Array);
  };
  const library = { call, handles: {} } as unknown as MpiLibrary;
  const on = { library, communicator: 0, rank: 0, size: 1, scratch: (bytes: number) => new ArrayBuffer(bytes) };
  const [queue, lost] = [callQueue(), new AbortController()];
  const line = { unconnected: [], end: () => void called.push('goodbye') };
  const ranks = mpiCommunicator(on, [{ host: 'one', pid: 1 }], { queue, lost: lost.signal, line });
  return { called, queue, lost, ranks };
}

test('after an error of MPI nothing more is asked of it, and closing does not wait', async () => {
  const { ranks, called } = failing();
  const values = new Float32Array(4);
  const calls = await Promise.allSettled([ranks.allReduce(values, values), ranks.barrier()]);
  for (const call of calls) expect(call).toMatchObject({ reason: { code: 'mpi' } });
  await ranks.close();
  expect(called).toEqual(['MPI_Allgather', 'MPI_Alltoallv', 'goodbye']);
});

test('where a rank has died its name is the error, not what MPI makes of it', async () => {
  const { ranks, queue, lost } = failing();
  const values = new Float32Array(4);
  const sum = ranks.allReduce(values, values);
  setTimeout(() => {
    const reason = new CollectiveError('rank', 'rank 1 (two, process 2) is gone: its connection closed');
    queue.fail(reason);
    lost.abort(reason);
  }, 50);
  await expect(sum).rejects.toMatchObject({ code: 'rank' });
});
