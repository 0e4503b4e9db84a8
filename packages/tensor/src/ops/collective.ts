/**
 * Values that ranks exchange in the middle of a step. Each of R ranks records the same step and runs it on data of its own; at a collective its value leaves
 * the device, is combined with those of the other ranks off the JavaScript thread, and comes back, while kernels that do not need it go on:
 *
 *   allReduce      y = sum_r x_r, max_r x_r or log sum_r exp(x_r)         shape of x
 *   allGather      y = [x_0; x_1; ...]                                    [n, ...] -> [R n, ...]
 *   reduceScatter  y_r = stretch r of sum_r x_r                           [R n, ...] -> [n, ...]
 *
 * Differentiated as if the loss were the sum of the losses of all ranks: the gradient of a sum is the sum of the gradients, and gathering and scattering are
 * each other's adjoints. With one rank each of them is its input, and nothing is recorded. Values are f32. The f64 interpreter knows one rank: it takes the others for
 * its equals.
 */
import { opError } from '../base/errors';
import { type OptionKinds, optionProblem, valueProblem } from '../base/option-problem';
import { type Shape, showShape, sizeOf } from '../base/shape';
import type { Exchange, Op, Tensor } from '../graph/op';
import type { Reduction } from '../graph/ranks';
import { checkTensor, record, record1 } from '../graph/record';
import { type InputAttrs, isInput } from './sources';

interface CollectiveAttrs {
  /** R, the number of ranks. */
  readonly size: number;
  readonly how: Reduction;
}

/** `size` equal values as one. */
const reduceEqual = (value: number, { size, how }: CollectiveAttrs): number => {
  if (how === 'max') return value;
  return how === 'sum' ? value * size : value + Math.log(size);
};

const whole = (kind: Exchange['kind'], { how, size }: CollectiveAttrs): Exchange[] => [
  { kind, how, size, input: 0, inputOffset: 0, output: 0, outputOffset: 0, when: undefined },
];

const allReduceOp: Op<CollectiveAttrs> = {
  name: 'allReduce',
  infer: ([x]) => [x!],
  reference: ([x], attrs) => [x!.data.map((value) => reduceEqual(value, attrs))],
  gradient({ attrs, grads }) {
    if (attrs.how !== 'sum') opError('not-differentiable', 'allReduce', `${attrs.how} over ranks has no gradient`);
    return [allReduce(grads[0]!, attrs.size, 'sum')];
  },
  exchanges: (attrs) => whole('allReduce', attrs),
};

const allGatherOp: Op<CollectiveAttrs> = {
  name: 'allGather',
  infer: ([x], { size }) => [{ shape: [size * x!.shape[0]!, ...x!.shape.slice(1)], dtype: x!.dtype }],
  reference: ([x], { size }) => [
    Float64Array.from({ length: size * x!.data.length }, (_, i) => x!.data[i % x!.data.length]!),
  ],
  gradient: ({ attrs, grads }) => [reduceScatter(grads[0]!, attrs.size)],
  exchanges: (attrs) => whole('allGather', attrs),
};

const reduceScatterOp: Op<CollectiveAttrs> = {
  name: 'reduceScatter',
  infer: ([x], { size }) => [{ shape: [x!.shape[0]! / size, ...x!.shape.slice(1)], dtype: x!.dtype }],
  reference: ([x], { size }, [out]) => [x!.data.subarray(0, sizeOf(out!.shape)).map((value) => value * size)],
  gradient: ({ attrs, grads }) => [allGather(grads[0]!, attrs.size)],
  exchanges: (attrs) => whole('reduceScatter', attrs),
};

function checkOperand(op: string, x: Tensor, size: number): void {
  checkTensor(op, x);
  if (!Number.isInteger(size) || size < 1) opError('argument', op, `${size} ranks; give a whole number above 0`);
  if (x.dtype !== 'f32') opError('dtype', op, `ranks exchange f32, got ${x.dtype} ${showShape(x.shape)}`);
}

const REDUCTIONS = ['sum', 'max', 'logSumExp'] as const satisfies readonly Reduction[];

/** x reduced over `size` ranks, the same on all of them. */
export function allReduce(x: Tensor, size: number, how: Reduction = 'sum'): Tensor {
  checkOperand('allReduce', x, size);
  const problem = valueProblem('how', how, REDUCTIONS);
  if (problem) opError('argument', 'allReduce', problem);
  return size === 1 ? x : record1(allReduceOp, [x], { size, how });
}

/** Rows [n, ...] of all `size` ranks, one rank after the other: [size n, ...]. */
export function allGather(x: Tensor, size: number): Tensor {
  checkOperand('allGather', x, size);
  if (x.shape.length === 0) opError('shape', 'allGather', 'needs rows, got a scalar; reshape it to [1]');
  return size === 1 ? x : record1(allGatherOp, [x], { size, how: 'sum' });
}

