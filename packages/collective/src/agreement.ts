/**
 * What the ranks are about to do, compared before they do it. MPI itself does not notice when one rank sums 3 values and another 4, or gathers: it waits for
 * ever, or gives numbers that mean nothing. Sixteen bytes from every rank, the time of one small message, turn that into an error on all.
 */
import type { Reduction } from './communicator';
import type { Handle, MpiLibrary } from './mpi-library';
import { NUMBER_TYPES, type NumberType } from './number-types';

const CALLS = ['close', 'barrier', 'allReduce', 'reduceScatter', 'allGather', 'broadcast'] as const;
const REDUCTIONS: readonly Reduction[] = ['sum', 'max', 'logSumExp'];

export interface Call {
  readonly name: (typeof CALLS)[number];
  readonly type?: NumberType;
  readonly length?: number;
  readonly how?: Reduction;
  readonly root?: number;
}

/** What every rank calls. */
export async function callsOfRanks(
  library: MpiLibrary,
  communicator: Handle,
  size: number,
  call: Call,
): Promise<Call[]> {
  const all = new Int32Array(size * 4);
  const ints = library.handles.Int32Array;
  await library.call('MPI_Allgather', encode(call), 4, ints, all, 4, ints, communicator);
  return Array.from({ length: size }, (_, rank) => decode(all.subarray(rank * 4, rank * 4 + 4)));
}

const encode = ({ name, type, length, how, root }: Call): Int32Array =>
  Int32Array.of(
    CALLS.indexOf(name),
    type ? NUMBER_TYPES.indexOf(type) : -1,
    length ?? -1,
    how ? REDUCTIONS.indexOf(how) : (root ?? 0),
  );

function decode([name, type, length, detail]: Int32Array): Call {
  const call = { name: CALLS[name!]!, type: NUMBER_TYPES[type!]!, length: length! };
  if (call.name === 'broadcast') return { ...call, root: detail! };
  return call.name.includes('educe') ? { ...call, how: REDUCTIONS[detail!]! } : call;
}

/** `allReduce sum of Float32Array [3]`. */
export function callText({ name, type, length, how, root }: Call): string {
  const detail = how ?? (root === undefined ? '' : `from rank ${root}`);
  return [name, detail, type && `of ${type} [${length}]`].filter(Boolean).join(' ');
}
