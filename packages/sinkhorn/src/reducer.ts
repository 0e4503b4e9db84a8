/**
 * A reduction over all ranks of a distributed run, as a `Communicator` of `@franca/collective` offers it. Every rank calls the same functions in the same order with
 * arrays of the same length.
 */
export interface Reducer {
  /** `receive` becomes sum_r x_r or log sum_r exp(x_r) over the ranks' `send`, value by value; both may be one array. Minus infinity adds nothing to a log sum. */
  allReduce(send: Float64Array, receive: Float64Array, how: 'sum' | 'logSumExp'): Promise<void>;
}
