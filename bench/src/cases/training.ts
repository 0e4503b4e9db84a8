/**
 * The optimizer alone on a flat state, and a whole training step of a ViT-S block: pre-norm attention and MLP with residuals (dim 384,
 * 6 heads, 256 tokens, batch 8), mean squared distance of its tokens to a target, gradients, AdamW.
 */
import { layerNormSpecs, linear, linearSpecs, mlp, mlpSpecs, norm, parametersOf, prefixed, within } from '@franca/nn';
import { add, attention, grad, mul, store, sub, sum, type Tensor } from '@franca/tensor';
import type { BenchCase } from '../case';
import type { Jax, JaxArray } from '../parties/jax';
import type { Tf, TfTensor } from '../parties/tfjs';
import { type Start, trainingCase } from '../training-case';
import { jaxAttention, tfjsAttention } from './attention';
import { EPS, jaxLayerNorm, tfjsLayerNorm } from './rows';

const [B, N, D, H] = [8, 256, 384, 6];
const elements = 2 ** 21;

const flat = trainingCase({
  name: `AdamW: ${elements} parameters`,
  // reads weights, moments and gradients, writes all but these
  bytes: 7 * 4 * elements,
  tolerance: 1e-6,
  parameters: { weight: { shape: [elements], around: 0, spread: 1 } },
  inputs: { gradient: [elements] },
  franca: (_, { gradient }) => ({ loss: sum(mul(gradient!, 0)), gradients: [gradient!] }),
  tfjs: (tf, _, { gradient }) => ({ loss: tf.scalar(0), gradients: { weight: tf.clone(gradient!) } }),
  jax: ({ np }, _, { gradient }) => ({ loss: np.zeros([]), gradients: { weight: gradient! } }),
});

const specs = {
  ...prefixed('norm1', layerNormSpecs(D)),
  ...prefixed('qkv', linearSpecs(D, 3 * D)),
  ...prefixed('proj', linearSpecs(D, D)),
  ...prefixed('norm2', layerNormSpecs(D)),
  ...prefixed('mlp', mlpSpecs(D, 4 * D)),
};
const start = (name: string, shape: readonly number[]): Start =>
  shape.length === 2
    ? { shape, around: 0, spread: Math.sqrt(3 / shape[1]!) }
    : { shape, around: /norm\d\.weight/.test(name) ? 1 : 0, spread: 0.1 };

function francaLoss(p: (name: string) => Tensor, x: Tensor, target: Tensor): Tensor {
  const attended = attention(linear(within(p, 'qkv'), norm(within(p, 'norm1'), x, EPS)), H);
  const h = add(x, linear(within(p, 'proj'), attended));
  const y = add(h, mlp(within(p, 'mlp'), norm(within(p, 'norm2'), h, EPS)));
  const distance = sub(y, target);
  return mul(sum(sum(mul(distance, distance), [-1])), 1 / (B * N * D));
}

function tfjsLoss(tf: Tf, p: Record<string, TfTensor>, x: TfTensor, target: TfTensor): TfTensor {
  const linear = (name: string, input: TfTensor) =>
    tf.add(tf.matMul(input, p[`${name}.weight`]!, false, true), p[`${name}.bias`]!);
  const norm = (name: string, input: TfTensor) => tfjsLayerNorm(tf, input, p[`${name}.weight`]!, p[`${name}.bias`]!);
  const gelu = (input: TfTensor) => tf.mul(tf.mul(input, 0.5), tf.add(tf.erf(tf.mul(input, Math.SQRT1_2)), 1));
  const tokens = tf.reshape(x, [B * N, D]);
  const attended = tfjsAttention(tf, tf.reshape(linear('qkv', norm('norm1', tokens)), [B, N, 3 * D]));
  const h = tf.add(tokens, linear('proj', tf.reshape(attended, [B * N, D])));
  const y = tf.add(h, linear('mlp.fc2', gelu(linear('mlp.fc1', norm('norm2', h)))));
  return tf.mul(tf.sum(tf.sum(tf.square(tf.sub(y, tf.reshape(target, [B * N, D]))), -1)), 1 / (B * N * D));
}

function jaxLoss(jax: Jax, p: Record<string, JaxArray>, x: JaxArray, target: JaxArray): JaxArray {
  const { np, nn } = jax;
  const linear = (name: string, input: JaxArray) =>
    np.matmul(input, np.matrixTranspose(p[`${name}.weight`]!)).add(p[`${name}.bias`]!);
  const norm = (name: string, input: JaxArray) => jaxLayerNorm(jax, input, p[`${name}.weight`]!, p[`${name}.bias`]!);
  const tokens = x.reshape([B * N, D]);
  const attended = jaxAttention(jax, linear('qkv', norm('norm1', tokens.ref)).reshape([B, N, 3 * D]));
  const h = tokens.add(linear('proj', attended.reshape([B * N, D])));
  const hidden = nn.gelu(linear('mlp.fc1', norm('norm2', h.ref)), { approximate: false });
  const distance = h.add(linear('mlp.fc2', hidden)).sub(target.reshape([B * N, D]));
  return distance.ref
    .mul(distance)
    .sum(-1)
    .sum()
    .mul(1 / (B * N * D));
}

const step = trainingCase({
  name: `training step of a ViT block: ${B}x${N}x${D}`,
  // products of the linear layers and of attention, forward once and backward twice
  flops: 3 * (2 * B * N * 12 * D * D + 4 * B * N * N * D),
  tolerance: 1e-5,
  parameters: Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, start(name, shape)])),
  inputs: { x: [B, N, D], target: [B, N, D] },
  franca(parameters, { x, target }, gradient) {
    const loss = francaLoss(parametersOf(parameters.tensors), x!, target!);
    return { loss, gradients: store(gradient, grad(loss, parameters.tensors)) };
  },
  tfjs(tf, parameters, { x, target }) {
    const names = Object.keys(parameters);
    const { value, grads } = tf.valueAndGrads(
      (...tensors: TfTensor[]) =>
        tfjsLoss(tf, Object.fromEntries(names.map((name, i) => [name, tensors[i]!])), x!, target!) as never,
    )(Object.values(parameters));
    return { loss: value, gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]!])) };
  },
  jax(jax, parameters, { x, target }) {
    const [loss, gradients] = jax.valueAndGrad((p: Record<string, JaxArray>) => jaxLoss(jax, p, x!, target!))(
      parameters,
    );
    return { loss, gradients: gradients as Record<string, JaxArray> };
  },
});

export const trainingCases: readonly BenchCase[] = [flat, step];
