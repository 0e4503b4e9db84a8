/**
 * What processes that work together ask of each other. Rank r of `size` makes the same calls in the same order as all others, with arrays of the
 * same type and length; a call resolves when the values are there. Sums are taken in the order of the ranks, ((x_0 + x_1) + x_2) + ...,
 * whatever the engine underneath would choose: the bits of a result depend on the values and on the number of ranks only.
 */

/** What is exchanged: row-major values of one type. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** How values of the ranks become one: `logSumExp` is log sum_r exp(x_r), of floats, worked out in f64. */
export type Reduction = 'sum' | 'max' | 'logSumExp';

/** Who a rank is. */
export interface Member {
  readonly host: string;
  /** Its process on that host. */
  readonly pid: number;
}

/**
 * Calls may overlap: they are made in the order in which they were called. Until one resolves, its arrays are neither changed nor unmapped.
 * Before values are exchanged the ranks compare what they call: where that differs, all of them reject with `argument`, or with `rank` if one
 * has closed.
 */
export interface Communicator extends AsyncDisposable {
  /** This process among `size`, from 0. */
  readonly rank: number;
  readonly size: number;
  /** Every rank, in order. */
  readonly members: readonly Member[];
  /** What is not as it should be and yet no error: each a sentence for people. */
  readonly notes: readonly string[];
  /**
   * Aborted once a rank is gone, with the `CollectiveError` of code `rank` that names it as its reason. From then on every call rejects with
   * it, also those that wait; the process should end by `process.exit` or an error: what waits inside MPI never returns, and would keep it alive.
   */
  readonly lost: AbortSignal;
  /** `receive` [n] becomes the reduction of all ranks' `send` [n] on every rank; both may be one array. */
  allReduce<T extends Numbers>(send: T, receive: T, how?: Reduction): Promise<void>;
  /** `receive` [n / size] becomes this rank's stretch of the reduction of `send` [n]. */
  reduceScatter<T extends Numbers>(send: T, receive: T, how?: Reduction): Promise<void>;
  /** `receive` [size n] becomes `send` [n] of all ranks, one after the other; `send` may be this rank's stretch of `receive`. */
  allGather<T extends Numbers>(send: T, receive: T): Promise<void>;
  /** `values` become those of the rank `root` (default 0). */
  broadcast(values: Numbers, root?: number): Promise<void>;
  /** Resolves when all ranks have called it. */
  barrier(): Promise<void>;
  /** Ends all processes of the job at once, with this exit status. Does not return. */
  abort(status: number): never;
  /** Leaves in peace; every rank must, and none has left before all have called it. Nothing can be called afterwards. */
  close(): Promise<void>;
}
