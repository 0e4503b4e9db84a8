/**
 * Softmax regression on a device in f32, to the accuracy of f64.
 *
 * At a centre `(W0, b0)` logits, probabilities `P0`, loss and gradient `G0` are known to nearly f64: the two products run on the device in slices whose
 * sums are exact (`slices.ts`), the softmax between them in f64 here. Elsewhere the device computes differences only,
 *
 *   z = X (W - W0)^T + (b - b0),   P - P0 and the growth of the loss from z and P0 (`softmax-step-op.ts`),   G = G0 + (P - P0)^T X.
 *
 * The rounding of f32, some 1e-7, is then one of the step and not of the whole: a solver that comes to the optimum from nearby, and makes it its
 * centre, is as exact as in f64. Of an evaluation only weights go to the device, and the gradient and a loss per row come back.
 *
 * On 120 rows x 24 x 5 classes that come apart, C from 0.1 to 1e5 in turn, the gradient that a fit ends at, in f64 and relative to that of the zero model (stopped at 1e-8):
 *
 *   | C     | f32 alone | around centres | f64 throughout |
 *   |-------|-----------|----------------|----------------|
 *   | 1     | 5.8e-5    | 9.4e-9         | 9.5e-9         |
 *   | 1e3   | 1.1e-4    | 4.1e-9         | 5.7e-9         |
 *   | 1e5   | 2.1e-4    | 9.5e-9         | 3.0e-9         |
 *
 * in as many steps as f64 takes, give or take a tenth.
 *
 * Columns of the features are scaled by powers of two to 1 at most, and weights by their inverses, which changes no bit.
 */
import {
  add,
  compile,
  concat,
  createState,
  type Gpu,
  matmul,
  reshape,
  type Step,
  sum,
  type Tensor,
} from '@franca/tensor';
import type { SoftmaxProblem, SoftmaxRegressionSession } from './eval-backend';
import { evenBlocks } from './gpu-tiles';
import { cut, emptySlices, powerAbove, type Slices, sliceBits } from './slices';
import { softmaxResidual } from './softmax-residual';
import { softmaxStep } from './softmax-step-op';

/** Rows at a time. */
const BLOCK_ROWS = 4096;
/** Multiplications of one product from which a device is worth its copies. */
const MIN_PRODUCTS = 2 ** 24;
/** What a probability is at least: none is so small that a step could not make it large again. */
const LEAST = 1e-37;

type Parts<Names extends string> = Readonly<Record<Names, { shape: number[]; dtype: 'f32' }>>;
type EvaluateStep = Step<Parts<'weights' | 'biases'>, Record<string, never>>;
type SlicedStep = Step<Parts<keyof Slices>, Record<string, never>>;

/** Rows that stay on the device, and what is computed of them. */
interface Block {
  readonly begin: number;
  readonly state: BlockState;
  readonly evaluate: EvaluateStep;
  readonly logits: SlicedStep;
  readonly gradient: SlicedStep;
}

type BlockState = ReturnType<typeof openState>;

/** Whether a problem is large enough for the device, and small enough for its bindings. */
export function suitsDevice({ target }: Gpu, { x, classes }: SoftmaxProblem): boolean {
  const block = evenBlocks(x.rows, BLOCK_ROWS) * 4;
  const fits = Math.max(block * classes, block * x.cols, 4 * classes * (x.cols + 1) + block) <= target.maxBindingBytes;
  return fits && x.cols <= BLOCK_ROWS && x.rows * x.cols * classes >= MIN_PRODUCTS;
}

/** A point at which everything is known. */
interface Centre {
  readonly parameters: Float64Array;
  readonly gradient: Float64Array;
  readonly loss: number;
}

