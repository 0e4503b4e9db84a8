import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TensorError } from './base/errors';
import { compile } from './compile';
import type { Gpu } from './device/gpu';
import { createState, type State } from './device/state';
import type { Spec, Tensor } from './graph/op';
import { openGpu } from './node';
import { assign, store } from './ops/assign';
import { attention } from './ops/attention/attention';
import { concat } from './ops/concat';
import { add, cast, gelu, mul, sub } from './ops/elementwise';
import { mean } from './ops/extrema';
import { matmul } from './ops/matmul/matmul';
import { sum } from './ops/reduce';
import { layerNorm } from './ops/rows/layer-norm';
import { sliceAxis } from './ops/slice';
import { constant, literal } from './ops/sources';
import { grad, remat } from './passes/grad';
import { normals } from './testing';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });

describe('a training step', () => {
  const [B, N, D, heads] = [2, 17, 32, 2];
  const specs: Record<string, Spec> = {
    qkv: f32(3 * D, D),
    proj: f32(D, D),
    fc1: f32(4 * D, D),
    fc2: f32(D, 4 * D),
    gain: f32(D),
    bias: f32(D),
  };

  type Groups = Record<'w' | 'g', typeof specs>;

  function setUp(): State<Groups> {
    const state = createState(gpu, { w: specs, g: specs });
    Object.entries(specs).forEach(([name, { shape }], i) => {
      const values = normals(
        shape.reduce((a, b) => a * b),
        i + 1,
      );
      state.write(
        'w',
        name,
        values.map((value) => (name === 'gain' ? 1 : 0.1 * value)),
      );
    });
    return state;
  }
  const forward = (w: Readonly<Record<string, Tensor>>, x: Tensor) => {
    const a = add(
      x,
      matmul(attention(matmul(layerNorm(x, w.gain!, w.bias!), w.qkv!, { transposeB: true }), heads), w.proj!, {
        transposeB: true,
      }),
    );
    return add(
      a,
      matmul(gelu(matmul(layerNorm(a, w.gain!, w.bias!), w.fc1!, { transposeB: true })), w.fc2!, { transposeB: true }),
    );
  };
  const compileStep = (state: State<Groups>, { isolate = false, blocks = false } = {}) =>
    compile(
      gpu,
      (s, { x, y }, { lr }) => {
        const w = s.w.tensors;
        const out = blocks ? remat(() => forward(w, x)) : forward(w, x);
        const error = sub(out, y);
        const loss = mean(mul(error, error));
        const gradients = store(s.g, grad(loss, w));
        const updated = s.w.windows.map((window, i) => assign(window, sub(window, mul(lr, gradients[i]!))));
        return { loss, first: sum(updated[0]!) };
      },
      { state, batch: { x: f32(B, N, D), y: f32(B, N, D) }, knobs: { lr: [] }, isolate },
    );
  const batch = { x: normals(B * N * D, 50), y: normals(B * N * D, 51) };

  test('200 replays create no buffer, bind group or pipeline, and memory stays flat', async () => {
    using state = setUp();
    using step = await compileStep(state);
    step.run(batch, { lr: 0.05 });
    await step.metrics();
    const before = { ...gpu.created, bytes: gpu.allocatedBytes };
    const losses: number[] = [];
    for (let i = 0; i < 199; i++) {
      step.run(batch, { lr: 0.05 });
      if (i % 50 === 49) await step.done();
    }
    expect({ ...gpu.created, bytes: gpu.allocatedBytes }).toEqual(before);
    const { rows, dropped } = await step.metrics();
    for (const { loss } of rows) losses.push(loss);
    expect([losses.length, dropped]).toEqual([64, 199 - 64]);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  test('a replay gives the bits of one op at a time, and the same bits again', async () => {
    const run = async (isolate: boolean) => {
      using state = setUp();
      using step = await compileStep(state, { isolate });
      for (let i = 0; i < 3; i++) step.run(batch, { lr: 0.05 });
      return Promise.all(Object.keys(specs).map(async (name) => Array.from(await state.read('w', name))));
    };
    const [first, again, single] = [await run(false), await run(false), await run(true)];
    expect(again).toEqual(first);
    expect(single).toEqual(first);
  });

  test('rematerialisation computes more and changes no bit', async () => {
    using a = setUp();
    using b = setUp();
    using kept = await compileStep(a);
    using again = await compileStep(b, { blocks: true });
    kept.run(batch, { lr: 0.05 });
    again.run(batch, { lr: 0.05 });
    expect(Array.from(await again.read('loss'))).toEqual(Array.from(await kept.read('loss')));
    expect(Array.from(await b.read('w', 'fc1'))).toEqual(Array.from(await a.read('w', 'fc1')));
    expect(again.report.flops).toBeGreaterThan(kept.report.flops);
  });

  test('the report adds up and names the peak', async () => {
    using state = setUp();
    using step = await compileStep(state);
    const { report } = step;
    expect(report.bytes.w).toBe(state.layout.w.bytes);
    expect(report.totalBytes).toBe(Object.values(report.bytes).reduce((x, y) => x + y));
    expect(report.peak.bytes).toBeGreaterThan(0);
    expect(report.peak.bytes).toBeLessThanOrEqual(report.bytes.activations!);
    expect(report.peak.site).toMatch(/compile\.test\.ts:\d+/);
  });

  test('profile times every kind of kernel', async () => {
    using state = setUp();
    using step = await compileStep(state);
    const times = await step.profile(batch, { lr: 0.05 });
    expect(times.reduce((count, time) => count + time.count, 0)).toBe(step.report.kernels);
    expect(times.every((time) => time.milliseconds >= 0)).toBe(true);
    expect((await step.metrics()).rows).toHaveLength(1);
  });
});

describe('state', () => {
  const specs = { a: f32(5), b: f32(300), c: f32(2, 3) };
  test('tensors are written and read by name, in f16 too', async () => {
    using state = createState(gpu, {
      full: specs,
      half: Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { ...spec, dtype: 'f16' as const }])),
    });
    state.write('full', 'c', [1, 2, 3, 4, 5, 6.1]);
    state.write('half', 'c', [1, 2, 3, 4, 5, 6.1]);
    expect(Array.from(await state.read('full', 'c'))).toEqual(Array.from(Float32Array.of(1, 2, 3, 4, 5, 6.1)));
    expect(Array.from(await state.read('half', 'c'))).toEqual([1, 2, 3, 4, 5, 6.1015625]);
    expect(state.layout.full.segments.c.offset).toBe(state.layout.half.segments.c!.offset);
  });
  test('reading a tensor under its old name after an update is refused, with both lines', async () => {
    using state = createState(gpu, { w: specs });
    await expect(
      compile(
        gpu,
        (s) => {
          assign(s.w.tensors.a, mul(s.w.tensors.a, 2));
          return { late: sum(s.w.tensors.a) };
        },
        { state },
      ),
    ).rejects.toThrow(/"w\/a" is used at .*compile\.test\.ts:\d+.* after its update at .*compile\.test\.ts:\d+/);
  });
  test('the tensor that an update returns has the new value', async () => {
    using state = createState(gpu, { w: specs });
    state.write('w', 'a', [1, 2, 3, 4, 5]);
    using step = await compile(
      gpu,
      (s) => ({ before: sum(s.w.tensors.a), after: sum(assign(s.w.tensors.a, mul(s.w.tensors.a, 2))) }),
      { state },
    );
    step.run();
    expect([(await step.read('before'))[0], (await step.read('after'))[0]]).toEqual([15, 30]);
  });
  test('storing writes the values and nothing behind them', async () => {
    using state = createState(gpu, { g: { a: f32(5) } });
    using step = await compile(
      gpu,
      (s, { x }) => {
        const large = mul(x, 2);
        const a = mul(sliceAxis(sum(large, [0], { keepDims: true }), 0, 0, 1), constant([1, 1, 1, 1, 1], [5]));
        // a is an output too, so it is copied into the group, out of a slot that held `large`
        return { a, all: sum(store(s.g, { a })[0]!) };
      },
      { state, batch: { x: f32(128) } },
    );
    step.run({ x: new Float32Array(128).fill(1) });
    expect((await step.read('all'))[0]).toBe(5 * 256);
  });
  test('values of a group may be stored under other names of the group', async () => {
    using state = createState(gpu, { g: { a: f32(3), b: f32(3) } });
    state.write('g', 'a', [1, 2, 3]);
    state.write('g', 'b', [4, 5, 6]);
    using step = await compile(
      gpu,
      (s) => {
        const { a, b } = s.g.tensors;
        store(s.g, { a: b, b: a });
        return {};
      },
      { state },
    );
    step.run();
    expect([Array.from(await state.read('g', 'a')), Array.from(await state.read('g', 'b'))]).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
  });
  test('constants, literals and knobs may be stored and returned', async () => {
    using state = createState(gpu, { g: { a: f32(3), b: f32() } });
    using step = await compile(
      gpu,
      (s, _, { k }) => {
        store(s.g, { a: constant([1, 2, 3], [3]), b: literal(7) });
        return { seven: literal(7), k };
      },
      { state, knobs: { k: [] } },
    );
    step.run({}, { k: 9 });
    expect(Array.from(await state.read('g', 'a'))).toEqual([1, 2, 3]);
    expect([(await state.read('g', 'b'))[0], (await step.read('seven'))[0], (await step.read('k'))[0]]).toEqual([
      7, 7, 9,
    ]);
  });
  test('a group in many buffers and windows holds what one buffer would', async () => {
    // 1024 elements to a buffer, 256 to a window: b spans two windows, c starts another buffer
    const narrow = await openGpu({ target: { maxBindingBytes: 1024, maxBufferBytes: 4096 } });
    const split = { a: f32(128), b: f32(300), c: f32(600) };
    using state = createState(narrow, { g: split });
    expect(state.layout.g.buffers).toEqual([512, 640]);
    expect(state.layout.g.windows).toHaveLength(5);
    state.write('g', 'c', new Float32Array(600).fill(1));
    using step = await compile(
      narrow,
      (s, { lower, upper }) => {
        // b is larger than a binding; its parts are not, and the first crosses from window to window
        const windows = store(s.g, { b: concat([mul(lower, 2), upper]) });
        return { sums: windows.map((window) => sum(window)) };
      },
      { state, batch: { lower: f32(192), upper: f32(108) } },
    );
    step.run({ lower: new Float32Array(192).fill(1), upper: new Float32Array(108).fill(3) });
    const b = await state.read('g', 'b');
    expect([...b.subarray(0, 192)]).toEqual(new Array(192).fill(2));
    expect([...b.subarray(192)]).toEqual(new Array(108).fill(3));
    const sums = await Promise.all([0, 1, 2, 3, 4].map(async (i) => (await step.read(`sums.${i}`))[0]));
    expect(sums).toEqual([128 * 2, 64 * 2 + 108 * 3, 256, 256, 88]);
    step.dispose();
    state.dispose();
    await narrow.dispose();
  });
  test('gradients accumulate over plans', async () => {
    using state = createState(gpu, { g: specs });
    using step = await compile(
      gpu,
      (s, { x }) => {
        assign(s.g.tensors.c, add(s.g.tensors.c, x));
        return {};
      },
      { state, batch: { x: f32(2, 3) } },
    );
    for (const scale of [1, 10]) step.run({ x: [1, 2, 3, 4, 5, 6].map((value) => value * scale) });
    expect(Array.from(await state.read('g', 'c'))).toEqual([11, 22, 33, 44, 55, 66]);
  });
});

