import { afterAll, expect, test } from 'vitest';
import { compile } from './compile';
import { createState } from './device/state';
import { openGpu } from './node';
import { store } from './ops/assign';
import { cast, mul } from './ops/elementwise';
import { sum } from './ops/reduce';
import { constant } from './ops/sources';
import { grad } from './passes/grad';

const gpu = await openGpu();
afterAll(() => gpu.dispose());
const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });
const scalar = f32(1);

test('names of groups, tensors, inputs, knobs and outputs are known to the compiler', async () => {
  using state = createState(gpu, { weights: { w: scalar }, gradient: { w: scalar } });
  state.write('weights', 'w', [2]);
  // @ts-expect-error no such group
  expect(() => state.write('weight', 'w', [2])).toThrow(
    /no tensor "w" in group "weight"; groups are weights, gradient/,
  );
  // @ts-expect-error no such tensor
  await expect(state.read('weights', 'v')).rejects.toThrow(/no tensor "v" in group "weights"; it has w/);

  using step = await compile(
    gpu,
    (groups, { x }, { k }) => {
      const loss = sum(mul(mul(groups.weights.tensors.w, x), k));
      const gradients = grad(loss, groups.weights.tensors);
      store(groups.gradient, gradients);
      // @ts-expect-error no such group, tensor, input or output
      const wrong = [() => groups.bias.tensors, () => groups.weights.tensors.v.shape, () => gradients.v.shape];
      for (const read of wrong) expect(read).toThrow(TypeError);
      // @ts-expect-error no such tensor in the group
      expect(() => store(groups.gradient, { v: loss })).toThrow(/store: the group has no tensor "v"/);
      return { loss, levels: [{ twice: mul(loss, 2) }] };
    },
    { state, batch: { x: scalar }, knobs: { k: [] } },
  );
  step.run({ x: [3] }, { k: 1 });
  // @ts-expect-error no such input
  expect(() => step.run({ y: [3] })).toThrow(/no input "y"; inputs are x/);
  // @ts-expect-error no such knob
  expect(() => step.run({}, { lr: 1 })).toThrow(/no knob "lr"; knobs are k/);
  // @ts-expect-error no such output
  await expect(step.read('los')).rejects.toThrow(/no output "los"; outputs are loss, levels.0.twice/);
  expect([...(await step.read('loss')), ...(await step.read('levels.0.twice'))]).toEqual([6, 12]);
  const row = await step.latest();
  expect([row.loss, row['levels.0.twice']]).toEqual([6, 12]);
  // @ts-expect-error no such metric
  expect(row.los).toBeUndefined();
});

test('what a step may leave out may be undefined in its metrics, and a tensor alone is the result', async () => {
  const maybe = (there: boolean) =>
    compile(gpu, (_, { x }) => ({ x: sum(x), twice: there ? mul(sum(x), 2) : undefined }), { batch: { x: scalar } });
  using step = await maybe(false);
  step.run({ x: [3] });
  const { x, twice } = await step.latest();
  // @ts-expect-error it may be undefined
  expect(() => x + twice.valueOf()).toThrow(TypeError);
  using alone = await compile(gpu, (_, { x }) => mul(x, 2), { batch: { x: scalar } });
  alone.run({ x: [3] });
  expect([...(await alone.read('result'))]).toEqual([6]);
});

test('wrong inputs are named', async () => {
  using step = await compile(gpu, (_, { x }, { k }) => ({ y: mul(x, k) }), {
    batch: { x: f32(4) },
    knobs: { k: [] },
  });
  expect(() => step.run({ x: [1, 2] }, { k: 1 })).toThrow(/input "x" has shape \[4\], but 2 values were given/);
  expect(() => step.run({ y: [1] } as Record<string, number[]>)).toThrow(/no input "y"; inputs are x/);
  step.run({ x: [1, 2, 3, 4] }, { k: 2 });
  await expect(step.read('z' as 'y')).rejects.toThrow(/no output "z"; outputs are y/);
});

test('an input or knob that was never given is no zero', async () => {
  using step = await compile(gpu, (_, { x }, { k }) => ({ y: mul(sum(x), k) }), {
    batch: { x: f32(2) },
    knobs: { k: [] },
  });
  await expect(step.read('y')).rejects.toThrow(/step compiled at \S+step\.test\.ts:\d+:\d+ has not run/);
  await expect(step.latest()).rejects.toThrow(/has not run/);
  expect(() => step.run({ x: [1, 2] })).toThrow(/knob "k" was never given; the first run needs every input and knob/);
  await expect(step.findNonFinite()).rejects.toThrow(/input "x", knob "k" were never given/);
  step.run({ x: [1, 2] }, { k: 3 });
  step.run({ x: [3, 4] });
  step.run({}, { k: 1 });
  expect((await step.latest()).y).toBe(7);
  expect(await step.metrics()).toEqual({ rows: [{ y: 9 }, { y: 21 }, { y: 7 }], dropped: 0 });
});

test('an input that is filled in place counts as given', async () => {
  using step = await compile(gpu, (_, { x }) => ({ y: sum(x) }), { batch: { x: f32(2) } });
  gpu.device.queue.writeBuffer(step.inputBuffer('x'), 0, Float32Array.of(4, 5));
  step.run();
  expect((await step.latest()).y).toBe(9);
});

test('metrics that were overwritten are counted, and outputs that are none say so', async () => {
  using step = await compile(gpu, (_, { x }) => ({ y: sum(x), x: mul(x, 2) }), {
    batch: { x: f32(2) },
    metricRows: 3,
  });
  for (let i = 0; i < 5; i++) step.run({ x: [i, 0] });
  const { rows, dropped } = await step.metrics();
  expect(dropped).toBe(2);
  expect(rows.map(({ y }) => y)).toEqual([2, 3, 4]);
  expect(() => rows[0]!.x).toThrow(/output "x" is f32 \[2\] and no metric.* read it with read\("x"\)/);
  expect(Object.keys(rows[0]!)).toEqual(['y']);
  for (let i = 5; i < 9; i++) step.run({ x: [i, 0] });
  expect(await step.metrics()).toEqual({ rows: [{ y: 6 }, { y: 7 }, { y: 8 }], dropped: 1 });
});

test('a type or shape that cannot be is named where it is given', async () => {
  const wrong = { shape: [4], dtype: 'float32' as 'f32' };
  expect(() => createState(gpu, { w: { a: wrong } })).toThrow(
    /"a" of group "w" has dtype "float32"; there are f32, f16, i32, u32/,
  );
  await expect(compile(gpu, (_, { x }) => ({ y: sum(x) }), { batch: { x: wrong } })).rejects.toThrow(
    /input "x" has dtype "float32"/,
  );
  await expect(compile(gpu, (_, __, { k }) => ({ y: sum(k) }), { knobs: { k: [1.5] } })).rejects.toThrow(
    /knob "k" has shape \[1.5\]; a shape is a list of whole numbers/,
  );
  expect(() => constant([1], [1], 'float' as 'f32')).toThrow(/constant has dtype "float"/);
  await expect(
    compile(gpu, (_, { x }) => ({ y: sum(cast(x, 'half' as 'f16')) }), { batch: { x: f32(4) } }),
  ).rejects.toThrow(/cast: .*dtype "half"/);
});
