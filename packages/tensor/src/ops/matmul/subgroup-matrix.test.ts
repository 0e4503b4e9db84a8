import { afterAll, beforeAll, describe, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import type { SubgroupMatrixConfig } from '../../base/target';
import type { Gpu } from '../../device/gpu';
import type { Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { openGpu } from '../../node';
import { type CheckInput, checkOp, normals } from '../../testing';
import { type MatmulAttrs, matmulOp, matmulProblem } from './matmul';
import { type MatrixTile, matrixMatmul } from './subgroup-matrix';

/**
 * The kernel with its matrices replaced by what any adapter can run: a loaded matrix is the place it was loaded from (offset, stride), of
 * a matrix of sums, [lanes, 4], every lane holds its own row. This tests everything but the built-in functions themselves.
 */
function withoutSubgroupMatrices(wgsl: string, { K }: SubgroupMatrixConfig): string {
  if (!wgsl.includes('subgroup_matrix_')) return wgsl;
  const place = (matrix: 'left' | 'right', row: string, column: string): string => {
    const columnMajor = new RegExp(`subgroup_matrix_${matrix}<[^>]*>, col_major`).test(wgsl);
    return columnMajor ? `${column} * place.y + ${row}` : `${row} * place.y + ${column}`;
  };
  const functions = `
fn elementA(place: vec2<u32>, row: u32, k: u32) -> f32 { return f32(tileA[place.x + ${place('left', 'row', 'k')}]); }
fn elementB(place: vec2<u32>, k: u32, column: u32) -> f32 { return f32(tileB[place.x + ${place('right', 'k', 'column')}]); }
fn multiply(lane: u32, a: vec2<u32>, b: vec2<u32>, sums: vec4<f32>) -> vec4<f32> {
  var sum = sums;
  // a bound that the driver's compiler does not know, so that it leaves the loop alone
  for (var k = 0u; k < max(${K}u, min(u.v0, ${K}u)); k++) {
    sum += elementA(a, lane, k) * vec4(elementB(b, k, 0u), elementB(b, k, 1u), elementB(b, k, 2u), elementB(b, k, 3u));
  }
  return sum;
}
fn save(lane: u32, offset: u32, sums: vec4<f32>, stride: u32) {
  var row = sums;
  for (var j = 0u; j < 4u; j++) { results[offset + lane * stride + j] = row[j]; }
}`;
  return wgsl
    .replace('enable chromium_experimental_subgroup_matrix;', '')
    .replaceAll(/subgroupMatrixLoad<subgroup_matrix_.*?_major>\(&\w+, /g, 'vec2<u32>(')
    .replaceAll('subgroupMatrixMultiplyAccumulate(', 'multiply(sgLane, ')
    .replaceAll('subgroupMatrixStore<row_major>(&results, ', 'save(sgLane, ')
    .replaceAll(/subgroup_matrix_result<.*?>/g, 'vec4<f32>')
    .replace('@compute', `${functions}\n@compute`);
}

describe('matmul on subgroup matrices', () => {
  let gpu: Gpu;
  let config: SubgroupMatrixConfig;
  beforeAll(async () => {
    gpu = await openGpu({ target: { family: 'gpu' } });
    config = { M: gpu.target.subgroupSize ?? 1, N: 4, K: 16 };
    const createShaderModule = gpu.device.createShaderModule.bind(gpu.device);
    gpu.device.createShaderModule = (descriptor) =>
      createShaderModule({ ...descriptor, code: withoutSubgroupMatrices(descriptor.code, config) });
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
    record1({ ...matmulOp, lower: (args) => [matrixMatmul(matmulProblem(args), { ...tile, config })] }, [a, b], attrs);

  test('A B, two matrices side by side in each of two subgroups', async (context) => {
    context.skip(!gpu.target.f16 || gpu.target.subgroupSize === undefined, 'the adapter has no f16 or no subgroups');
    const tile = { subgroupRows: 2, subgroupColumns: 1, blockRows: 1, blockColumns: 2, depth: 32 };
    const multiply = product(tile, { transposeA: false, transposeB: false });
    await checkOp(gpu, (a, b) => multiply(a, b), [half([2, M, K], 1), half([2, K, N], 2)], { tolerance });
  });
  test('At Bt, two matrices one above the other in each of two subgroups', async (context) => {
    context.skip(!gpu.target.f16 || gpu.target.subgroupSize === undefined, 'the adapter has no f16 or no subgroups');
    const tile = { subgroupRows: 1, subgroupColumns: 2, blockRows: 2, blockColumns: 1, depth: 16 };
    const multiply = product(tile, { transposeA: true, transposeB: true });
    await checkOp(gpu, (a, b) => multiply(a, b), [half([2, K, M], 1), half([2, N, K], 2)], { tolerance });
  });
});