export function openSoftmaxRegression(gpu: Gpu, { x, labels, classes }: SoftmaxProblem): SoftmaxRegressionSession {
  const { rows, cols } = x;
  const size = evenBlocks(rows, BLOCK_ROWS);
  const bits = sliceBits(Math.max(size, cols));
  const scales = columnScales(x.data, cols);
  const states = openStates(gpu, { x, labels, classes }, { scales, size, bits });
  const weightCount = classes * cols;
  const blocks: Block[] = [];
  let at: Centre | undefined;

  async function centre(parameters: Float64Array, gradient: Float64Array): Promise<number> {
    if (!at || !same(at.parameters, parameters)) {
      await openBlocks();
      at = await computeCentre(parameters.slice());
    }
    gradient.set(at.gradient);
    return at.loss;
  }

  async function computeCentre(parameters: Float64Array): Promise<Centre> {
    const weights = cutWeights(parameters.subarray(0, weightCount), scales, bits);
    const biases = parameters.subarray(weightCount);
    const gradient = new Float64Array(parameters.length);
    let loss = 0;
    for (const { logits } of blocks) logits.run(weights.slices);
    for (const block of blocks) {
      const z = await readSum(block.logits);
      const count = Math.min(size, rows - block.begin);
      const own = labels.subarray(block.begin, block.begin + count);
      for (let i = 0; i < count * classes; i++) z[i] = z[i]! * weights.units[i % classes]! + biases[i % classes]!;
      const before = new Float32Array(size * classes);
      loss += residuals(z.subarray(0, count * classes), own, before);
      block.state.write('x', 'before', before);
      const { slices, units } = cutColumns(z.subarray(0, count * classes), classes, size, bits);
      for (let i = 0; i < count * classes; i++) gradient[weightCount + (i % classes)]! += z[i]!;
      block.gradient.run(slices);
      addScaled(gradient, await readSum(block.gradient), units, scales);
    }
    return { parameters, gradient, loss };
  }

  async function evaluate(parameters: Float64Array, gradient: Float64Array): Promise<number> {
    if (!at) return centre(parameters, gradient);
    const from = at;
    const step = parameters.map((value, i) => value - from.parameters[i]!);
    const weights = new Float32Array(weightCount);
    for (let i = 0; i < weightCount; i += cols)
      for (let d = 0; d < cols; d++) weights[i + d] = step[i + d]! / scales[d]!;
    const biases = Float32Array.from(step.subarray(weightCount));
    for (const { evaluate: run } of blocks) run.run({ weights, biases });
    gradient.fill(0);
    let loss = from.loss;
    for (const { evaluate: run } of blocks) {
      const part = (await run.read('all')) as Float32Array;
      for (let i = 0; i < parameters.length; i++) gradient[i]! += part[i]!;
      for (let i = parameters.length; i < part.length; i++) loss += part[i]!;
    }
    for (let i = 0; i < weightCount; i += cols) for (let d = 0; d < cols; d++) gradient[i + d]! /= scales[d]!;
    for (let i = 0; i < gradient.length; i++) gradient[i]! += from.gradient[i]!;
    return loss;
  }

  async function openBlocks(): Promise<void> {
    for (const [i, state] of states.entries()) {
      if (i < blocks.length) continue;
      blocks.push({ begin: i * size, state, ...(await compileBlock(gpu, state, [size, cols, classes])) });
    }
  }

  return {
    evaluate,
    centre,
    [Symbol.dispose]() {
      for (const block of blocks.splice(0))
        for (const step of [block.evaluate, block.logits, block.gradient]) step.dispose();
      for (const state of states.splice(0)) state.dispose();
    },
  };
}

const same = (a: Float64Array, b: Float64Array): boolean => a.every((value, i) => value === b[i]);

/** Powers of two by which no element of a column exceeds 1. */
function columnScales(data: Float32Array | Float64Array, cols: number): Float64Array {
  const largest = new Float64Array(cols);
  for (let i = 0; i < data.length; i += cols)
    for (let d = 0; d < cols; d++) largest[d] = Math.max(largest[d]!, Math.abs(data[i + d]!));
  return largest.map((value) => 1 / powerAbove(value));
}

interface Cutting {
  readonly scales: Float64Array;
  readonly size: number;
  readonly bits: number;
}

const openState = (gpu: Gpu, [size, cols, classes]: readonly [size: number, cols: number, classes: number]) => {
  const rows = { shape: [size, cols], dtype: 'f32' } as const;
  return createState(gpu, {
    x: {
      whole: rows,
      high: rows,
      middle: rows,
      low: rows,
      before: { shape: [size, classes], dtype: 'f32' },
    },
    labels: { all: { shape: [size], dtype: 'i32' } },
  });
};

function openStates(gpu: Gpu, { x, labels, classes }: SoftmaxProblem, { scales, size, bits }: Cutting): BlockState[] {
  const { data, rows, cols } = x;
  const states: BlockState[] = [];
  for (let begin = 0; begin < rows; begin += size) {
    const state = openState(gpu, [size, cols, classes]);
    const slices = emptySlices(size * cols);
    cut(data.subarray(begin * cols, (begin + size) * cols), scales, bits, slices);
    for (const name of SLICES) state.write('x', name, slices[name]);
    state.write(
      'x',
      'whole',
      slices.high.map((value, i) => value + slices.middle[i]! + slices.low[i]!),
    );
    const own = new Int32Array(size).fill(-1);
    own.set(labels.subarray(begin, begin + size));
    state.write('labels', 'all', own);
    states.push(state);
  }
  return states;
}

const SLICES = ['high', 'middle', 'low'] as const;

