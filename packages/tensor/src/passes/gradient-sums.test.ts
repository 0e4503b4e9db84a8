import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { createState } from '../device/state';
import type { Spec, Tensor } from '../graph/op';
import { openGpu } from '../node';
import { type StateTensors, store } from '../ops/assign';
import { add, exp, mul, square } from '../ops/elementwise';
import { matmul } from '../ops/matmul/matmul';
import { sum } from '../ops/reduce';
import { l2Normalise } from '../ops/rows/l2-normalise';
import { weightNorm } from '../ops/rows/weight-norm';
import { sliceAxis } from '../ops/slice';
import { checkOp } from '../testing';
import { grad } from './grad';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const rows = (x: Tensor, first: number, end: number): Tensor => sliceAxis(x, 0, first, end);

test.each([
  ['slices that tile the rows', (x: Tensor) => add(mul(rows(x, 0, 64), 2), rows(x, 64, 128))],
  ['slices that leave rows out', (x: Tensor) => add(rows(x, 3, 9), rows(x, 20, 26))],
  ['slices that overlap', (x: Tensor) => add(rows(x, 0, 100), rows(x, 28, 128))],
  ['one slice used twice', (x: Tensor) => mul(rows(x, 0, 50), add(rows(x, 0, 50), sum(rows(x, 50, 128))))],
  ['slices and the whole', (x: Tensor) => add(add(sum(mul(x, x)), sum(rows(x, 0, 64))), rows(x, 64, 128))],
])('gradient of %s', async (_, fn) => {
  await checkOp(gpu, fn, [{ shape: [128, 5] }]);
});

const columns = (x: Tensor, first: number, end: number): Tensor => sliceAxis(x, 1, first, end);

test.each([
  ['columns that tile', (x: Tensor) => add(mul(columns(x, 0, 4), 2), columns(x, 4, 8))],
  ['nested columns', (x: Tensor) => add(sum(square(columns(x, 0, 3))), columns(x, 0, 6))],
  ['columns and rows', (x: Tensor) => add(sum(square(columns(x, 0, 3))), rows(x, 2, 5))],
])('gradient of %s', async (_, fn) => {
  await checkOp(gpu, fn, [{ shape: [7, 8] }]);
});

test('slices that tile an axis give a gradient without padding or addition', () => {
  const { steps } = planStep(
    defaultTarget,
    {},
    (_, { x }) => grad(add(sum(square(columns(x, 0, 1))), sum(exp(columns(x, 1, 9)))), [x])[0]!,
    { batch: { x: { shape: [4, 9, 5], dtype: 'f32' } } },
  );
  const labels = steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : 'copy'));
  expect(labels.filter((label) => label === 'concat').length).toBe(2);
  expect(labels).not.toContain('pad');
});

test('the gradient of a weight used in row slices is written slice by slice where it is stored', async () => {
  const [K, b, R] = [192, 8, 4];
  const weights = { v: { shape: [K, b], dtype: 'f32' }, g: { shape: [K, 1], dtype: 'f32' } } as const;
  type Groups = Record<'weights' | 'gradient', typeof weights>;
  using state = createState(gpu, { weights, gradient: weights });
  state.write(
    'weights',
    'v',
    Float32Array.from({ length: K * b }, (_, i) => Math.sin(i)),
  );
  state.write('weights', 'g', new Float32Array(K).fill(1));
  const x: Spec = { shape: [R, b], dtype: 'f32' };
  const squares = (s: StateTensors<Groups>, z: Tensor, chunk: number) => {
    const { v, g } = s.weights.tensors;
    const parts = Array.from({ length: K / chunk }, (_, i) => {
      const weight = weightNorm(rows(g, i * chunk, (i + 1) * chunk), rows(v, i * chunk, (i + 1) * chunk));
      const logits = matmul(z, weight, { transposeB: true });
      return sum(mul(logits, logits));
    });
    return grad(parts.reduce(add), { v, g });
  };
  using inSlices = await compile(gpu, (s, { z }) => void store(s.gradient, squares(s, z, 64)), {
    state,
    batch: { z: x },
  });
  using whole = await compile(gpu, (s, { z }) => squares(s, z, K), { state, batch: { z: x } });
  const z = Float32Array.from({ length: R * b }, (_, i) => Math.cos(i));
  inSlices.run({ z });
  whole.run({ z });
  for (const name of ['v', 'g'] as const) {
    const expected = await whole.read(name);
    (await state.read('gradient', name)).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected[i]!)));
    });
  }
  const kinds = inSlices.plan.steps.map((step) => (step.kind === 'kernel' ? step.kernel.label : step.kind));
  expect(kinds).not.toContain('copy');
  expect(kinds).not.toContain('concat');
  expect(kinds).not.toContain('pad');
});

test('what lies behind a stored value of any length stays zero', async () => {
  const group = { a: { shape: [5], dtype: 'f32' }, b: { shape: [3], dtype: 'f32' } } as const;
  using state = createState(gpu, { group });
  const x: Spec = { shape: [5], dtype: 'f32' };
  using step = await compile(
    gpu,
    (s, batch) => {
      // as an output too, `a` is not written in place but copied from a slot, in which a longer value lay before
      const before = sum(l2Normalise(batch.y));
      const a = mul(mul(batch.x, 2), before);
      return { a, windows: store(s.group, { a, b: rows(batch.x, 2, 5) }) };
    },
    { state, batch: { x, y: { shape: [64], dtype: 'f32' } } },
  );
  step.run({ x: [1, 2, 3, 4, 5], y: Float32Array.from({ length: 64 }, (_, i) => Number(i === 6)) });
  await step.done();
  const bytes = await gpu.readBytes(state.buffers.group[0]!, 0, 4 * state.layout.group.buffers[0]!);
  const all = [...new Float32Array(bytes)];
  const { a, b } = state.layout.group.segments;
  expect(all.slice(a.offset, a.offset + 5)).toEqual([2, 4, 6, 8, 10]);
  expect(all.slice(b.offset, b.offset + 3)).toEqual([3, 4, 5]);
  expect(all.filter((value) => value !== 0).length).toBe(8);
});
