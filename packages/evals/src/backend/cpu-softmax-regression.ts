import type { SoftmaxProblem, SoftmaxRegressionSession } from './eval-backend';
import { packColumns, packedProducts, packRows } from './packed';

/**
 * Softmax regression in f64: `sum_i [logsumexp(W x_i + b) - (W x_i + b)_{y_i}]` with gradient `(P - Y)^T X` for the weights
 * and the column sums of `P - Y` for the biases, in blocks of rows so that no `[n, C]` matrix is held.
 */

const rowBlock = 256;

export function openSoftmaxRegression({ x, labels, classes }: SoftmaxProblem): SoftmaxRegressionSession {
  const { cols } = x;

  async function evaluate(parameters: Float64Array, gradient: Float64Array): Promise<number> {
    const weights = packRows(parameters.subarray(0, classes * cols), cols);
    const biases = parameters.subarray(classes * cols);
    const weightGradient = gradient.subarray(0, classes * cols);
    const biasGradient = gradient.subarray(classes * cols);
    gradient.fill(0);
    let loss = 0;
    for (let begin = 0; begin < x.rows; begin += rowBlock) {
      const end = Math.min(begin + rowBlock, x.rows);
      const z = new Float64Array((end - begin) * classes);
      packedProducts(packRows(x.data, cols, begin, end), weights, z);
      for (let i = begin; i < end; i++) {
        const row = z.subarray((i - begin) * classes, (i - begin + 1) * classes);
        loss += residual(row, biases, labels[i]!);
        for (let c = 0; c < classes; c++) biasGradient[c]! += row[c]!;
      }
      const block = packColumns(x.data.subarray(begin * cols, end * cols), cols);
      packedProducts(packColumns(z, classes), block, weightGradient, true);
    }
    return loss;
  }

  return { evaluate, [Symbol.dispose]: () => {} };
}

/** Replaces one row of `W x` by `softmax(W x + b) - onehot` and returns its cross-entropy. */
function residual(row: Float64Array, biases: Float64Array, label: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < row.length; c++) {
    row[c]! += biases[c]!;
    max = Math.max(max, row[c]!);
  }
  const own = row[label]! - max;
  let total = 0;
  for (let c = 0; c < row.length; c++) {
    row[c] = Math.exp(row[c]! - max);
    total += row[c]!;
  }
  for (let c = 0; c < row.length; c++) row[c] = row[c]! / total - Number(c === label);
  return Math.log(total) - own;
}
