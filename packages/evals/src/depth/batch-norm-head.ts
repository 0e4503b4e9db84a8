/**
 * DINOv3's linear depth head: batch norm (Ioffe & Szegedy, 2015) on the tokens, one 1 x 1 convolution to the bins at the token grid.
 *
 * In training each channel is normalised by mean and population variance over the tokens of the batch, and running averages follow, 0.9 old + 0.1 new, the
 * variance as the unbiased one; predictions use the running averages. Tokens have no gradient, so neither have the statistics.
 */

import { normal, ONES, type ParameterSpecs, type Parameters, parameter, ZEROS } from '@franca/nn';
import { add, assign, concat, matmul, mean, mul, reshape, rsqrt, square, sub, type Tensor } from '@franca/tensor';
import { BINS, depthOfLogits } from './depth-heads';

const EPS = 1e-5;
const MOMENTUM = 0.1;

export const batchNormHeadSpecs = (dim: number): ParameterSpecs => ({
  'batchnorm_layer.weight': parameter([dim], ONES),
  'batchnorm_layer.bias': parameter([dim], ZEROS),
  'conv_depth.weight': parameter([BINS, dim, 1, 1], normal(0.01)),
  'conv_depth.bias': parameter([BINS], ZEROS),
});

/** The running averages, beside the parameters since no gradient moves them. */
export const statisticsSpecs = (dim: number): ParameterSpecs => ({
  'batchnorm_layer.running_mean': parameter([dim], ZEROS),
  'batchnorm_layer.running_var': parameter([dim], ONES),
});

/** Depth maps `[B, rows, cols]` at the token grid; `statistics` move along where the head is training. */
export function batchNormDepth(
  p: Parameters,
  levels: readonly Tensor[],
  statistics: Readonly<Record<string, Tensor>>,
  { training }: { readonly training: boolean },
): Tensor {
  const joined = concat(levels, 3);
  const [B, h, w, D] = joined.shape as [number, number, number, number];
  const tokens = reshape(joined, [B * h * w, D]);
  const [average, variance] = training ? movedStatistics(tokens, statistics) : runningStatistics(statistics);
  const normalised = mul(sub(tokens, average), rsqrt(add(variance, EPS)));
  const scaled = add(mul(normalised, p('batchnorm_layer.weight')), p('batchnorm_layer.bias'));
  const weight = reshape(p('conv_depth.weight'), [BINS, D]);
  const logits = add(matmul(scaled, weight, { transposeB: true }), p('conv_depth.bias'));
  return depthOfLogits(reshape(logits, [B, h, w, BINS]));
}

const runningStatistics = (statistics: Readonly<Record<string, Tensor>>): [Tensor, Tensor] => [
  statistics['batchnorm_layer.running_mean']!,
  statistics['batchnorm_layer.running_var']!,
];

function movedStatistics(tokens: Tensor, statistics: Readonly<Record<string, Tensor>>): [Tensor, Tensor] {
  const rows = tokens.shape[0]!;
  const average = mean(tokens, [0]);
  const variance = mean(square(sub(tokens, average)), [0]);
  const [runningMean, runningVariance] = runningStatistics(statistics);
  const follow = (old: Tensor, now: Tensor): Tensor => assign(old, add(mul(old, 1 - MOMENTUM), mul(now, MOMENTUM)));
  follow(runningMean, average);
  follow(runningVariance, mul(variance, rows / Math.max(rows - 1, 1)));
  return [average, variance];
}
