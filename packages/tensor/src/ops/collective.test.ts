/** Collectives between ranks that are steps of one process on one device: every rank runs the same step on data of its own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockstepRanks } from '../../../../test/support/lockstep-ranks';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { createState } from '../device/state';
import type { Tensor } from '../graph/op';
import type { Reduction } from '../graph/ranks';
import { layoutState } from '../graph/state-layout';
import { openGpu } from '../node';
import { grad } from '../passes/grad';
import { interpret } from '../passes/interpret';
import { describePlan } from '../plan/describe';
import { exchangesOf } from '../plan/exchanges';
import { normals } from '../testing';
import { checkDifferences } from '../testing/finite-differences';
import { assign, store } from './assign';
import { allGather, allReduce, allReduceWindows, reduceScatter } from './collective';
import { concat } from './concat';
import { add, mul, square, tanh } from './elementwise';
import { sum } from './reduce';
import { slice, sliceAxis } from './slice';
import { input, knob, literal } from './sources';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const shapeOf = (shape: readonly number[]) => ({ shape, dtype: 'f32' as const });
const single = (values: Float64Array): Float32Array => Float32Array.from(values);

/** What each rank computes of its own x. */
async function onRanks(
  data: readonly Float32Array[],
  shape: readonly number[],
  build: (x: Tensor, rank: number) => Tensor,
): Promise<Float32Array[]> {
  const steps = await Promise.all(
    lockstepRanks(data.length).map((ranks) =>
      compile(gpu, (_, { x }) => ({ y: build(x, ranks.rank) }), { batch: { x: shapeOf(shape) }, ranks }),
    ),
  );
  steps.forEach((step, rank) => {
    step.run({ x: data[rank]! });
  });
  const results = await Promise.all(steps.map((step) => step.read('y') as Promise<Float32Array>));
  for (const step of steps) step.dispose();
  return results;
}

const dataOf = (ranks: number, count: number): Float32Array[] =>
  Array.from({ length: ranks }, (_, rank) => single(normals(count, rank + 1)));

const REDUCED: Readonly<Record<Reduction, (values: readonly number[]) => number>> = {
  sum: (values) => values.reduce((total, value) => Math.fround(total + value)),
  max: (values) => Math.max(...values),
  logSumExp: (values) => Math.log(values.reduce((total, value) => total + Math.exp(value), 0)),
};

