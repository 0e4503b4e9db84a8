/**
 * Moments of a stream of rows on a device. It multiplies: `Y^T Y` of each tile of 1024 rows in f32, added up in f64
 * here. A covariance is the difference of such moments and a squared mean, so rounding must be small against the spread
 * of the rows, not against their size: `Y` is `X` less the mean row `s` of the first tile, and
 * `X^T X = Y^T Y + s t^T + t s^T + n s s^T` with `t` the sum of `Y`. The sums of rows are a D-th of the work and stay
 * in f64.
 */
import { compile, type Gpu, matmul, type Step } from '@franca/tensor';
import type { Matrix } from '../matrix';
import type { Gram, GramSession } from './eval-backend';
import { rowStream } from './gpu-tiles';

const TILE_ROWS = 1024;

type GramStep = Step<{ y: { shape: number[]; dtype: 'f32' } }, Record<string, never>>;

export function openGram(gpu: Gpu, cols: number): GramSession {
  const shifted = new Float64Array(cols * cols);
  const shiftedSum = new Float64Array(cols);
  const stream = rowStream(TILE_ROWS, cols, multiply);
  let shift: Float32Array | undefined;
  let step: GramStep | undefined;
  let rows = 0;

  async function multiply(block: Float32Array, count: number): Promise<void> {
    shift ??= meanRow(block.subarray(0, count * cols), cols);
    for (let i = 0; i < count * cols; i++) {
      block[i]! -= shift[i % cols]!;
      shiftedSum[i % cols]! += block[i]!;
    }
    step ??= await compile(gpu, (_, { y }) => ({ products: matmul(y, y, { transposeA: true }) }), {
      batch: { y: { shape: [TILE_ROWS, cols], dtype: 'f32' } },
    });
    step.run({ y: block });
    const part = await step.read('products');
    for (let i = 0; i < shifted.length; i++) shifted[i]! += part[i]!;
    rows += count;
  }

  async function result(): Promise<Gram> {
    await stream.finish();
    const s = shift ?? new Float32Array(cols);
    const sum = shiftedSum.map((value, d) => value + rows * s[d]!);
    const products = new Float64Array(cols * cols);
    for (let i = 0; i < cols; i++) {
      for (let j = i; j < cols; j++) {
        const back = s[i]! * shiftedSum[j]! + shiftedSum[i]! * s[j]! + rows * s[i]! * s[j]!;
        products[i * cols + j] = products[j * cols + i] = shifted[i * cols + j]! + back;
      }
    }
    return { rows, cols, sum, products };
  }

  return { add: (tile: Matrix) => stream.add(tile), result, [Symbol.dispose]: () => step?.dispose() };
}

function meanRow(data: Float32Array, cols: number): Float32Array {
  const sum = new Float64Array(cols);
  data.forEach((value, i) => {
    sum[i % cols]! += value;
  });
  return Float32Array.from(sum, (value) => (value * cols) / data.length);
}
