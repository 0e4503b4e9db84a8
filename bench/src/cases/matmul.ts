/**
 * Matrix products: square ones, and those of a ViT block's training step (dim 384, 6 heads, 256 tokens, batch 8). A layer of weights
 * [out, in] multiplies once forward (x Wt) and twice backward (g W and gt x).
 */
import { matmul } from '@franca/tensor';
import { type BenchCase, pureCase } from '../case';

interface Product {
  readonly name: string;
  readonly batch?: readonly number[];
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

function productCase({ name, batch = [], M, N, K, transposeA = false, transposeB = false }: Product): BenchCase {
  const inputs = {
    a: [...batch, ...(transposeA ? [K, M] : [M, K])],
    b: [...batch, ...(transposeB ? [N, K] : [K, N])],
  };
  return pureCase({
    name: `matmul ${name}: ${[...batch, M].join('x')}x${N}x${K}`,
    flops: batch.reduce((product, size) => product * size, 2 * M * N * K),
    // sums of K products of numbers up to 1, in different orders
    tolerance: 1e-4,
    inputs,
    franca: ({ a, b }) => matmul(a, b, { transposeA, transposeB }),
    tfjs: (tf, { a, b }) => tf.matMul(a, b, transposeA, transposeB),
    jax: ({ np }, { a, b }) =>
      np.matmul(transposeA ? np.matrixTranspose(a) : a, transposeB ? np.matrixTranspose(b) : b),
  });
}

const [tokens, dim, hidden] = [8 * 256, 384, 1536];

export const matmulCases: readonly BenchCase[] = [
  { name: 'square', M: 512, N: 512, K: 512 },
  { name: 'square', M: 1024, N: 1024, K: 1024 },
  { name: 'qkv forward', M: tokens, N: 3 * dim, K: dim, transposeB: true },
  { name: 'fc1 forward', M: tokens, N: hidden, K: dim, transposeB: true },
  { name: 'fc2 forward', M: tokens, N: dim, K: hidden, transposeB: true },
  { name: 'fc1 input gradient', M: tokens, N: dim, K: hidden },
  { name: 'fc1 weight gradient', M: hidden, N: dim, K: tokens, transposeA: true },
  { name: 'proj weight gradient', M: dim, N: dim, K: tokens, transposeA: true },
  { name: 'attention logits', batch: [48], M: 256, N: 256, K: 64, transposeB: true },
  { name: 'attention values', batch: [48], M: 256, N: 64, K: 256 },
].map(productCase);
