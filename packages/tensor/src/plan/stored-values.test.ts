/** Values may be written where they are stored before the copy would be, unless somebody could tell. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import { createState } from '../device/state';
import type { Tensor } from '../graph/op';
import { openGpu } from '../node';
import { assign, type GroupTensors, store } from '../ops/assign';
import { mul } from '../ops/elementwise';
import { sum } from '../ops/reduce';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });

/** What `build` computes of x, whose columns add up to 4, and of the group g, which holds 5s; and what the group holds then. */
async function run(build: (g: GroupTensors<'w'>, x: Tensor) => Tensor) {
  const state = createState(gpu, { g: { w: f32(8) } });
  state.write('g', 'w', new Float32Array(8).fill(5));
  const step = await compile(gpu, ({ g }, { x }) => ({ y: build(g, x) }), { state, batch: { x: f32(4, 8) } });
  step.run({ x: new Float32Array(32).fill(1) });
  const [y, w] = [await step.read('y'), await state.read('g', 'w')];
  const copies = step.plan.report.copies;
  step.dispose();
  state.dispose();
  return { y: y[0], w: w[0], copies };
}

test('a value that is only stored needs no copy', async () => {
  const stored = await run((g, x) => {
    store(g, { w: sum(x, [0]) });
    return sum(x);
  });
  expect(stored).toEqual({ y: 32, w: 4, copies: 0 });
});

test('what the group held before is read before it is overwritten', async () => {
  const before = await run((g, x) => {
    const value = sum(x, [0]);
    const y = sum(g.tensors.w);
    store(g, { w: value });
    return y;
  });
  expect(before).toEqual({ y: 40, w: 4, copies: 1 });
});

test('a value that is needed after the group has changed again keeps what it was', async () => {
  const after = await run((g, x) => {
    const value = sum(x, [0]);
    const [window] = store(g, { w: value });
    assign(window!, mul(window!, 10));
    return sum(value);
  });
  expect(after).toEqual({ y: 32, w: 40, copies: 1 });
});

test('two values that are stored in one place one after the other do not meet there', async () => {
  const twice = await run((g, x) => {
    const [one, two] = [sum(x, [0]), sum(mul(x, 2), [0])];
    const [window] = store(g, { w: one });
    const y = sum(window!);
    store({ ...g, windows: [window!] }, { w: two });
    return y;
  });
  expect(twice).toEqual({ y: 32, w: 8, copies: 1 });
});
