/**
 * Softmax regression whose two products run on a device in f32, to the accuracy of f64.
 *
 * At a centre `(W0, b0)` everything is known in f64: the logits `Z0 = X W0^T + b0`, the residuals `R0 = P0 - Y` and the gradient `G0 = R0^T X`. Elsewhere the
 * device multiplies differences only,
 *
 *   Z = Z0 + X (W - W0)^T + (b - b0),   G = G0 + (R - R0)^T X,
 *
 * with the softmax between them in f64 here. The rounding of f32, some 1e-7, is then one of the step and not of the whole: a solver that
 * comes to the optimum from nearby, and makes it its centre, is as exact as in f64.
 */
import { compile, createState, type Gpu, matmul, type State, type Step } from '@franca/tensor';
import { openSoftmaxRegression as openOnCpu } from './cpu-softmax-regression';
import type { SoftmaxProblem, SoftmaxRegressionSession } from './eval-backend';
import { evenBlocks } from './gpu-tiles';
import { softmaxResidual } from './softmax-residual';

/** Rows at a time. */
const BLOCK_ROWS = 4096;
/** Multiplications of one product from which a device is worth its copies. */
const MIN_PRODUCTS = 2 ** 27;
/** Logits, of which two arrays of f64 are held: 2 GiB. */
const MAX_LOGITS = 2 ** 27;

type LogitStep = Step<{ weights: { shape: number[]; dtype: 'f32' } }, Record<string, never>>;
type GradientStep = Step<{ residuals: { shape: number[]; dtype: 'f32' } }, Record<string, never>>;

/** Rows that stay on the device, and the two products with them. */
interface Block {
  readonly begin: number;
  readonly state: State;
  readonly logits: LogitStep;
  readonly gradient: GradientStep;
}

/** Whether a problem is large enough for the device, and small enough for its bindings and the memory here. */
export function suitsDevice({ target }: Gpu, { x, classes }: SoftmaxProblem): boolean {
  const block = evenBlocks(x.rows, BLOCK_ROWS) * 4;
  const fits = Math.max(block * classes, block * x.cols, 4 * classes * x.cols) <= target.maxBindingBytes;
  return fits && x.rows * classes <= MAX_LOGITS && x.rows * x.cols * classes >= MIN_PRODUCTS;
}

export function openSoftmaxRegression(gpu: Gpu, problem: SoftmaxProblem): SoftmaxRegressionSession {
  const { x, labels, classes } = problem;
  const { rows, cols } = x;
  const size = evenBlocks(rows, BLOCK_ROWS);
  const exact = openOnCpu(problem);
  const blocks: Block[] = [];
  let at: Centre | undefined;

  async function centre(parameters: Float64Array, gradient: Float64Array): Promise<number> {
    if (!at?.parameters.every((value, i) => value === parameters[i])) {
      const { logits, residuals } = at ?? {
        logits: new Float64Array(rows * classes),
        residuals: new Float64Array(rows * classes),
      };
      const own = new Float64Array(parameters.length);
      const loss = await exact.evaluate(parameters, own, { logits, residuals });
      at = { parameters: parameters.slice(), logits, residuals, gradient: own, loss };
    }
    gradient.set(at.gradient);
    return at.loss;
  }

  async function evaluate(parameters: Float64Array, gradient: Float64Array): Promise<number> {
    if (!at) return centre(parameters, gradient);
    if (blocks.length === 0) await openBlocks();
    const from = at;
    const step = parameters.map((value, i) => value - from.parameters[i]!);
    const weights = Float32Array.from(step.subarray(0, classes * cols));
    const biases = step.subarray(classes * cols);
    gradient.set(from.gradient);
    const biasGradient = gradient.subarray(classes * cols);
    let loss = 0;
    for (const { logits } of blocks) logits.run({ weights });
    for (const { begin, logits, gradient: products } of blocks) {
      const moved = (await logits.read('z')) as Float32Array;
      const count = Math.min(size, rows - begin);
      const z = from.logits.slice(begin * classes, (begin + count) * classes);
      for (let i = 0; i < z.length; i++) z[i]! += moved[i]! + biases[i % classes]!;
      for (let i = 0; i < count; i++)
        loss += softmaxResidual(z.subarray(i * classes, (i + 1) * classes), labels[begin + i]!);
      const residuals = new Float32Array(size * classes);
      for (let i = 0; i < z.length; i++) {
        const change = z[i]! - from.residuals[begin * classes + i]!;
        biasGradient[i % classes]! += change;
        residuals[i] = change;
      }
      products.run({ residuals });
    }
    for (const { gradient: products } of blocks) {
      const part = (await products.read('products')) as Float32Array;
      for (let i = 0; i < part.length; i++) gradient[i]! += part[i]!;
    }
    return loss;
  }

  async function openBlocks(): Promise<void> {
    for (let begin = 0; begin < rows; begin += size) {
      const own = new Float32Array(size * cols);
      own.set(x.data.subarray(begin * cols, (begin + size) * cols));
      blocks.push({ begin, ...(await openBlock(gpu, own, [size, cols, classes])) });
    }
  }

  return {
    evaluate,
    centre,
    [Symbol.dispose]() {
      for (const { state, logits, gradient } of blocks.splice(0)) {
        logits.dispose();
        gradient.dispose();
        state.dispose();
      }
    },
  };
}

/** A point at which everything is known in f64. */
interface Centre {
  readonly parameters: Float64Array;
  readonly logits: Float64Array;
  readonly residuals: Float64Array;
  readonly gradient: Float64Array;
  readonly loss: number;
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
