/** Row-wise kernels of a ViT block: softmax over 256 keys, and layer norm over 384 features, alone and with its input's gradient. Memory decides. */
import { grad, layerNorm, mul, softmax, sum } from '@franca/tensor';
import { type BenchCase, pureCase } from '../case';
import type { Jax, JaxArray } from '../parties/jax';
import type { Tf, TfTensor } from '../parties/tfjs';

const [rows, keys, tokens, dim] = [8 * 6 * 256, 256, 8 * 256, 384];
export const EPS = 1e-6;

export function tfjsLayerNorm(tf: Tf, x: TfTensor, weight: TfTensor, bias: TfTensor): TfTensor {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPS))), weight), bias);
}

export function jaxLayerNorm({ nn }: Jax, x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray {
  return nn.standardize(x, -1, { epsilon: EPS }).mul(weight).add(bias);
}

const layerNormInputs = { x: [tokens, dim], weight: [dim], bias: [dim] };

export const rowCases: readonly BenchCase[] = [
  pureCase({
    name: `softmax: ${rows}x${keys}`,
    bytes: 2 * 4 * rows * keys,
    tolerance: 1e-5,
    inputs: { x: [rows, keys] },
    franca: ({ x }) => softmax(x),
    tfjs: (tf, { x }) => tf.softmax(x),
    jax: ({ nn }, { x }) => nn.softmax(x, -1),
  }),
  pureCase({
    name: `layer norm: ${tokens}x${dim}`,
    bytes: 2 * 4 * tokens * dim,
    tolerance: 1e-5,
    inputs: layerNormInputs,
    franca: ({ x, weight, bias }) => layerNorm(x, weight, bias, EPS),
    tfjs: (tf, { x, weight, bias }) => tfjsLayerNorm(tf, x, weight, bias),
    jax: (jax, { x, weight, bias }) => jaxLayerNorm(jax, x, weight, bias),
  }),
  pureCase({
    name: `layer norm, input gradient: ${tokens}x${dim}`,
    // forward reads x; backward reads x and the gradient and writes another
    bytes: 4 * 4 * tokens * dim,
    tolerance: 1e-5,
    inputs: { ...layerNormInputs, gradient: [tokens, dim] },
    franca: ({ x, weight, bias, gradient }) => grad(sum(mul(layerNorm(x, weight, bias, EPS), gradient)), [x])[0]!,
    tfjs: (tf, { x, weight, bias, gradient }) =>
      tf.grad((input) => tf.sum(tf.mul(tfjsLayerNorm(tf, input, weight, bias), gradient)))(x),
    jax: (jax, { x, weight, bias, gradient }) =>
      jax.grad((input: JaxArray) => jaxLayerNorm(jax, input, weight, bias).mul(gradient).sum())(x),
  }),
];
