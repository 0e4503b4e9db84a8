/**
 * Softmax regression whose two products run on a device in f32, `Z = X W^T` and `(P - Y)^T X`, block by block of rows; the softmax between them and all sums
 * over blocks stay in f64 here. What f32 costs is a rounding of some 1e-7 of each product's terms: residuals that are nearly zero keep their relative accuracy,
 * since they never are a difference of f32 numbers.
 */
import { compile, createState, type Gpu, matmul, type State, type Step } from '@franca/tensor';
import type { SoftmaxProblem, SoftmaxRegressionSession } from './eval-backend';
import { evenBlocks } from './gpu-tiles';
import { softmaxResidual } from './softmax-residual';

/** Rows at a time. */
const BLOCK_ROWS = 4096;
/** Multiplications of one product from which a device is worth its copies and its rounding: a tenth of a second in f64. */
const MIN_PRODUCTS = 2 ** 27;

type LogitStep = Step<{ weights: { shape: number[]; dtype: 'f32' } }, Record<string, never>>;
type GradientStep = Step<{ residuals: { shape: number[]; dtype: 'f32' } }, Record<string, never>>;

/** Rows that stay on the device, and the two products with them. */
interface Block {
  readonly begin: number;
  readonly state: State;
  readonly logits: LogitStep;
  readonly gradient: GradientStep;
}

/** Whether a problem is large enough for the device, and its blocks small enough. */
export function suitsDevice({ target }: Gpu, { x, classes }: SoftmaxProblem): boolean {
  const block = evenBlocks(x.rows, BLOCK_ROWS) * 4;
  const fits = Math.max(block * classes, block * x.cols, 4 * classes * x.cols) <= target.maxBindingBytes;
  return fits && x.rows * x.cols * classes >= MIN_PRODUCTS;
}

export function openSoftmaxRegression(gpu: Gpu, { x, labels, classes }: SoftmaxProblem): SoftmaxRegressionSession {
  const { rows, cols } = x;
  const size = evenBlocks(rows, BLOCK_ROWS);
  const blocks: Block[] = [];

  async function openBlocks(): Promise<void> {
    for (let begin = 0; begin < rows; begin += size) {
      const own = new Float32Array(size * cols);
      own.set(x.data.subarray(begin * cols, (begin + size) * cols));
      blocks.push({ begin, ...(await openBlock(gpu, own, [size, cols, classes])) });
    }
  }

  async function evaluate(parameters: Float64Array, gradient: Float64Array): Promise<number> {
    if (blocks.length === 0) await openBlocks();
    const weights = Float32Array.from(parameters.subarray(0, classes * cols));
    const biases = parameters.subarray(classes * cols);
    const biasGradient = gradient.subarray(classes * cols);
    gradient.fill(0);
    let loss = 0;
    for (const { logits } of blocks) logits.run({ weights });
    const z = new Float64Array(classes);
    for (const { begin, logits, gradient: step } of blocks) {
      const residuals = (await logits.read('z')) as Float32Array;
      for (let i = 0; i < size; i++) {
        const row = residuals.subarray(i * classes, (i + 1) * classes);
        if (begin + i >= rows) {
          row.fill(0);
          continue;
        }
        for (let c = 0; c < classes; c++) z[c] = row[c]! + biases[c]!;
        loss += softmaxResidual(z, labels[begin + i]!);
        for (let c = 0; c < classes; c++) biasGradient[c]! += z[c]!;
        row.set(z);
      }
      step.run({ residuals });
    }
    for (const { gradient: step } of blocks) {
      const part = (await step.read('products')) as Float32Array;
      for (let i = 0; i < part.length; i++) gradient[i]! += part[i]!;
    }
    return loss;
  }

  return {
    precision: 'f32',
    evaluate,
    [Symbol.dispose]() {
      for (const { state, logits, gradient } of blocks.splice(0)) {
        logits.dispose();
        gradient.dispose();
        state.dispose();
      }
    },
  };
}

async function openBlock(
  gpu: Gpu,
  own: Float32Array,
  [size, cols, classes]: readonly [size: number, cols: number, classes: number],
): Promise<Omit<Block, 'begin'>> {
  const state = createState(gpu, { x: { rows: { shape: [size, cols], dtype: 'f32' } } });
  let logits: LogitStep | undefined;
  try {
    state.write('x', 'rows', own);
    logits = await compile(
      gpu,
      ({ x }, { weights }) => ({ z: matmul(x.tensors.rows, weights, { transposeB: true }) }),
      { state, batch: { weights: { shape: [classes, cols], dtype: 'f32' } } },
    );
    const gradient: GradientStep = await compile(
      gpu,
      ({ x }, { residuals }) => ({ products: matmul(residuals, x.tensors.rows, { transposeA: true }) }),
      { state, batch: { residuals: { shape: [size, classes], dtype: 'f32' } } },
    );
    return { state, logits, gradient };
  } catch (error) {
    logits?.dispose();
    state.dispose();
    throw error;
  }
}