describe('failures', () => {
  test('a step that cannot fit is refused before anything is allocated, naming the largest parts', async () => {
    const small = await openGpu({ memoryLimit: 2 ** 20 });
    const before = small.allocatedBytes;
    await expect(
      compile(small, (_, { x }) => ({ y: matmul(x, x, { transposeB: true }) }), { batch: { x: f32(1024, 16) } }),
    ).rejects.toThrow(/the step needs 4\.\d MiB .* largest: .*f32 \[1024, 1024\] 4\.0 MiB/);
    expect(small.allocatedBytes).toBe(before);
    await small.dispose();
  });
  test('a tensor beyond the binding limit is refused by name', async () => {
    const narrow = await openGpu({ target: { maxBindingBytes: 4096 } });
    await expect(compile(narrow, (_, { x }) => ({ y: add(x, 1) }), { batch: { x: f32(2000) } })).rejects.toMatchObject({
      code: 'binding-limit',
    });
    await narrow.dispose();
  });
  test('state that cannot fit leaves nothing behind', async () => {
    const small = await openGpu({ memoryLimit: 1024 });
    expect(() => createState(small, { a: { x: f32(128) }, b: { x: f32(1024) } })).toThrow(
      /"state b\[0\]" of 4096 bytes/,
    );
    expect(small.allocatedBytes).toBe(0);
    await small.dispose();
  });
  test('the op that makes the first infinity is found', async () => {
    // A product that overflows is infinite everywhere; WGSL leaves open what log(-1) is.
    using step = await compile(gpu, (_, { x }) => ({ y: sum(matmul(mul(x, x), x)) }), { batch: { x: f32(4, 4) } });
    step.run({ x: normals(16).map(() => 1e30) });
    const found = await step.findNonFinite();
    expect(found?.op).toMatch(/mul/);
    expect(found?.site).toMatch(/compile\.test\.ts:\d+/);
    step.run({ x: normals(16).map(() => 1) });
    expect(await step.findNonFinite()).toBeUndefined();
  });
  test('a lost device rejects what waits for it, and everything after', async () => {
    const doomed = await openGpu();
    using step = await compile(doomed, (_, { x }) => ({ y: add(x, 1) }), { batch: { x: f32(4) } });
    step.run({ x: [1, 2, 3, 4] });
    await step.done();
    doomed.device.destroy();
    await expect(step.read('y')).rejects.toThrow(TensorError);
  });
  test('a device that is disposed first names what was forgotten, and where that was made', async () => {
    const leaky = await openGpu();
    const state = createState(leaky, { w: { a: f32(3) } });
    expect(state.bytes).toBe(512);
    const double = (_: object, { x }: { x: Tensor }) => ({ y: mul(x, 2) });
    await compile(leaky, double, { batch: { x: f32(4) } });
    await expect(leaky.dispose()).rejects.toThrow(
      /before the state created at \S+compile\.test\.ts:\d+:\d+ \(512 bytes\), the step "double" compiled at \S+compile\.test\.ts:\d+:\d+ \(\d+ bytes\); call dispose/,
    );
  });
});

test('f16 activations stay close to f32', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const build =
    (dtype: 'f16' | 'f32') =>
    (_: unknown, { x, w }: { x: Tensor; w: Tensor }) => ({
      y: cast(gelu(matmul(cast(x, dtype), cast(w, dtype), { transposeB: true })), 'f32'),
    });
  const specs = { x: f32(33, 40), w: f32(24, 40) };
  const values = { x: normals(33 * 40, 1), w: normals(24 * 40, 2).map((value) => value / 6) };
  using half = await compile(gpu, build('f16'), { batch: specs });
  using full = await compile(gpu, build('f32'), { batch: specs });
  half.run(values);
  full.run(values);
  const [a, b] = [await half.read('y'), await full.read('y')];
  // operands and result are rounded to 11 bits; 40 products of size up to about 3 accumulate in f32
  expect(Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)))).toBeLessThan(0.01);
});
