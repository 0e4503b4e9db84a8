/**
 * Inner products of rows on a device, `a b^T` `[n, m]`, block by block. One plan for `[1024, D]` by `[4096, D]` at most
 * serves all; sums are f32.
 */
import { compile, type Gpu, matmul } from '@franca/tensor';
import { checkWidths, type Matrix } from '../matrix';
import { blockOf, evenBlocks } from './gpu-tiles';

const BLOCK_A = 1024;
const BLOCK_B = 4096;

export async function products(gpu: Gpu, a: Matrix, b: Matrix): Promise<Float32Array> {
  checkWidths(a, b);
  const out = new Float32Array(a.rows * b.rows);
  if (out.length === 0) return out;
  const [rows, columns] = [evenBlocks(a.rows, BLOCK_A), evenBlocks(b.rows, BLOCK_B)];
  using step = await compile(gpu, (_, { x, y }) => ({ z: matmul(x, y, { transposeB: true }) }), {
    batch: {
      x: { shape: [rows, a.cols], dtype: 'f32' },
      y: { shape: [columns, a.cols], dtype: 'f32' },
    },
  });
  for (let j = 0; j < b.rows; j += columns) {
    const width = Math.min(columns, b.rows - j);
    const y = blockOf(b, j, columns);
    for (let i = 0; i < a.rows; i += rows) {
      step.run({ x: blockOf(a, i, rows), ...(i === 0 ? { y } : {}) });
      const block = (await step.read('z')) as Float32Array;
      for (let r = 0; r < Math.min(rows, a.rows - i); r++) {
        out.set(block.subarray(r * columns, r * columns + width), (i + r) * b.rows + j);
      }
    }
  }
  return out;
}