async function compileBlock(
  gpu: Gpu,
  state: BlockState,
  [size, cols, classes]: readonly [size: number, cols: number, classes: number],
): Promise<Pick<Block, 'evaluate' | 'logits' | 'gradient'>> {
  const made: Disposable[] = [];
  const weights = { shape: [classes, cols], dtype: 'f32' } as const;
  const logits = { shape: [size, classes], dtype: 'f32' } as const;
  const three = (spec: typeof weights | typeof logits) => ({ high: spec, middle: spec, low: spec });
  try {
    const evaluate = await compile(
      gpu,
      ({ x: { tensors: x }, labels }, batch) => {
        const moved = matmul(x.whole, batch.weights, { transposeB: true });
        const { change, losses } = softmaxStep(moved, batch.biases, { before: x.before, labels: labels.tensors.all });
        const gradient = matmul(change, x.whole, { transposeA: true });
        return { all: concat([reshape(gradient, [classes * cols]), sum(change, [0]), losses]) };
      },
      { state, batch: { weights, biases: { shape: [classes], dtype: 'f32' } } },
    );
    made.push(evaluate);
    const logitsStep = await compile(
      gpu,
      ({ x: { tensors: x } }, w) => slicedProduct(x, w, (a, b) => matmul(a, b, { transposeB: true })),
      { state, batch: three(weights) },
    );
    made.push(logitsStep);
    const gradient = await compile(
      gpu,
      ({ x: { tensors: x } }, r) => slicedProduct(x, r, (a, b) => matmul(b, a, { transposeA: true })),
      { state, batch: three(logits) },
    );
    return { evaluate, logits: logitsStep, gradient };
  } catch (error) {
    for (const step of made) step[Symbol.dispose]();
    throw error;
  }
}

type SlicedTensors = Readonly<Record<keyof Slices, Tensor>>;

/** The three terms of a product of slices, two of them exact. */
function slicedProduct(x: SlicedTensors, y: SlicedTensors, product: (a: Tensor, b: Tensor) => Tensor) {
  const less = add(y.middle, y.low);
  return {
    first: product(x.high, y.high),
    second: add(product(x.high, y.middle), product(x.middle, y.high)),
    third: add(add(product(x.high, y.low), product(x.middle, less)), product(x.low, add(y.high, less))),
  };
}

async function readSum(step: SlicedStep): Promise<Float64Array> {
  const out = Float64Array.from((await step.read('third')) as Float32Array);
  for (const name of ['second', 'first'] as const) {
    const part = (await step.read(name)) as Float32Array;
    for (let i = 0; i < out.length; i++) out[i]! += part[i]!;
  }
  return out;
}

/** Slices of what weights `[C, D]` become beside scaled columns, each row brought to 1 at most, and by what its products are to be multiplied. */
function cutWeights(weights: Float64Array, scales: Float64Array, bits: number) {
  const cols = scales.length;
  const slices = emptySlices(weights.length);
  const units: number[] = [];
  for (let i = 0; i < weights.length; i += cols) {
    const row = weights.subarray(i, i + cols).map((value, d) => value / scales[d]!);
    const unit = powerAbove(row.reduce((max, value) => Math.max(max, Math.abs(value)), 0));
    units.push(unit);
    const part = (all: Float32Array): Float32Array => all.subarray(i, i + cols);
    const own = { high: part(slices.high), middle: part(slices.middle), low: part(slices.low) };
    cut(row, new Float64Array(cols).fill(1 / unit), bits, own);
  }
  return { slices, units };
}

/** Slices of residuals `[count, C]` of a block of `size` rows, each column brought to 1 at most. */
function cutColumns(residual: Float64Array, classes: number, size: number, bits: number) {
  const scales = columnScales(residual, classes);
  const slices = emptySlices(size * classes);
  cut(residual, scales, bits, slices);
  return { slices, units: scales.map((scale) => 1 / scale) };
}

/** Replaces the logits of rows by residuals, and writes probabilities; the sum of their cross-entropies. */
function residuals(z: Float64Array, labels: Int32Array, before: Float32Array): number {
  const classes = z.length / labels.length;
  let sum = 0;
  for (const [i, label] of labels.entries()) {
    const begin = i * classes;
    const loss = softmaxResidual(z.subarray(begin, begin + classes), label);
    for (let c = begin; c < begin + classes; c++) before[c] = Math.max(LEAST, z[c]!);
    // 1 + z would be 0 where it is small
    before[begin + label] = Math.max(LEAST, Math.exp(-loss));
    sum += loss;
  }
  return sum;
}

/** Adds products `[C, D]` of scaled rows to a gradient. */
function addScaled(
  gradient: Float64Array,
  products: Float64Array,
  units: ArrayLike<number>,
  scales: Float64Array,
): void {
  const cols = scales.length;
  for (let c = 0; c < units.length; c++)
    for (let d = 0; d < cols; d++) gradient[c * cols + d]! += (products[c * cols + d]! * units[c]!) / scales[d]!;
}
