import {
  assign,
  cast,
  compile,
  constant,
  copiesOf,
  createState,
  type Gpu,
  type Spec,
  sizeOf,
  store,
  type Tensor,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AdamWOptions, adamW } from './adamw';
import { ema } from './ema';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

// sizes that fill no block of 128 elements, one of them several blocks
const specs = {
  'a.weight': { shape: [7, 43], dtype: 'f32' },
  'a.bias': { shape: [5], dtype: 'f32' },
  'last_layer.weight': { shape: [130], dtype: 'f32' },
} as const;
const names = Object.keys(specs) as (keyof typeof specs)[];
const sizes = names.map((name) => sizeOf(specs[name].shape));
const rule =
  (lrs: Partial<Record<string, number>> = {}): AdamWOptions['rule'] =>
  (name) => ({
    lrMultiplier: lrs[name] ?? 1,
    weightDecayMultiplier: 1,
    isLastLayer: name.startsWith('last_layer'),
  });

async function trainer(own: Gpu, options: AdamWOptions) {
  const state = createState(own, {
    w: specs,
    m: specs,
    v: specs,
    g: specs,
    teacher: specs,
    optimizer: { corrections: { shape: [2], dtype: 'f32' } },
  });
  names.forEach((name, i) => {
    state.write('w', name, normals(sizes[i]!, i + 1));
  });
  state.copy('w', 'teacher');
  const step = await compile(
    own,
    (s, batch, { lr, lastLayerLr, momentum }) => {
      const { finite, norms } = adamW(
        {
          weights: s.w,
          m: s.m,
          v: s.v,
          gradients: store(s.g, batch as Record<string, Tensor>),
          corrections: s.optimizer.tensors.corrections,
          lr: lr,
          lastLayerLr: lastLayerLr,
          weightDecay: lr,
          teacher: { group: s.teacher, momentum: momentum },
        },
        options,
      );
      return { finite, norms };
    },
    {
      state,
      batch: specs as Record<string, Spec>,
      knobs: { lr: [], lastLayerLr: [], momentum: [] },
    },
  );
  return {
    state,
    step,
    run: (gradients: readonly ArrayLike<number>[], lr = 0.1, lastLayerLr = lr) =>
      step.run(Object.fromEntries(names.map((name, i) => [name, gradients[i]!])), { lr, lastLayerLr, momentum: 0.5 }),
    read: async (group: 'w' | 'm' | 'v' | 'teacher') =>
      Promise.all(names.map(async (name) => Array.from(await state.read(group, name)))),
    [Symbol.dispose]() {
      step.dispose();
      state.dispose();
    },
  };
}
const gradients = (seed: number) => sizes.map((size, i) => Float32Array.from(normals(size, seed + i)));

