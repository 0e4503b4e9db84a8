/** The layers of a transformer and of heads on images, each a function of parameters and a tensor, with its parameters beside it. */
import {
  add,
  type Conv2dOptions,
  gatedSilu,
  layerNorm,
  matmul,
  mul,
  type Tensor,
  conv2d as tensorConv2d,
  transpose,
} from '@franca/tensor';
import { type ActivationName, activate } from './activations';
import {
  type Init,
  normal,
  ONES,
  type ParameterSpecs,
  type Parameters,
  parameter,
  parameterAs,
  prefixed,
  uniform,
  within,
  ZEROS,
} from './parameters';

/** `weight` [out, in] drawn from N(0, std^2), `bias` [out] zero. */
export const linearSpecs = (
  inputs: number,
  outputs: number,
  { bias = true, std = 0.02 }: { bias?: boolean; std?: number } = {},
): ParameterSpecs => ({
  weight: parameter([outputs, inputs], normal(std)),
  ...(bias ? { bias: parameter([outputs], ZEROS) } : {}),
});

/** x W^T + b: [.., in] -> [.., out]. The product runs in the type of x. */
export function linear(p: Parameters, x: Tensor, { bias = true }: { bias?: boolean } = {}): Tensor {
  const product = matmul(x, parameterAs(p, 'weight', x.dtype), { transposeB: true });
  return bias ? add(product, parameterAs(p, 'bias', x.dtype)) : product;
}

/**
 * `weight` [outputs, inputs, rows, columns] and `bias` [outputs] of a kernel of so many rows and columns, one number for both; drawn from `init` (default: uniform within
 * 1 / sqrt(numbers that one output is a sum of), PyTorch's).
 */
export function conv2dSpecs(
  inputs: number,
  outputs: number,
  kernel: number | readonly [number, number],
  { bias = true, init }: { bias?: boolean; init?: Init } = {},
): ParameterSpecs {
  const [rows, columns] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
  const drawn = init ?? uniform(1 / Math.sqrt(inputs * rows * columns));
  return {
    weight: parameter([outputs, inputs, rows, columns], drawn),
    ...(bias ? { bias: parameter([outputs], drawn) } : {}),
  };
}

/** Convolution of images [B, H, W, inputs] -> [B, h, w, outputs], in the type of x; `weight` as PyTorch has it, channels before rows and columns. */
export function conv2d(
  p: Parameters,
  x: Tensor,
  { bias = true, ...options }: Conv2dOptions & { readonly bias?: boolean } = {},
): Tensor {
  const product = tensorConv2d(x, transpose(parameterAs(p, 'weight', x.dtype), [0, 2, 3, 1]), options);
  return bias ? add(product, parameterAs(p, 'bias', x.dtype)) : product;
}

/** `weight` one and `bias` zero, both [D]. */
export const layerNormSpecs = (D: number): ParameterSpecs => ({
  weight: parameter([D], ONES),
  bias: parameter([D], ZEROS),
});

/** Layer normalisation over the last axis; `weight` and `bias` stay f32. */
export const norm = (p: Parameters, x: Tensor, eps = 1e-6): Tensor => layerNorm(x, p('weight'), p('bias'), eps);

/** `gamma` [D], small at the start so that every residual branch begins near zero (LayerScale, Touvron et al. 2021). */
export const layerScaleSpecs = (D: number, init = 1e-5): ParameterSpecs => ({
  gamma: parameter([D], { kind: 'constant', value: init }),
});

/** x gamma. */
export const layerScale = (p: Parameters, x: Tensor): Tensor => mul(x, parameterAs(p, 'gamma', x.dtype));

export const mlpSpecs = (D: number, hidden: number, initial: { std?: number } = {}): ParameterSpecs => ({
  ...prefixed('fc1', linearSpecs(D, hidden, initial)),
  ...prefixed('fc2', linearSpecs(hidden, D, initial)),
});

/** Two linear layers with an activation between; default exact GELU. */
export const mlp = (p: Parameters, x: Tensor, activation: ActivationName = 'gelu'): Tensor =>
  linear(within(p, 'fc2'), activate(linear(within(p, 'fc1'), x), activation));

/** Hidden width of the official SwiGLU for MLP ratio r: two thirds of int(r D), rounded up to a multiple of 8. */
export const swigluHidden = (D: number, ratio = 4): number =>
  Math.ceil(Math.floor((Math.trunc(ratio * D) * 2) / 3) / 8) * 8;

export const swigluSpecs = (D: number, hidden: number, initial: { std?: number } = {}): ParameterSpecs => ({
  ...prefixed('w12', linearSpecs(D, 2 * hidden, initial)),
  ...prefixed('w3', linearSpecs(hidden, D, initial)),
});

/** W3 (silu(a) b) with [a, b] = W12 x: the first half of W12 is the gate. */
export const swiglu = (p: Parameters, x: Tensor): Tensor =>
  linear(within(p, 'w3'), gatedSilu(linear(within(p, 'w12'), x)));
