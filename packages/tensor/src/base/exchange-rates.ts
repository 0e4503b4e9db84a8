/** How fast values of one rank reach the others: a handful of rates, each with what it rests on, as those of an adapter's kernels are. */
import type { Rate } from './rates';

export type ExchangeRateName =
  /** Bytes a second from the device into memory that is mapped for reading, and from memory that was mapped for writing to the device. */
  | 'read'
  | 'write'
  /** Seconds from the end of a copy until its memory is mapped. */
  | 'mapSeconds'
  /** Bytes a second that one rank sends, and receives at once, to and from ranks on other nodes: its share of what its node's network carries. */
  | 'link'
  /** The same to and from ranks on its own node, through the node's memory. */
  | 'memory'
  /** Seconds that a message takes besides, to a rank on another node and to one on its own. */
  | 'linkSeconds'
  | 'memorySeconds'
  /** Seconds of a call of MPI that has nothing to do: from the JavaScript thread to another and back. */
  | 'callSeconds'
  /** Bytes of another rank's values that are added in a second, by one processor. */
  | 'reduce'
  /** Exponentials that a log-sum-exp takes in a second, on the JavaScript thread. */
  | 'logSumExp'
  /** Seconds in which the JavaScript thread encodes a kernel. */
  | 'encodeSeconds';

/** What the cost of exchanges is made of (see `plan/timeline.ts`). */
export type ExchangeRates = Readonly<Record<ExchangeRateName, Rate>>;