describe('AdamW', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'a gradient of %d changes neither weights nor moments; the teacher still follows',
    async (bad) => {
      using t = await trainer(gpu, { rule: rule() });
      t.run(gradients(10));
      const before = {
        w: await t.read('w'),
        m: await t.read('m'),
        v: await t.read('v'),
        teacher: await t.read('teacher'),
      };
      const broken = gradients(20);
      broken[1]![4] = bad;
      t.run(broken);
      expect((await t.step.read('finite'))[0]).toBe(0);
      expect({ w: await t.read('w'), m: await t.read('m'), v: await t.read('v') }).toEqual({
        w: before.w,
        m: before.m,
        v: before.v,
      });
      const halfway = before.teacher[0]!.map((value, i) => Math.fround((value + before.w[0]![i]!) / 2));
      (await t.read('teacher'))[0]!.forEach((value, i) => {
        expect(value).toBeCloseTo(halfway[i]!, 6);
      });
      t.run(gradients(30));
      expect((await t.step.read('finite'))[0]).toBe(1);
    },
  );
  test('a trunk at rate 0 keeps every bit, and so do its teacher and their copies; its moments go on, and it learns again later', async () => {
    const isTrunk = (name: string) => name === 'a.weight';
    for (const target of [{}, { maxStorageBuffers: 8 }]) {
      await using own = await openGpu({ target });
      using state = createState(own, {
        w: specs,
        m: specs,
        v: specs,
        g: specs,
        teacher: specs,
        copies: copiesOf('w', specs),
        teacherCopies: copiesOf('teacher', specs),
        optimizer: { corrections: { shape: [2], dtype: 'f32' } },
      });
      for (const [i, name] of names.entries()) state.write('w', name, normals(sizes[i]!, i + 1));
      // apart from the weights, and negative zeros among both: what rounds, or adds a zero, shows
      for (const [i, name] of names.entries()) state.write('teacher', name, normals(sizes[i]!, i + 7));
      for (const group of ['w', 'teacher'] as const)
        state.write(
          group,
          'a.weight',
          (await state.read(group, 'a.weight')).map((x, i) => (i % 5 === 0 ? -0 : x)),
        );
      using step = await compile(
        own,
        (s, batch, { trunkLr }) => {
          const lr = constant([0.1], []);
          const { finite } = adamW(
            {
              weights: s.w,
              m: s.m,
              v: s.v,
              gradients: store(s.g, batch as Record<string, Tensor>),
              corrections: s.optimizer.tensors.corrections,
              lr,
              trunkLr: trunkLr,
              weightDecay: lr,
              teacher: { group: s.teacher, momentum: constant([0.9], []), copies: s.teacherCopies },
              copies: s.copies,
            },
            {
              rule: (name) => ({
                lrMultiplier: 1,
                weightDecayMultiplier: 1,
                isLastLayer: false,
                isTrunk: isTrunk(name),
              }),
            },
          );
          return { finite };
        },
        { state, batch: specs as Record<string, Spec>, knobs: { trunkLr: [] } },
      );
      const bits = async (group: 'w' | 'teacher', name: (typeof names)[number]) =>
        new Uint32Array(Float32Array.from(await state.read(group, name)).buffer);
      const all = () => Promise.all(names.flatMap((name) => [bits('w', name), bits('teacher', name)]));
      const before = await all();
      const run = (trunkLr: number) =>
        step.run(Object.fromEntries(names.map((name, i) => [name, gradients(10)[i]!])), { trunkLr });
      run(0);
      run(0);
      const after = await all();
      for (const [i, values] of after.entries()) {
        if (isTrunk(names[i >> 1]!)) expect(values).toEqual(before[i]);
        else expect(values).not.toEqual(before[i]);
      }
      expect((await state.read('m', 'a.weight')).every((value) => value !== 0)).toBe(true);
      run(0.1);
      expect(await bits('w', 'a.weight')).not.toEqual(before[0]);
      expect(await bits('teacher', 'a.weight')).not.toEqual(before[1]);
    }
  });
  test('a parameter with multiplier 0 stays; a last layer at rate 0 stays too, and its moments move', async () => {
    using t = await trainer(gpu, { rule: rule({ 'a.weight': 0 }) });
    const before = await t.read('w');
    t.run(gradients(10), 0.1, 0);
    const after = await t.read('w');
    expect(after[0]).toEqual(before[0]);
    expect(after[1]).not.toEqual(before[1]);
    expect(after[2]).toEqual(before[2]);
    expect((await t.read('m'))[2]!.every((value) => value !== 0)).toBe(true);
  });
  test('clip groups are measured and clipped apart', async () => {
    using t = await trainer(gpu, { rule: rule(), maxNorm: 1, clipGroup: (name) => name.split('.')[0]! });
    const g = gradients(10);
    t.run(g);
    const square = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value * value, 0);
    // f32 sums of a few hundred squares
    expect((await t.step.read('norms.a'))[0]).toBeCloseTo(Math.sqrt(square(g[0]!) + square(g[1]!)), 4);
    expect((await t.step.read('norms.last_layer'))[0]).toBeCloseTo(Math.sqrt(square(g[2]!)), 4);
    // m = 0.1 g after the first step, here with g of length one per group
    const m = await t.read('m');
    expect(Math.sqrt(square(m[0]!) + square(m[1]!))).toBeCloseTo(0.1, 6);
    expect(Math.sqrt(square(m[2]!))).toBeCloseTo(0.1, 6);
  });
  test('windows and buffers that split parameters change no bit', async () => {
    // 256 elements to a window, 512 to a buffer
    const narrow = await openGpu({ target: { maxBindingBytes: 1024, maxBufferBytes: 2048 } });
    const results = [];
    for (const own of [gpu, narrow]) {
      using t = await trainer(own, { rule: rule(), maxNorm: 3 });
      for (const seed of [10, 20]) t.run(gradients(seed));
      results.push({ w: await t.read('w'), v: await t.read('v'), teacher: await t.read('teacher') });
      expect(t.state.layout.w.windows).toHaveLength(own === gpu ? 1 : 3);
      expect(t.state.layout.w.buffers).toHaveLength(own === gpu ? 1 : 2);
    }
    await narrow.dispose();
    expect(results[1]).toEqual(results[0]);
  });
});

test('an f16 copy of the weights follows them, rounded', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const half = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, { ...spec, dtype: 'f16' as const }]),
  );
  using state = createState(gpu, { w: specs, half });
  state.write('w', 'a.bias', [1, 2, 3, 4, 5]);
  using step = await compile(
    gpu,
    (s, _, { by }) => {
      const updated = ema(s.w.windows, s.w.windows, by).map((window, i) => [window, s.half.windows[i]!] as const);
      for (const [window, copy] of updated) assign(copy, cast(window, 'f16'));
      return {};
    },
    { state, knobs: { by: [] } },
  );
  step.run({}, { by: 0.3 });
  expect(Array.from(await state.read('half', 'a.bias'))).toEqual([1, 2, 3, 4, 5]);
  state.write('w', 'a.bias', [1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.1, 65504, 2 ** -14]);
  step.run({}, { by: 1 });
  // ties go to even; 0.1 to the nearest of 11 bits; the largest and the smallest normal number stay
  expect(Array.from(await state.read('half', 'a.bias'))).toEqual([1, 1 + 2 ** -9, 0.0999755859375, 65504, 2 ** -14]);
});
