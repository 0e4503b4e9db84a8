/** What ranks tell each other once, at the start: JSON in a fixed number of bytes, which is the same in every version, so that versions that differ can still say so. */
import { CollectiveError } from './errors';
import type { Handle, MpiLibrary } from './mpi-library';

const RECORD_BYTES = 2048;

/** This rank's record to all, and theirs in the order of the ranks. */
export type Gather = <R extends object>(record: R) => Promise<R[]>;

export const gatherRecords =
  (library: MpiLibrary, communicator: Handle, size: number): Gather =>
  async <R extends object>(record: R): Promise<R[]> => {
    const all = new Uint8Array(size * RECORD_BYTES);
    const bytes = library.handles.Uint8Array;
    await library.call('MPI_Allgather', encode(record), RECORD_BYTES, bytes, all, RECORD_BYTES, bytes, communicator);
    return Array.from(
      { length: size },
      (_, rank) => decode(all.subarray(rank * RECORD_BYTES, (rank + 1) * RECORD_BYTES)) as R,
    );
  };

function encode(record: object): Uint8Array {
  const padded = new Uint8Array(RECORD_BYTES).fill(32);
  const text = new TextEncoder().encode(JSON.stringify(record));
  if (text.length > RECORD_BYTES)
    throw new CollectiveError('argument', `a record has ${text.length} bytes, more than ${RECORD_BYTES}`);
  padded.set(text);
  return padded;
}

const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));
