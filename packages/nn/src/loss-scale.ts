/**
 * Dynamic loss scaling for f16 (Micikevicius et al. 2018), on the device. A step with infinite or NaN gradients halves the scale and is
 * skipped, `growthInterval` clean steps in a row double it. Nothing is read back.
 */
import {
  add,
  assign,
  concat,
  greaterEqual,
  mul,
  notEqual,
  reshape,
  select,
  sliceAxis,
  type Tensor,
} from '@franca/tensor';

export interface LossScaleOptions {
  readonly growth?: number;
  readonly backoff?: number;
  readonly growthInterval?: number;
  /** A scalar; 0: leave the scale as it is, because the gradients are not complete yet (default 1). */
  readonly enabled?: Tensor;
}

/** Initial contents of the state [2]: scale and clean steps since it last changed. */
export const initialLossScale = (scale = 65536): readonly [number, number] => [scale, 0];

/** The current scale, a scalar. */
export const lossScale = (state: Tensor): Tensor => reshape(sliceAxis(state, 0, 0, 1), []);

/** Updates the state [2] after a step; `finite` is u32 1 if the step was taken. */
export function updateLossScale(
  state: Tensor,
  finite: Tensor,
  { growth = 2, backoff = 0.5, growthInterval = 2000, enabled }: LossScaleOptions = {},
): Tensor {
  const scale = sliceAxis(state, 0, 0, 1);
  const clean = add(sliceAxis(state, 0, 1, 2), 1);
  const grows = greaterEqual(clean, growthInterval);
  const next = select(finite, select(grows, mul(scale, growth), scale), mul(scale, backoff));
  const count = select(finite, select(grows, mul(clean, 0), clean), mul(clean, 0));
  const changed = concat([next, count]);
  return assign(state, enabled ? select(notEqual(enabled, 0), changed, state) : changed);
}
