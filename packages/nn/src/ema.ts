/** Exponential moving average of weights: target <- momentum target + (1 - momentum) source. */
import { add, assign, mul, sub, type Tensor } from '@franca/tensor';

/** Moves every window of `target` towards `source`; returns the updated windows. */
export const ema = (target: readonly Tensor[], source: readonly Tensor[], momentum: Tensor): readonly Tensor[] =>
  target.map((window, i) => assign(window, add(mul(momentum, window), mul(sub(1, momentum), source[i]!))));
