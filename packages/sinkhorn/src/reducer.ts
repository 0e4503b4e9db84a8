/**
 * Sums over all ranks of a distributed run, as an engine such as MPI offers them. Every rank calls the same functions in
 * the same order with arrays of the same length.
 */
export interface Reducer {
  /** Replaces each value by its maximum over the ranks. */
  allReduceMax(values: Float64Array): Promise<void>;
  /** Replaces each value by its sum over the ranks. */
  allReduceSum(values: Float64Array): Promise<void>;
}
