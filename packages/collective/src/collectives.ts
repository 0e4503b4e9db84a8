/**
 * The exchanges themselves. A reduction is an all-to-all in which every rank receives its own stretch of everyone's values, a sum of these in the order of the
 * ranks, and an all-gather of the stretches: 2 (size - 1) / size of the array through each rank, what a ring moves too, with the
 * order fixed, which MPI_Allreduce leaves to the algorithm that it picks by size and number of ranks.
 */
import type { Numbers, Reduction } from './communicator';
import { logSumExpOfRanks, maxOfRanks } from './float-reductions';
import type { Handle, MpiLibrary } from './mpi-library';
import { isFloat, numberType, viewAs } from './number-types';
import { equalStretches, type Stretches, stretchesOf } from './stretches';

/** The ranks as MPI has them, and memory that is kept. */
export interface Exchange {
  readonly library: MpiLibrary;
  readonly communicator: Handle;
  readonly rank: number;
  readonly size: number;
  /** At least `bytes`, with anything in it. */
  scratch(bytes: number): ArrayBuffer;
}

/** Values that go at once: bounds the scratch memory, and keeps counts within 32 bits. */
const PIECE: number = 1 << 24;
/** Fewer values are added here rather than on another thread, which takes as long as adding thousands. */
const FEW = 8192;

/** Memory that grows and is used again. */
export function growingScratch(): Exchange['scratch'] {
  let memory = new ArrayBuffer(0);
  return (bytes) => {
    if (memory.byteLength < bytes) memory = new ArrayBuffer(bytes);
    return memory;
  };
}

export async function allReduce<T extends Numbers>(on: Exchange, send: T, receive: T, how: Reduction): Promise<void> {
  for (const [start, end] of pieces(send.length)) {
    const stretches = stretchesOf(end - start, on.size);
    const own = await reduceStretch(on, part(send, start, end), stretches, how);
    await gatherStretches(on, own, part(receive, start, end), stretches);
  }
}

export async function reduceScatter<T extends Numbers>(
  on: Exchange,
  send: T,
  receive: T,
  how: Reduction,
): Promise<void> {
  receive.set(await reduceStretch(on, send, equalStretches(receive.length, on.size), how));
}

export async function allGather<T extends Numbers>(on: Exchange, send: T, receive: T): Promise<void> {
  let own = send;
  if (send.buffer === receive.buffer) {
    own = viewAs(send, on.scratch(send.byteLength), send.length);
    own.set(send);
  }
  await gatherStretches(on, own, receive, equalStretches(send.length, on.size));
}

export async function broadcast(on: Exchange, values: Numbers, root: number): Promise<void> {
  for (const [start, end] of pieces(values.length))
    await on.library.call(
      'MPI_Bcast',
      part(values, start, end),
      end - start,
      typeOf(on, values),
      root,
      on.communicator,
    );
}

/** This rank's stretch of the reduction of `send`, in scratch memory. */
async function reduceStretch<T extends Numbers>(
  on: Exchange,
  send: T,
  stretches: Stretches,
  how: Reduction,
): Promise<T> {
  const { library, size, rank, communicator } = on;
  const type = typeOf(on, send);
  const n = stretches.counts[rank]!;
  const all = viewAs(send, on.scratch(n * size * send.BYTES_PER_ELEMENT), n * size);
  const { counts, starts } = equalStretches(n, size);
  const out = [send, stretches.counts, stretches.starts, type] as const;
  await library.call('MPI_Alltoallv', ...out, all, counts, starts, type, communicator);
  const own = part(all, 0, n);
  if (how === 'logSumExp') logSumExpOfRanks(all as Float32Array | Float64Array, size);
  else if (how === 'max' && isFloat(numberType(send)!)) maxOfRanks(all as Float32Array | Float64Array, size);
  else
    for (let other = 1; other < size; other++) {
      const args = [part(all, other * n, (other + 1) * n), own, n, type, library.handles[how]] as const;
      if (n < FEW) library.callNow('MPI_Reduce_local', ...args);
      else await library.call('MPI_Reduce_local', ...args);
    }
  return own;
}

/** `own` of every rank to its place in `receive`. */
async function gatherStretches(
  on: Exchange,
  own: Numbers,
  receive: Numbers,
  { counts, starts }: Stretches,
): Promise<void> {
  const type = typeOf(on, receive);
  await on.library.call('MPI_Allgatherv', own, own.length, type, receive, counts, starts, type, on.communicator);
}

const typeOf = ({ library }: Exchange, values: Numbers): Handle => library.handles[numberType(values)!];

const part = <T extends Numbers>(values: T, start: number, end: number): T => values.subarray(start, end) as T;

/** [start, end) of each piece of `n` values. */
function* pieces(n: number): Generator<[number, number]> {
  for (let start = 0; start < n; start += PIECE) yield [start, Math.min(n, start + PIECE)];
}
