/**
 * Moments of a stream of rows on the CPU: `sum_i x_i` and `X^T X = sum_i x_i x_i^T`, in f64. Mean, covariance, PCA and
 * least squares all follow from them, so one pass over the features is enough and no pass holds them.
 */
import type { Matrix } from '../matrix';
import type { Gram, GramSession } from './eval-backend';
import { packColumns, packedProducts } from './packed';

const ROW_BLOCK = 512;

export function openGram(cols: number): GramSession {
  const sum = new Float64Array(cols);
  const products = new Float64Array(cols * cols);
  let rows = 0;

  async function add(tile: Matrix): Promise<void> {
    for (let begin = 0; begin < tile.rows; begin += ROW_BLOCK) {
      const end = Math.min(begin + ROW_BLOCK, tile.rows);
      const columns = packColumns(tile.data.subarray(begin * cols, end * cols), cols);
      packedProducts(columns, columns, products, true);
    }
    for (let i = 0; i < tile.data.length; i++) sum[i % cols]! += tile.data[i]!;
    rows += tile.rows;
  }

  const result = async (): Promise<Gram> => ({ rows, cols, sum: sum.slice(), products: products.slice() });
  return { add, result, [Symbol.dispose]: () => {} };
}
