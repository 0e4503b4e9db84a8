/** Mutants: an op that is right, and the same op with one thing wrong. `checkOp` must refuse each of them and say where. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../base/shape';
import type { Gpu } from '../device/gpu';
import type { GradientArgs, LowerArgs, Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { kernelBuilder } from '../kernels/kernel-builder';
import { openGpu } from '../node';
import { concat } from '../ops/concat';
import { cast, mul, neg } from '../ops/elementwise';
import { sum } from '../ops/reduce';
import { pad, sliceAxis } from '../ops/slice';
import { constant } from '../ops/sources';
import { transpose } from '../ops/transpose';
import { reshape } from '../ops/views';
import { checkOp } from './check-op';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** The kernel, with `last` added to the last element. */
function productKernel({ inputs: [a, b], outputs: [out], target }: LowerArgs<object>, last = 0) {
  const k = kernelBuilder('scaleColumns', target);
  const [A, B, O] = [k.read(a!), k.read(b!), k.write(out!)];
  const size = sizeOf(out!.shape);
  const body = `
  if (thread >= ${k.uniform(size)}) { return; }
  let wrong = select(0.0, ${k.uniformF32(last)}, thread + 1u == ${k.uniform(size)});
  ${O}[thread] = ${A}[thread] * ${B}[thread % ${k.uniform(b!.shape[0]!)}] + wrong;`;
  return [k.build({ body, workgroupSize: 64, workgroups: Math.ceil(size / 64) })];
}

/** a [N, N] with its columns scaled by b [N]: square, so that a transposed gradient has the right shape. */
const scaleColumns: Op<object> = {
  name: 'scaleColumns',
  infer: ([a]) => [a!],
  reference: ([a, b]) => [a!.data.map((value, i) => value * b!.data[i % b!.data.length]!)],
  gradient: ({ inputs: [a, b], grads: [g] }) => [mul(g!, b!), sum(mul(g!, a!), [0])],
  lower: (args) => productKernel(args),
};

type Check = Promise<unknown>;
const check = (mutation: Partial<Op<object>>, N: number): Check => {
  const op = { ...scaleColumns, ...mutation };
  return checkOp(gpu, (a, b) => record1(op, [a, b], {}), [{ shape: [N, N] }, { shape: [N] }]);
};

/** The op with another gradient, made from the right ones. */
const withGradient = (mutate: (da: Tensor, db: Tensor, args: GradientArgs<object>) => (Tensor | undefined)[]) => ({
  gradient: (args: GradientArgs<object>) => {
    const [da, db] = scaleColumns.gradient!(args);
    return mutate(da!, db!, args);
  },
});

const SIZES = [5, 40];
const rows = (x: Tensor, first: number, end: number): Tensor => sliceAxis(x, 0, first, end);
/** x with its elements from `first` on zeroed. */
const upTo = (x: Tensor, first: number): Tensor => {
  const mask = Float64Array.from({ length: sizeOf(x.shape) }, (_, i) => Number(i < first));
  return mul(x, constant(mask, x.shape));
};

test.each(SIZES)('the op itself passes, %i rows', async (N) => {
  await check({}, N);
});

describe.each(SIZES)('gradients of another shape are refused when recorded, %i rows', (N) => {
  test.each<[string, Partial<Op<object>>, RegExp]>([
    [
      'too short',
      withGradient((da, db) => [rows(da, 1, N), db]),
      /input 0 has shape \[\d+, \d+\], the input \[\d+, \d+\]/,
    ],
    ['flat', withGradient((da, db) => [reshape(da, [-1]), db]), /input 0 has shape \[\d+\], the input/],
    ['unresolved', withGradient((da, db) => [{ ...da, shape: [-1] }, db]), /input 0 has shape \[-1\], the input/],
    [
      'of a rank more',
      withGradient((da, db) => [da, reshape(db, [1, N])]),
      /input 1 has shape \[1, \d+\], the input \[\d+\]/,
    ],
    [
      'not summed over the axis of a broadcast',
      withGradient((da, _, { inputs: [a], grads: [g] }) => [da, mul(g!, a!)]),
      /input 1 has shape \[\d+, \d+\], the input \[\d+\]/,
    ],
    ['the first row only', withGradient((da, db) => [rows(da, 0, 1), db]), /input 0 has shape \[1, \d+\], the input/],
    ['of another type', withGradient((da, db) => [cast(da, 'i32'), db]), /input 0 is i32, the input f32/],
    ['of an input too many', withGradient((da, db) => [da, db, db]), /input 2 is one too many for 2 inputs/],
  ])('%s', async (_, mutant, where) => {
    const refused = check(mutant, N);
    await expect(refused).rejects.toThrow(where);
    await expect(refused).rejects.toThrow(/^scaleColumns: its gradient of .* recorded at .*check-op\.test\.ts:\d+/);
  });
});

