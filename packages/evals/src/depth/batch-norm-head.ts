/**
 * DINOv3's linear depth head: batch norm on the tokens, one 1 x 1 convolution to the bins at the token grid. In training the statistics are those of the batch, and
 * running ones follow; predictions use these. Tokens have no gradient, so neither have the statistics.
 */
import {
  batchNorm,
  batchNormSpecs,
  batchStatistics,
  conv2d,
  normal,
  type ParameterSpecs,
  parameter,
  parametersOf,
  prefixed,
  runningSpecs,
  runningStatistics,
  within,
  ZEROS,
} from '@franca/nn';
import { assign, concat, type Tensor } from '@franca/tensor';
import { BINS, depthOfLogits } from './depth-heads';

type Named = Readonly<Record<string, Tensor>>;
const NORM = 'batchnorm_layer';

export const batchNormHeadSpecs = (dim: number): ParameterSpecs => ({
  ...prefixed(NORM, batchNormSpecs(dim)),
  'conv_depth.weight': parameter([BINS, dim, 1, 1], normal(0.01)),
  'conv_depth.bias': parameter([BINS], ZEROS),
});

/** The running averages, beside the parameters since no gradient moves them. */
export const statisticsSpecs = (dim: number): ParameterSpecs => prefixed(NORM, runningSpecs(dim));

/** Depth maps `[B, rows, cols]` at the token grid, `levels` `[B, rows, cols, D]`; `statistics` move along where the head is training. */
export function batchNormDepth(
  weights: Named,
  levels: readonly Tensor[],
  statistics: Named,
  { training }: { readonly training: boolean },
): Tensor {
  const p = parametersOf({ ...weights, ...statistics });
  const tokens = concat(levels, 3);
  const batch = training ? batchStatistics(tokens) : undefined;
  // recorded before the running statistics move
  const normalised = batchNorm(within(p, NORM), tokens, batch);
  if (batch)
    for (const [name, value] of Object.entries(runningStatistics(within(p, NORM), batch)))
      assign(statistics[`${NORM}.${name}`]!, value);
  return depthOfLogits(conv2d(within(p, 'conv_depth'), normalised));
}
