/**
 * Attention of a ViT-S block on the packed projection (batch 8, 6 heads of 64, 256 tokens), alone and with its gradient. Peers compute it as one
 * writes it for them: heads split off and transposed, two products and a softmax.
 */
import { attention, grad, mul, sum } from '@franca/tensor';
import { type BenchCase, pureCase } from '../case';
import type { Jax, JaxArray } from '../parties/jax';
import type { Tf, TfTensor } from '../parties/tfjs';

const [B, H, N, d] = [8, 6, 256, 64];
const D = H * d;
const productFlops = 2 * B * H * N * N * d;
const qkv = [B, N, 3 * D];

export function tfjsAttention(tf: Tf, packed: TfTensor): TfTensor {
  const parts = tf.transpose(tf.reshape(packed, [B, N, 3, H, d]), [2, 0, 3, 1, 4]);
  const [q, k, v] = tf.unstack(parts) as [TfTensor, TfTensor, TfTensor];
  const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(d)));
  return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [B, N, D]);
}

export function jaxAttention({ np, nn }: Jax, packed: JaxArray): JaxArray {
  const parts = np.transpose(packed.reshape([B, N, 3, H, d]), [2, 0, 3, 1, 4]);
  const [q, k, v] = [parts.ref.slice(0), parts.ref.slice(1), parts.slice(2)] as [JaxArray, JaxArray, JaxArray];
  const weights = nn.softmax(np.matmul(q, np.matrixTranspose(k)).mul(1 / Math.sqrt(d)), -1);
  return np.transpose(np.matmul(weights, v), [0, 2, 1, 3]).reshape([B, N, D]);
}

export const attentionCases: readonly BenchCase[] = [
  pureCase({
    name: `attention: ${B}x${N}, ${H} heads of ${d}`,
    flops: 2 * productFlops,
    tolerance: 1e-4,
    inputs: { qkv },
    franca: (inputs) => attention(inputs.qkv, H),
    tfjs: (tf, inputs) => tfjsAttention(tf, inputs.qkv),
    jax: (jax, inputs) => jaxAttention(jax, inputs.qkv),
  }),
  pureCase({
    name: `attention and gradient: ${B}x${N}, ${H} heads of ${d}`,
    // two products forward, four backward; computing the weights again is not counted
    flops: 6 * productFlops,
    tolerance: 1e-4,
    inputs: { qkv, gradient: [B, N, D] },
    franca: (inputs) => grad(sum(mul(attention(inputs.qkv, H), inputs.gradient)), [inputs.qkv])[0]!,
    tfjs: (tf, inputs) => tf.grad((x) => tf.sum(tf.mul(tfjsAttention(tf, x), inputs.gradient)))(inputs.qkv),
    jax: (jax, inputs) => jax.grad((x: JaxArray) => jaxAttention(jax, x).mul(inputs.gradient).sum())(inputs.qkv),
  }),
];