describe.each(SIZES)('gradients with wrong values are found by finite differences, %i rows', (N) => {
  const off = String.raw`: \S+ by the op's rule, \S+ by finite differences`;
  test.each<[string, Partial<Op<object>>, string]>([
    [
      'zero',
      withGradient((da, db) => [mul(da, 0), db]),
      String.raw`input 0 \[\d+, \d+\] is wrong at \d+ = \[\d+, \d+\]`,
    ],
    ['missing', withGradient((da) => [da]), String.raw`input 1 \[\d+\] is wrong at \d+ = \[\d+\]`],
    ['of the wrong sign', withGradient((da, db) => [da, neg(db)]), 'input 1'],
    ['transposed', withGradient((da, db) => [transpose(da), db]), 'input 0'],
    ['shifted by a row', withGradient((da, db) => [concat([rows(da, N - 1, N), rows(da, 0, N - 1)]), db]), 'input 0'],
    [
      'shifted by an element',
      withGradient((da, db) => [da, concat([rows(db, N - 1, N), rows(db, 0, N - 1)])]),
      'input 1',
    ],
    [
      'summed over the wrong axis',
      withGradient((da, _, { inputs: [a], grads: [g] }) => [da, sum(mul(g!, a!), [1])]),
      'input 1',
    ],
    [
      'one row of a broadcast instead of all',
      withGradient((da, _, { inputs: [a], grads: [g] }) => [da, reshape(rows(mul(g!, a!), 0, 1), [N])]),
      'input 1',
    ],
    [
      'the first row, and zeros below',
      withGradient((da, db) => [pad(rows(da, 0, 1), [0, 0], [N - 1, 0]), db]),
      String.raw`input 0 \[\d+, \d+\] is wrong at \d+ = \[[1-9]\d*, \d+\]`,
    ],
    [
      'right but for the last row',
      withGradient((da, db) => [upTo(da, N * (N - 1)), db]),
      String.raw`input 0 \[\d+, \d+\] is wrong at \d+ = \[${N - 1}, \d+\]`,
    ],
    [
      'right but for the last element',
      withGradient((da, db) => [upTo(da, N * N - 1), db]),
      String.raw`input 0 \[\d+, \d+\] is wrong at ${N * N - 1} = \[${N - 1}, ${N - 1}\]`,
    ],
  ])('%s', async (_, mutant, where) => {
    await expect(check(mutant, N)).rejects.toThrow(new RegExp(`^gradient of ${where}`));
    await expect(check(mutant, N)).rejects.toThrow(new RegExp(off));
  });
});

describe.each(SIZES)('kernels and references that differ are found, %i rows', (N) => {
  const last = String.raw`is wrong at ${N * N - 1} = \[${N - 1}, ${N - 1}\]: \S+ on the device, \S+ in the reference`;
  const wrongLast: Partial<Op<object>> = { lower: (args) => productKernel(args, 0.01) };
  const lastAbove = (x: Float64Array): Float64Array => x.map((value, i) => (i === x.length - 1 ? value + 0.01 : value));
  test.each<[string, Partial<Op<object>>, string]>([
    ['a kernel that is off in the last element', wrongLast, `output 0 .* ${last}`],
    [
      'a kernel that gives NaN in the last element',
      { lower: (args) => productKernel(args, Number.POSITIVE_INFINITY) },
      `output 0 .* ${last}`,
    ],
    [
      'a reference that is off in the last element',
      { reference: (...args) => scaleColumns.reference(...args).map(lastAbove) },
      `output 0 .* ${last}`,
    ],
    [
      'a reference that stops early',
      { reference: (...args) => scaleColumns.reference(...args).map((x) => x.subarray(0, N)) },
      `output 0: the reference gives ${N} values, .* has ${N * N} elements`,
    ],
    [
      'a kernel of the gradient that is off in the last element',
      withGradient((_, db, { inputs: [, b], grads: [g] }) => [
        record1({ ...scaleColumns, ...wrongLast }, [g!, b!], {}),
        db,
      ]),
      `gradient of input 0 .* ${last}`,
    ],
  ])('%s', async (_, mutant, where) => {
    await expect(check(mutant, N)).rejects.toThrow(new RegExp(`^${where}`));
  });
});

test('a replay that differs from one op at a time is found, though both are within the tolerance', async () => {
  let compiled = 0;
  const mutant: Partial<Op<object>> = { gradient: undefined, lower: (args) => productKernel(args, 1e-6 * compiled++) };
  const op = { ...scaleColumns, ...mutant };
  await expect(
    checkOp(gpu, (a, b) => record1(op, [a, b], {}), [{ shape: [3, 3] }, { shape: [3] }], { gradient: false }),
  ).rejects.toThrow(/^output 0 \[3, 3\] differs between a replay and one op at a time at 8 = \[2, 2\]/);
});
