/** The backend that runs anywhere: blocked loops over typed arrays, f64 accumulation. */
import { checkWidths, type Matrix } from '../matrix';
import { countPairs } from './cpu-count-pairs';
import { openGram } from './cpu-gram';
import { openKMeans } from './cpu-k-means';
import { labelMap } from './cpu-label-map';
import { openLinearGrid } from './cpu-linear-grid';
import { openSoftmaxRegression } from './cpu-softmax-regression';
import { openTopK } from './cpu-top-k';
import type { EvalBackend } from './eval-backend';
import { packedProducts, packRows } from './packed';

export const cpuBackend: EvalBackend = {
  name: 'cpu',
  products,
  openTopK,
  openGram,
  openKMeans,
  labelMap,
  countPairs,
  openLinearGrid,
  openSoftmaxRegression,
};

const ROW_BLOCK = 256;

async function products(a: Matrix, b: Matrix): Promise<Float32Array> {
  checkWidths(a, b);
  const out = new Float32Array(a.rows * b.rows);
  const packed = packRows(b.data, b.cols);
  const block = new Float64Array(ROW_BLOCK * b.rows);
  for (let begin = 0; begin < a.rows; begin += ROW_BLOCK) {
    const rows = packRows(a.data, a.cols, begin, Math.min(begin + ROW_BLOCK, a.rows));
    packedProducts(rows, packed, block);
    out.set(block.subarray(0, rows.count * b.rows), begin * b.rows);
  }
  return out;
}
