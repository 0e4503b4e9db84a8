/**
 * AdamW whose first decay changes from step to step, as DINOv3's cycle asks: `adamW` of `@franca/nn` has a constant one. Per parameter, with g clipped to a norm of at
 * most `maxNorm` over all parameters,
 *
 *   m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2,   w <- w (1 - lr wd) - lr (m / c1) / (sqrt(v / c2) + 1e-8).
 */
import { add, assign, div, minimum, mul, sqrt, square, sub, sum, type Tensor } from '@franca/tensor';

type Named = Readonly<Record<string, Tensor>>;

/** Scalars of a step; c = 1 - b^t with the b of this step, as in PyTorch. */
export interface CycleKnobs {
  readonly lr: Tensor;
  readonly beta1: Tensor;
  readonly c1: Tensor;
  readonly c2: Tensor;
}

export const BETA2 = 0.99;
const WEIGHT_DECAY = 1e-4;
const MAX_NORM = 35;
const EPS = 1e-8;

/** Records the update of all weights and moments; the three records have the same names as the gradients. */
export function cycleAdamW(
  {
    weights,
    m,
    v,
    gradients,
  }: { readonly weights: Named; readonly m: Named; readonly v: Named; readonly gradients: Named },
  { lr, beta1, c1, c2 }: CycleKnobs,
): void {
  const norm = sqrt(
    Object.values(gradients)
      .map((gradient) => sum(square(gradient)))
      .reduce(add),
  );
  const clip = minimum(div(MAX_NORM, add(norm, 1e-6)), 1);
  for (const [name, gradient] of Object.entries(gradients)) {
    const clipped = mul(gradient, clip);
    const first = assign(m[name]!, add(mul(m[name]!, beta1), mul(clipped, sub(1, beta1))));
    const second = assign(v[name]!, add(mul(v[name]!, BETA2), mul(square(clipped), 1 - BETA2)));
    const decayed = mul(weights[name]!, sub(1, mul(lr, WEIGHT_DECAY)));
    const move = div(div(first, c1), add(sqrt(div(second, c2)), EPS));
    assign(weights[name]!, sub(decayed, mul(lr, move)));
  }
}