describe.each([2, 3])('%i ranks', (size) => {
  test.each(['sum', 'max', 'logSumExp'] as const)(
    'allReduce of 77 values is their %s in the order of the ranks',
    async (how) => {
      const data = dataOf(size, 77);
      const results = await onRanks(data, [7, 11], (x) => allReduce(x, size, how));
      const expected = Float32Array.from(data[0]!, (_, i) => REDUCED[how](data.map((own) => own[i]!)));
      for (const result of results) {
        // logSumExp is taken in f32 by the ranks of these tests; |x| < 4, so that a few roundings are below 2e-6
        if (how !== 'logSumExp') expect(result).toEqual(expected);
        for (const [i, value] of result.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6);
      }
    },
  );

  test('allGather puts the rows of the ranks one after the other, reduceScatter gives each its rows of the sum', async () => {
    const data = dataOf(size, 5 * 3);
    const gathered = Float32Array.from(data.flatMap((own) => [...own]));
    for (const result of await onRanks(data, [5, 3], (x) => allGather(x, size))) expect(result).toEqual(gathered);

    const long = dataOf(size, size * 5 * 3);
    const sums = Float32Array.from(long[0]!, (_, i) => REDUCED.sum(long.map((own) => own[i]!)));
    const scattered = await onRanks(long, [size * 5, 3], (x) => reduceScatter(x, size));
    for (const [rank, result] of scattered.entries()) expect(result).toEqual(sums.subarray(rank * 15, (rank + 1) * 15));
  });

  test('views, knobs, state and literals are exchanged like what kernels compute', async () => {
    const data = dataOf(size, 3 * 64);
    const results = await onRanks(data, [3, 64], (x) => allReduce(slice(x, [1, 0], [2, 64]), size));
    const expected = Float32Array.from({ length: 128 }, (_, i) => REDUCED.sum(data.map((own) => own[64 + i]!)));
    for (const result of results) expect(result).toEqual(expected);
    expect((await onRanks(data, [3, 64], (_, rank) => allReduce(literal(rank), size, 'max')))[0]).toEqual(
      Float32Array.of(size - 1),
    );
  });

  /** The same on one rank that has the data of all. */
  const ALL_AT_ONCE = {
    allReduce: (xs: readonly Tensor[]) => xs.map(() => xs.reduce((a, b) => add(a, b))),
    allGather: (xs: readonly Tensor[]) => xs.map(() => concat(xs, 0)),
    reduceScatter: (xs: readonly Tensor[]) =>
      xs.map((_, rank) =>
        sliceAxis(
          xs.reduce((a, b) => add(a, b)),
          0,
          rank * 2,
          (rank + 1) * 2,
        ),
      ),
  } as const;

  test.each([
    ['allReduce', allReduce],
    ['allGather', allGather],
    ['reduceScatter', reduceScatter],
  ] as const)('the gradient through %s is that of the sum of the losses of all ranks', async (name, collective) => {
    const shape = [2 * size, 3];
    const count = 6 * size;
    const data = dataOf(size, count);
    const lossOf = (x: Tensor, exchanged: Tensor, rank: number): Tensor =>
      add(sum(mul(square(exchanged), rank + 1)), sum(mul(tanh(x), rank - 0.5)));
    const gradients = await onRanks(
      data,
      shape,
      (x, rank) => grad(lossOf(x, collective(tanh(x), size), rank), { x }).x,
    );

    const xs = data.map((_, rank) => input(`x${rank}`, shape));
    const exchanged = ALL_AT_ONCE[name](xs.map((x) => tanh(x)));
    const total = xs.map((x, rank) => lossOf(x, exchanged[rank]!, rank)).reduce((a, b) => add(a, b));
    const { wrong } = checkDifferences(
      {
        loss: (all) =>
          interpret(
            [total],
            Object.fromEntries(xs.map((_, rank) => [`x${rank}`, all.subarray(rank * count, (rank + 1) * count)])),
          ).value(total).data[0]!,
        x: Float64Array.from(data.flatMap((own) => [...own])),
        gradient: Float64Array.from(gradients.flatMap((own) => [...own])),
        directions: 8,
      },
      // a few hundred f32 roundings against the largest gradient
      1e-5,
    );
    expect(wrong).toBeUndefined();
  });
});

test('a maximum over ranks has no gradient', () => {
  const x = input('x', [4]);
  expect(() => grad(sum(allReduce(x, 2, 'max')), { x })).toThrow(/allReduce: max over ranks has no gradient/);
});

test('a value that is stored comes back where it is stored, without a copy', async () => {
  const specs = { g: { w: shapeOf([3, 5]) } };
  const data = dataOf(2, 15);
  const states = data.map(() => createState(gpu, specs));
  const steps = await Promise.all(
    lockstepRanks(2).map((ranks, rank) =>
      compile(
        gpu,
        ({ g }, { x }) => {
          store(g, { w: allReduce(mul(x, 2), 2) });
          return {};
        },
        { state: states[rank]!, batch: { x: shapeOf([3, 5]) }, ranks },
      ),
    ),
  );
  expect(steps[0]!.plan.steps.map(({ kind }) => kind)).toEqual(['kernel', 'send', 'receive']);
  for (const [rank, step] of steps.entries()) step.run({ x: data[rank]! });
  const sums = Float32Array.from(data[0]!, (_, i) => REDUCED.sum(data.map((own) => 2 * own[i]!)));
  for (const state of states) expect(await state.read('g', 'w')).toEqual(sums);
  for (const one of [...steps, ...states]) one.dispose();
});

