/**
 * The processes that run one step together, as the engine asks for them; `Communicator` of `@franca/collective` is one. Every rank makes the same
 * calls in the same order. A reduction is taken in the order of the ranks, so that its bits depend on the values and on the number of ranks only.
 */

/** How values of the ranks become one: `logSumExp` is log sum_r exp(x_r). */
export type Reduction = 'sum' | 'max' | 'logSumExp';

export interface Ranks {
  /** This process among `size`, from 0. */
  readonly rank: number;
  readonly size: number;
  /** `receive` [n] becomes the reduction of all ranks' `send` [n]. */
  allReduce(send: Float32Array, receive: Float32Array, how: Reduction): Promise<void>;
  /** `receive` [n / size] becomes this rank's stretch of the reduction of `send` [n]. */
  reduceScatter(send: Float32Array, receive: Float32Array, how: Reduction): Promise<void>;
  /** `receive` [size n] becomes `send` [n] of all ranks, one after the other. */
  allGather(send: Float32Array, receive: Float32Array): Promise<void>;
}
