/**
 * Cross-entropy of softmax regression and its gradient on the CPU, in f64. It is
 * `sum_i [logsumexp(W x_i + b) - (W x_i + b)_{y_i}]` with gradient `(P - Y)^T X` for the weights and the column sums of
 * `P - Y` for the biases, in blocks of rows so that no `[n, C]` matrix is held.
 */
import type { SoftmaxProblem, SoftmaxRegressionSession } from './eval-backend';
import { type Packed, packColumns, packedProducts, packRows } from './packed';
import { softmaxResidual } from './softmax-residual';

const ROW_BLOCK = 256;
/** Up to so many features, their packed copies (16 bytes each) are kept between evaluations. */
const KEEP_LIMIT = 2 ** 24;

/** Rows of the features, packed both ways. */
interface Block {
  readonly begin: number;
  readonly rows: Packed;
  readonly columns: Packed;
}

/** Logits and residuals `P - Y` of all rows `[n, C]`, for who needs them besides the gradient. */
export interface RowResults {
  readonly logits: Float64Array;
  readonly residuals: Float64Array;
}

export interface CpuSoftmaxSession extends SoftmaxRegressionSession {
  evaluate(parameters: Float64Array, gradient: Float64Array, into?: RowResults): Promise<number>;
}

export function openSoftmaxRegression({ x, labels, classes }: SoftmaxProblem): CpuSoftmaxSession {
  const { cols } = x;
  const kept = x.data.length <= KEEP_LIMIT ? [...blocks()] : undefined;

  function* blocks(): Generator<Block> {
    for (let begin = 0; begin < x.rows; begin += ROW_BLOCK) {
      const data = x.data.subarray(begin * cols, Math.min(begin + ROW_BLOCK, x.rows) * cols);
      yield { begin, rows: packRows(data, cols), columns: packColumns(data, cols) };
    }
  }

  async function evaluate(parameters: Float64Array, gradient: Float64Array, into?: RowResults): Promise<number> {
    const weights = packRows(parameters.subarray(0, classes * cols), cols);
    const biases = parameters.subarray(classes * cols);
    const weightGradient = gradient.subarray(0, classes * cols);
    const biasGradient = gradient.subarray(classes * cols);
    gradient.fill(0);
    let loss = 0;
    for (const { begin, rows, columns } of kept ?? blocks()) {
      const z = new Float64Array(rows.count * classes);
      packedProducts(rows, weights, z);
      for (let i = 0; i < z.length; i++) z[i]! += biases[i % classes]!;
      into?.logits.set(z, begin * classes);
      for (let i = 0; i < rows.count; i++) {
        const row = z.subarray(i * classes, (i + 1) * classes);
        loss += softmaxResidual(row, labels[begin + i]!);
        for (let c = 0; c < classes; c++) biasGradient[c]! += row[c]!;
      }
      into?.residuals.set(z, begin * classes);
      packedProducts(packColumns(z, classes), columns, weightGradient, true);
    }
    return loss;
  }

  return { evaluate, [Symbol.dispose]: () => {} };
}