describe('windows', () => {
  const specs = { g: { a: shapeOf([100]), b: shapeOf([3, 70]) }, w: { a: shapeOf([100]), b: shapeOf([3, 70]) } };
  const [A, B] = [dataOf(2, 100), dataOf(2, 210)];

  async function windowSteps(options: { bucket?: number; gated?: boolean }) {
    const states = A.map(() => createState(gpu, specs));
    const steps = await Promise.all(
      lockstepRanks(2).map((ranks, rank) =>
        compile(
          gpu,
          ({ g, w }, { a, b }, { last }) => {
            const windows = store(g, { a: mul(a, 3), b: add(b, 1) });
            const { bucket, gated } = options;
            const summed = allReduceWindows(windows, {
              size: 2,
              ...(bucket === undefined ? {} : { bucket }),
              when: gated ? last : undefined,
            });
            for (const [i, window] of w.windows.entries()) assign(window, mul(summed[i]!, 0.5));
            return {};
          },
          { state: states[rank]!, batch: { a: shapeOf([100]), b: shapeOf([3, 70]) }, knobs: { last: [] }, ranks },
        ),
      ),
    );
    return {
      states,
      steps,
      run(last: number) {
        steps.forEach((step, rank) => {
          step.run({ a: A[rank]!, b: B[rank]! }, { last });
        });
      },
      dispose() {
        for (const one of [...steps, ...states]) one.dispose();
      },
    };
  }
  const sumsOf = (data: readonly Float32Array[], f: (x: number) => number): Float32Array =>
    Float32Array.from(data[0]!, (_, i) => data.reduce((total, own) => Math.fround(total + Math.fround(f(own[i]!))), 0));

  test.each([undefined, 128, 200])(
    'are summed in place, in buckets of %s elements, the last one first',
    async (bucket) => {
      const { states, steps, run, dispose } = await windowSteps(bucket === undefined ? {} : { bucket });
      const exchanges = exchangesOf(steps[0]!.plan);
      expect(exchanges.map(({ to }) => to)).toEqual(exchanges.map(({ from }) => from));
      const places = exchanges.map(({ from }) => from.offset);
      expect(places).toEqual([...places].sort((a, b) => b - a));
      // segments are 128 and 256 elements
      expect(places.length).toBe(bucket === undefined ? 1 : bucket === 128 ? 3 : 2);
      run(1);
      for (const state of states) {
        expect(await state.read('g', 'a')).toEqual(sumsOf(A, (x) => 3 * x));
        expect(await state.read('g', 'b')).toEqual(sumsOf(B, (x) => x + 1));
        expect(await state.read('w', 'b')).toEqual(sumsOf(B, (x) => x + 1).map((value) => value / 2));
      }
      dispose();
    },
  );

  test('stay as they are in a run whose knob is 0', async () => {
    const { states, steps, run, dispose } = await windowSteps({ gated: true });
    for (const last of [0, 1, 0]) {
      run(last);
      await Promise.all(steps.map((step) => step.done()));
      for (const [rank, state] of states.entries())
        expect(await state.read('g', 'a')).toEqual(
          last === 1 ? sumsOf(A, (x) => 3 * x) : sumsOf([A[rank]!], (x) => 3 * x),
        );
    }
    dispose();
  });

  test('that are used under their old name afterwards are refused', () => {
    const layout = layoutState(specs, defaultTarget);
    const plan = (after: 'old' | 'new') =>
      planStep(
        defaultTarget,
        layout,
        ({ g, w }) => {
          const windows = store(g, { a: mul(w.tensors.a, 2) });
          const summed = allReduceWindows(windows, { size: 2 });
          return { norm: sum(after === 'old' ? windows[0]! : summed[0]!) };
        },
        {},
      );
    expect(() => plan('old')).toThrow(/"g\/window 0" is used at .* after its update at .*collective\.test\.ts/);
    expect(plan('new').report.exchanges).toBe(1);
  });

  test('that are no state, and a gate that is no knob of one value, are refused', () => {
    const when = knob('last', [2]);
    const windows = [input('x', [128])];
    const plan = () =>
      planStep(defaultTarget, {}, (_, { x }) => ({ y: allReduceWindows([x], { size: 2 })[0]! }), {
        batch: { x: shapeOf([128]) },
      });
    expect(plan).toThrow(/overwrites f32 \[128\], which is no state/);
    expect(() => allReduceWindows(windows, { size: 2, when })).toThrow(/when is \[2\]; give a knob of one value/);
    expect(() => allReduceWindows(windows, { size: 2, when: literal(1) })).toThrow(/when is no knob/);
  });

  test('that are no windows, and buckets that hold nothing, are refused', () => {
    expect(() => allReduceWindows([input('x', [8, 16])], { size: 2 })).toThrow(/\[8, 16\] is no window/);
    expect(() => allReduceWindows([input('x', [8])], { size: 2, bucket: 0 })).toThrow(/a bucket of 0 elements/);
    expect(() => allReduceWindows([input('x', [8])], { size: 2, buckets: 5 } as never)).toThrow(/no option "buckets"/);
    expect(() => allReduce(input('x', [8]), 2, 'mean' as never)).toThrow(/how is "mean"; it must be one of/);
    expect(() => allReduce(input('x', [8]), 0)).toThrow(/0 ranks; give a whole number above 0/);
    expect(() => allReduce(input('x', [8], 'u32'), 2)).toThrow(/ranks exchange f32, got u32 \[8\]/);
    expect(() => reduceScatter(input('x', [7]), 2)).toThrow(/the rows of \[7\] do not divide among 2 ranks/);
    expect(() => allGather(input('x', []), 2)).toThrow(/needs rows, got a scalar/);
  });
});

