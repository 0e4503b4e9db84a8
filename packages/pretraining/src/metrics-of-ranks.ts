/** Metrics of all ranks, at the end of a step and in one message: the means of scalars, and the choices of the samples of all. */
import { allGather, concat, mul, reshape, sliceAxis, sum, type Tensor } from '@franca/tensor';

/** Metrics of a rank, or of all. */
export interface RankMetrics<M extends string> {
  /** Scalars. */
  readonly means: Readonly<Record<M, Tensor>>;
  /** One per sample [n]; of all ranks [size n], one rank after the other. */
  readonly choices: Tensor;
}

/** Those of `size` ranks, which have equal shares of a batch. */
export function metricsOfRanks<M extends string>(own: RankMetrics<M>, size: number): RankMetrics<M> {
  if (size === 1) return own;
  const names = Object.keys(own.means) as M[];
  const scalars = names.map((name) => reshape(own.means[name], [1]));
  const row = concat([...scalars, own.choices]);
  const columns = row.shape[0]!;
  const rows = allGather(reshape(row, [1, columns]), size);
  const means = mul(sum(sliceAxis(rows, 1, 0, names.length), [0]), 1 / size);
  const meanOf = (i: number): Tensor => reshape(sliceAxis(means, 0, i, i + 1), []);
  return {
    means: Object.fromEntries(names.map((name, i) => [name, meanOf(i)])) as Record<M, Tensor>,
    choices: reshape(sliceAxis(rows, 1, names.length, columns), [size * own.choices.shape[0]!]),
  };
}
