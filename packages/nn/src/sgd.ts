/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, in the form of PyTorch), one kernel per flat window of state:
 *
 *   g <- g + wd w,   v <- mu v + g,   w <- w - lr v            (Nesterov: w <- w - lr (g + mu v))
 */
import { add, assign, type GroupTensors, mul, sub, type Tensor } from '@franca/tensor';
import { checkOptions } from './check-options';

export interface SgdOptions {
  /** mu (default 0.9). */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** wd, added to the gradients of all parameters alike (default 0). */
  readonly weightDecay?: number;
}

export interface SgdInput<N extends string = string> {
  readonly weights: GroupTensors<N>;
  /** Group of the same names as `weights`, zero at the start. */
  readonly velocity: GroupTensors<N>;
  /** Windows of the gradient group, as `store` returns them. */
  readonly gradients: readonly Tensor[];
  /** A scalar. */
  readonly lr: Tensor;
}

const OPTIONS: Record<keyof SgdOptions, true> = { momentum: true, nesterov: true, weightDecay: true };
const INPUT: Record<keyof SgdInput, true> = { weights: true, velocity: true, gradients: true, lr: true };

/** One step on a whole group: updates weights and velocity. Returns the updated windows of the weights. */
export function sgd<N extends string>(input: SgdInput<N>, options: SgdOptions = {}): readonly Tensor[] {
  checkOptions('sgd', input, INPUT, Object.keys(INPUT));
  checkOptions('sgd', options, OPTIONS);
  const { weights, velocity, gradients, lr } = input;
  const { momentum = 0.9, nesterov = false, weightDecay = 0 } = options;
  return weights.windows.map((w, i) => {
    const g = weightDecay === 0 ? gradients[i]! : add(gradients[i]!, mul(w, weightDecay));
    const v = assign(velocity.windows[i]!, add(mul(velocity.windows[i]!, momentum), g));
    return assign(w, sub(w, mul(lr, nesterov ? add(g, mul(v, momentum)) : v)));
  });
}
