/**
 * Stochastic depth (Huang et al. 2016), in the two forms of the official code. The subset form runs the residual branch on a part of the batch only and so
 * saves its work: out[kept] = x[kept] + (B / s) branch(x[kept]), other rows unchanged. The per-sample form computes all and multiplies by a mask.
 * Which samples are kept is an input of the step, so shapes stay fixed.
 */
import { add, cast, gatherRows, mul, reshape, rowPositions, scatterAddRows, type Tensor } from '@franca/tensor';

/** Samples kept of a batch of B at drop rate r: max(floor(B (1 - r)), 1). */
export const keptSamples = (B: number, rate: number): number => Math.max(Math.floor(B * (1 - rate)), 1);

/**
 * x [B, ...] plus `branch` on the rows `kept` (u32 [s], distinct), scaled by B / s, or each by its own of `scales` (f32 [s]): where x is a part of the samples that
 * were drawn from, the scale is that of all of them, and 0 for a row that only fills the list.
 */
export function dropPathSubset(x: Tensor, kept: Tensor, branch: (x: Tensor) => Tensor, scales?: Tensor): Tensor {
  const B = x.shape[0]!;
  const positions = rowPositions(kept, B);
  const out = branch(gatherRows(x, kept, positions));
  // scales are f32 and so is the product: the scale of f16 rows is not rounded, as a number is not
  const scaled = scales ? cast(mul(cast(out, 'f32'), perRow(scales, x)), out.dtype) : mul(out, B / kept.shape[0]!);
  return add(x, scatterAddRows(scaled, kept, B, positions));
}

/** x [B, ...] plus `branch(x)` times mask [B] (0 or 1) over the keep probability. */
export function dropPathPerSample(x: Tensor, mask: Tensor, rate: number, branch: (x: Tensor) => Tensor): Tensor {
  return add(x, mul(branch(x), perRow(mul(mask, 1 / (1 - rate)), x)));
}

/** One value per row as a factor of rows like those of x: [n, 1, ...]. */
const perRow = (values: Tensor, { shape }: Tensor): Tensor =>
  reshape(values, [values.shape[0]!, ...shape.slice(1).map(() => 1)]);
