/**
 * How fast an adapter runs kernels: a handful of rates, each with what it rests on. A rate is expected, from a data sheet or a rule of thumb that
 * its source names, until it was measured on the adapter itself.
 */

export interface Rate {
  readonly value: number;
  /** What the value rests on, in words. */
  readonly source: string;
  /** Day of its measurement on the adapter itself; absent: it is expected. */
  readonly measured?: string;
}

export type RateName =
  /** flop/s of products on subgroup matrices. Flops are useful ones: what a tile computes outside of its matrix does not count. */
  | 'matrixFlops'
  /** flop/s of other products. */
  | 'productFlops'
  /** flop/s of attention, forward and backward. */
  | 'attentionFlops'
  | 'attentionGradientFlops'
  /** The same of attention on subgroup matrices. */
  | 'matrixAttentionFlops'
  | 'matrixAttentionGradientFlops'
  /** Bytes that an elementwise kernel reads and writes in a second. */
  | 'bytes'
  /** Seconds from one kernel to the next where neither has anything to do. */
  | 'launchSeconds'
  /** Seconds of one step of a thread that adds rows one after another. */
  | 'serialSeconds'
  /** Processors that workgroups go to: fewer workgroups leave some of them idle. */
  | 'processors';

/** What the cost of kernels is made of (see `plan/cost.ts`). */
export type KernelRates = Readonly<Record<RateName, Rate>>;

/** An adapter that nothing else is known of, so that submits are bounded and a plan has an order of magnitude. */
// @__NO_SIDE_EFFECTS__
function guess(value: number): Rate {
  return { value, source: 'a guess, by the kind of adapter alone' };
}

/** Rates of a GPU that nobody measured: those of a small one. */
export const ROUGH_GPU: KernelRates = {
  matrixFlops: guess(1e13),
  productFlops: guess(5e12),
  attentionFlops: guess(1e12),
  attentionGradientFlops: guess(1e12),
  matrixAttentionFlops: guess(4e12),
  matrixAttentionGradientFlops: guess(4e12),
  bytes: guess(3e11),
  launchSeconds: guess(5e-6),
  serialSeconds: guess(1e-7),
  processors: guess(32),
};

/** Rates of a software adapter on a few processors, where a thread has one to itself and so waits for nobody. */
export const ROUGH_CPU: KernelRates = {
  matrixFlops: guess(3e10),
  productFlops: guess(3e10),
  attentionFlops: guess(2e10),
  attentionGradientFlops: guess(2e10),
  matrixAttentionFlops: guess(2e10),
  matrixAttentionGradientFlops: guess(2e10),
  bytes: guess(5e9),
  launchSeconds: guess(5e-5),
  serialSeconds: guess(5e-9),
  processors: guess(1),
};
