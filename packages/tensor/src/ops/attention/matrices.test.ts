import { f16round } from '@petamoriken/float16';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Gpu } from '../../device/gpu';
import { openGpu } from '../../node';
import { type CheckOptions, checkOp, normals } from '../../testing';
import { attention } from './attention';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ target: { family: 'gpu' } });
});
afterAll(() => gpu.dispose());

describe('attention on subgroup matrices', () => {
  const check = async (
    [B, N, H, d]: readonly [B: number, N: number, H: number, d: number],
    options: CheckOptions = {},
    values: ArrayLike<number> = normals(B * N * 3 * H * d),
  ): Promise<void> => {
    const r = await checkOp(
      gpu,
      (qkv) => attention(qkv, H),
      [{ shape: [B, N, 3 * H * d], dtype: 'f16', values: Float32Array.from(values, f16round) }],
      { tolerance: 2 ** -10, gradientTolerance: 2 ** -9, directions: 1, ...options },
    );
    console.log([B, N, H, d], r.forward * 2 ** 11, r.gradient * 2 ** 11);
  };

  test.each([
    [1, 16, 1, 16],
    [1, 1, 1, 16],
    [2, 3, 2, 16],
    [1, 17, 1, 32],
    [1, 32, 2, 64],
    [2, 33, 2, 48],
    [2, 50, 3, 64],
    [1, 64, 1, 64],
    [1, 65, 1, 16],
    [1, 67, 2, 128],
    [1, 257, 1, 64],
  ] as const)('%i x %i tokens, %i heads of %i', async (...shape) => {
    await check(shape);
  });
});