test('with one rank nothing is recorded', () => {
  const layout = layoutState({ g: { a: shapeOf([100]) } }, defaultTarget);
  const plan = (collectives: boolean) =>
    planStep(
      defaultTarget,
      layout,
      ({ g }, { x }) => {
        const y = collectives ? allReduce(allGather(reduceScatter(x, 1), 1), 1) : x;
        const windows = store(g, { a: mul(y, 2) });
        const [window] = collectives ? allReduceWindows(windows, { size: 1 }) : windows;
        return { norm: sum(window!) };
      },
      { batch: { x: shapeOf([100]) } },
    );
  const { steps, slotBytes, report } = plan(true);
  const without = plan(false);
  expect(describePlan(plan(true), { wgsl: true }).replaceAll(/ {2}at .*/g, '')).toBe(
    describePlan(without, { wgsl: true }).replaceAll(/ {2}at .*/g, ''),
  );
  expect(steps.map(({ kind }) => kind)).toEqual(without.steps.map(({ kind }) => kind));
  expect({ ...report, peak: 0 }).toEqual({ ...without.report, peak: 0 });
  expect(slotBytes).toEqual(without.slotBytes);
});

test('the f64 interpreter takes the other ranks for equals of this one', () => {
  const x = input('x', [3]);
  const values = [
    allReduce(x, 3),
    allReduce(x, 3, 'max'),
    allReduce(x, 3, 'logSumExp'),
    allGather(x, 3),
    reduceScatter(x, 3),
  ];
  const feeds = { x: [1, 2, 4] };
  const results = values.map((value) => [...interpret([value], feeds).value(value).data]);
  expect(results).toEqual([
    [3, 6, 12],
    [1, 2, 4],
    [1, 2, 4].map((value) => value + Math.log(3)),
    [1, 2, 4, 1, 2, 4, 1, 2, 4],
    [3],
  ]);
});
