/** Activations of feed-forward layers, by the names that configurations give them. */
import { add, clamp, gelu, mul, sigmoid, silu, square, type Tensor, TensorError } from '@franca/tensor';

/** `gelu`: x Phi(x), by the error function. `gelu_tanh`: its approximation by a hyperbolic tangent. `quick_gelu`: x sigmoid(1.702 x), as OpenAI's CLIP. */
export type ActivationName = 'gelu' | 'gelu_tanh' | 'quick_gelu';

const QUICK = 1.702;

/**
 * x/2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), which is x sigmoid(2 u). Beyond 10 the sigmoid is 0 or 1 to the last bit of f32; its
 * argument stops there, since f16 holds no cubes of large numbers.
 */
function geluTanh(x: Tensor): Tensor {
  const t = clamp(x, -10, 10);
  const cubed = add(1, mul(square(t), 0.044715));
  return mul(x, sigmoid(mul(mul(t, cubed), 2 * Math.sqrt(2 / Math.PI))));
}

const FUNCTIONS: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  gelu,
  gelu_tanh: geluTanh,
  quick_gelu: (x) => mul(silu(mul(x, QUICK)), 1 / QUICK),
};

/** f(x) of every element, in the type of x. @throws TensorError `argument` for a name that there is not */
export function activate(x: Tensor, name: ActivationName): Tensor {
  if (!Object.hasOwn(FUNCTIONS, name))
    throw new TensorError(
      'argument',
      `there is no activation "${name}"; there are ${Object.keys(FUNCTIONS).join(', ')}`,
    );
  return FUNCTIONS[name](x);
}
