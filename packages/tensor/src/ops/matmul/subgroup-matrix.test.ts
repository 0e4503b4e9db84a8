import { afterAll, beforeAll, describe, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import type { SubgroupMatrixConfig } from '../../base/target';
import type { Gpu } from '../../device/gpu';
import type { Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { type CheckInput, checkOp, normals } from '../../testing';
import { openMatrixGpu } from '../../testing/matrix-gpu';
import { type MatmulAttrs, matmulOp, matmulProblem } from './matmul';
import { type MatrixTile, matrixMatmul } from './subgroup-matrix';

describe('matmul on subgroup matrices', () => {
  let gpu: Gpu;
  let config: SubgroupMatrixConfig | undefined;
  beforeAll(async () => {
    gpu = await openMatrixGpu();
    config = gpu.target.subgroupMatrices[0];
  });
  afterAll(() => gpu.dispose());

  // multiples of 1/64 are exact in f16 and their products and sums in f32; the result is stored as f16, rounded to nearest
  const half = (shape: readonly number[], seed: number): CheckInput => ({
    shape,
    dtype: 'f16',
    values: normals(sizeOf(shape), seed).map((value) => Math.round(value * 64) / 64),
    differentiate: false,
  });
  const tolerance = 2 ** -11;
  const [M, N, K] = [37, 42, 45];

  const product = (tile: Omit<MatrixTile, 'config'>, attrs: MatmulAttrs) => (a: Tensor, b: Tensor) =>
    record1(
      { ...matmulOp, lower: (args) => [matrixMatmul(matmulProblem(args), { ...tile, config: config! })] },
      [a, b],
      attrs,
    );

  test('A B, two matrices side by side in each of two subgroups', async (context) => {
    context.skip(!config, 'the adapter has no f16 or no subgroups');
    const tile = { subgroupRows: 2, subgroupColumns: 1, blockRows: 1, blockColumns: 2, depth: 32 };
    const multiply = product(tile, { transposeA: false, transposeB: false });
    await checkOp(gpu, (a, b) => multiply(a, b), [half([2, M, K], 1), half([2, K, N], 2)], { tolerance });
  });
  test('At Bt, two matrices one above the other in each of two subgroups', async (context) => {
    context.skip(!config, 'the adapter has no f16 or no subgroups');
    const tile = { subgroupRows: 1, subgroupColumns: 2, blockRows: 2, blockColumns: 1, depth: 16 };
    const multiply = product(tile, { transposeA: true, transposeB: true });
    await checkOp(gpu, (a, b) => multiply(a, b), [half([2, K, M], 1), half([2, N, K], 2)], { tolerance });
  });
});