/** This rank's stretch of rows of the sum of x [size n, ...] over the ranks: [n, ...]. */
export function reduceScatter(x: Tensor, size: number): Tensor {
  checkOperand('reduceScatter', x, size);
  if (!((x.shape[0] ?? 0) % size === 0 && x.shape.length > 0))
    opError('shape', 'reduceScatter', `the rows of ${showShape(x.shape)} do not divide among ${size} ranks`);
  return size === 1 ? x : record1(reduceScatterOp, [x], { size, how: 'sum' });
}

/** Default elements of a bucket: small enough to begin early, large enough that messages are few. */
const BUCKET_ELEMENTS = 6_250_000;

interface WindowsAttrs {
  readonly exchanges: readonly Exchange[];
  readonly size: number;
  /** Inputs that are windows; one more is the knob, where there is one. */
  readonly windows: number;
}

const allReduceWindowsOp: Op<WindowsAttrs> = {
  name: 'allReduceWindows',
  infer: (inputs, { windows }) => inputs.slice(0, windows),
  reference(inputs, { size, windows }) {
    const isOff = inputs[windows]?.data[0] === 0;
    return inputs.slice(0, windows).map(({ data }) => data.map((value) => (isOff ? value : value * size)));
  },
  exchanges: ({ exchanges }) => exchanges,
};

const WINDOWS: OptionKinds<WindowsOptions> = { size: 'number', bucket: 'number', when: 'object' };

export interface WindowsOptions {
  /** R, the number of ranks. */
  readonly size: number;
  /** Largest bucket in elements, rounded up to a multiple of 128 (default 6.25 million: 25 MB). */
  readonly bucket?: number;
  /** A knob, the same on all ranks: in a run where it is 0 nothing is exchanged and the windows stay as they are. */
  readonly when?: Tensor | undefined;
}

/**
 * Sums the windows of a group of state (gradients, as `store` returns them) over the ranks, in place and in buckets, the last one first: a backward pass
 * finishes it first. A bucket leaves as soon as everything in it is computed. Returns the windows to use from there on.
 */
export function allReduceWindows(windows: readonly Tensor[], options: WindowsOptions): readonly Tensor[] {
  checkWindows(windows, options);
  const { size, bucket = BUCKET_ELEMENTS, when } = options;
  if (size === 1) return windows;
  const knob = when && knobName(when);
  const exchanges = windows.flatMap(({ shape }, i) =>
    stretches(shape, bucket).map(({ first, end }) => ({
      kind: 'allReduce' as const,
      how: 'sum' as const,
      size,
      input: i,
      inputOffset: first,
      output: i,
      outputOffset: first,
      elements: end - first,
      when: knob,
    })),
  );
  const op: Op<WindowsAttrs> = { ...allReduceWindowsOp, mutates: windows.map((_, i) => i) };
  const inputs = when ? [...windows, when] : windows;
  return record(op, inputs, { exchanges: exchanges.reverse(), size, windows: windows.length });
}

function checkWindows(windows: readonly Tensor[], options: WindowsOptions): void {
  const problem = valueProblem('windows', windows, 'list') ?? optionProblem(options, WINDOWS);
  if (problem) opError('argument', 'allReduceWindows', problem);
  const { size, bucket = BUCKET_ELEMENTS } = options;
  if (!(bucket >= 1)) opError('argument', 'allReduceWindows', `a bucket of ${bucket} elements; give a number above 0`);
  for (const window of windows) {
    checkOperand('allReduceWindows', window, size);
    if (window.shape.length !== 1)
      opError(
        'shape',
        'allReduceWindows',
        `${showShape(window.shape)} is no window; give those of a group, as store returns them`,
      );
  }
}

function stretches([elements]: Shape, bucket: number): { first: number; end: number }[] {
  const count = Math.max(1, Math.ceil(elements! / bucket));
  const size = Math.ceil(elements! / count / 128) * 128;
  return Array.from({ length: count }, (_, i) => ({
    first: i * size,
    end: Math.min((i + 1) * size, elements!),
  })).filter(({ first, end }) => end > first);
}

function knobName(when: Tensor): string {
  const { node, shape } = checkTensor('allReduceWindows', when);
  if (sizeOf(shape) !== 1)
    opError('shape', 'allReduceWindows', `when is ${showShape(shape)}; give a knob of one value`);
  if (!isInput(node) || (node.attrs as InputAttrs).kind !== 'knob')
    opError('argument', 'allReduceWindows', 'when is no knob; give one of the knobs of the step as it came');
  return (node.attrs as InputAttrs).name;
}
