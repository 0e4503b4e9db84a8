/**
 * Batch normalisation (Ioffe and Szegedy 2015): y = (x - mean) / sqrt(variance + eps) * weight + bias for each channel, the last axis of x. Training takes mean and
 * variance of the batch, over all other axes, and lets running statistics follow; evaluation takes these. They are state beside the weights, in a group of their own
 * that no optimizer updates:
 *
 *     const batch = batchStatistics(x);
 *     const y = batchNorm(parametersOf(weights.tensors), x, batch);
 *     store(statistics, runningStatistics(parametersOf(statistics.tensors), batch));
 *
 * Statistics are f32 whatever x is. The mean is that of differences to the first row, so that a large offset takes no digits of the sum; the variance is
 * the mean square of the deviations, a second pass, since E[x^2] - E[x]^2 would have none left.
 */
import {
  add,
  cast,
  mean,
  mul,
  reshape,
  rsqrt,
  sizeOf,
  sliceAxis,
  square,
  stopGradient,
  sub,
  type Tensor,
  TensorError,
} from '@franca/tensor';
import { ONES, type ParameterSpec, type ParameterSpecs, type Parameters, parameter, ZEROS } from './parameters';

/** `weight` one and `bias` zero, both [C]. */
export const batchNormSpecs = (C: number): ParameterSpecs => ({
  weight: parameter([C], ONES),
  bias: parameter([C], ZEROS),
});

/** `running_mean` zero and `running_var` one, both [C]. */
export const runningSpecs = (C: number): Record<'running_mean' | 'running_var', ParameterSpec> => ({
  running_mean: parameter([C], ZEROS),
  running_var: parameter([C], ONES),
});

/** Mean and variance of each channel, [C] in f32. */
export interface ChannelStatistics {
  readonly mean: Tensor;
  /** The population's, divided by n. */
  readonly variance: Tensor;
}

export interface BatchStatistics extends ChannelStatistics {
  /** n, the values of a channel. */
  readonly count: number;
}

/** Statistics of the channels of x [.., C]; gradients pass through. Throws `TensorError` with code `shape` for less than two values of a channel. */
export function batchStatistics(x: Tensor): BatchStatistics {
  const C = x.shape.at(-1) ?? 0;
  const count = C === 0 ? 0 : sizeOf(x.shape) / C;
  if (count < 2)
    throw new TensorError(
      'shape',
      `batchStatistics: [${x.shape.join(', ')}] has ${count} values of a channel; a variance needs two or more`,
    );
  const rows = cast(reshape(x, [count, C]), 'f32');
  const first = stopGradient(reshape(sliceAxis(rows, 0, 0, 1), [C]));
  const average = add(first, mean(sub(rows, first), [0]));
  return { mean: average, variance: mean(square(sub(rows, average)), [0]), count };
}

/** x [.., C] normalised by `statistics` (default: the running ones among the parameters), in the type of x. */
export function batchNorm(
  p: Parameters,
  x: Tensor,
  statistics: ChannelStatistics = { mean: p('running_mean'), variance: p('running_var') },
  eps = 1e-5,
): Tensor {
  const normalised = mul(sub(cast(x, 'f32'), statistics.mean), rsqrt(add(statistics.variance, eps)));
  return cast(add(mul(normalised, p('weight')), p('bias')), x.dtype);
}

/** The running statistics after a batch, 1 - momentum of the old and momentum of its own, the variance as that of a sample: divided by n - 1. */
export function runningStatistics(
  p: Parameters,
  { mean: average, variance, count }: BatchStatistics,
  momentum = 0.1,
): { readonly running_mean: Tensor; readonly running_var: Tensor } {
  const follow = (old: Tensor, now: Tensor, share: number): Tensor => add(mul(old, 1 - momentum), mul(now, share));
  return {
    running_mean: follow(p('running_mean'), average, momentum),
    running_var: follow(p('running_var'), variance, (momentum * count) / (count - 1)),
  };
}
