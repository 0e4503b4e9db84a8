import { afterEach, describe, expect, test } from 'vitest';
import { sizeOf } from '../base/shape';
import { compile } from '../compile';
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { kernelBuilder } from '../kernels/kernel-builder';
import { openGpu } from '../node';
import type { Gpu } from './gpu';
import { chosenVariants } from './tuner';

// x + x by five kernels: slow and rounding otherwise, slow, fast, wrong and fastest, and one that does not compile.
const BODIES: Readonly<Record<string, (x: string, y: string, rounds: string) => string>> = {
  slow: (x, y, rounds) =>
    `var sum = 0.0; for (var i = 0u; i < ${rounds}; i++) { sum += 2.0 * ${x}[thread] / f32(${rounds}); } ${y}[thread] = sum;`,
  idle: (x, y, rounds) =>
    `var none = 0.0; for (var i = 0u; i < ${rounds}; i++) { none += 0.0 * ${x}[thread]; } ${y}[thread] = none + 2.0 * ${x}[thread];`,
  fast: (x, y) => `${y}[thread] = 2.0 * ${x}[thread];`,
  wrong: (_, y) => `${y}[thread] = 1.0;`,
  broken: (_, y) => `${y}[thread] = no such thing;`,
};
const KEY = 'double';
const measured: string[] = [];

const doubleOp: Op<object> = {
  name: 'double',
  infer: ([x]) => [x!],
  reference: ([x]) => [x!.data.map((value) => 2 * value)],
  lower({ inputs: [x], outputs: [y], target }) {
    const name = target.tuned[KEY] ?? 'slow';
    measured.push(name);
    const k = kernelBuilder('double', target);
    const [X, Y] = [k.read(x!), k.write(y!)];
    const count = sizeOf(x!.shape);
    const body = `if (thread < ${k.uniform(count)}) { ${BODIES[name]!(X, Y, k.uniform(4096))} }`;
    return [k.build({ body, workgroupSize: 64, workgroups: Math.ceil(count / 64) })];
  },
  variants: () => ({ key: KEY, names: ['slow', 'wrong', 'broken', 'fast'], reference: 'slow' }),
};
const double = (x: Tensor): Tensor => record1(doubleOp, [x], {});
const signature = { batch: { x: { shape: [1000], dtype: 'f32' } } } as const;

describe('the tuner', () => {
  let gpu: Gpu | undefined;
  afterEach(() => gpu?.dispose());

  test('keeps a variant that agrees with the reference, never a wrong or a broken one', async () => {
    const tuning = new Map<string, string>();
    gpu = await openGpu({ tuning });
    using step = await compile(gpu, (_, { x }) => double(x), signature);
    expect(['slow', 'fast']).toContain(tuning.get(KEY));
    expect(chosenVariants(step.plan)).toEqual([
      { key: KEY, variant: tuning.get(KEY), candidates: ['slow', 'wrong', 'broken', 'fast'] },
    ]);
    step.run({ x: Float32Array.from({ length: 1000 }, (_, i) => i) });
    expect((await step.read('result'))[999]).toBeCloseTo(1998, 2);
  });
  test('leaves no buffer behind', async () => {
    gpu = await openGpu({ tuning: new Map() });
    using step = await compile(gpu, (_, { x }) => double(x), signature);
    step.dispose();
    expect(gpu.allocatedBytes).toBe(0);
  });
  test.each([
    ['a choice in the cache', { tuning: new Map([[KEY, 'fast']]) }],
    ['a choice made by hand', { tuning: new Map([[KEY, 'slow']]), target: { tuned: { [KEY]: 'fast' } } }],
  ])('measures nothing where there is %s', async (_, options) => {
    gpu = await openGpu(options);
    measured.length = 0;
    using step = await compile(gpu, (_, { x }) => double(x), signature);
    expect(step.plan.target.tuned).toEqual({ [KEY]: 'fast' });
    expect(measured).toEqual(['fast']);
  });
  test('measures again where the cache names a variant that no longer exists', async () => {
    const tuning = new Map([[KEY, 'gone']]);
    gpu = await openGpu({ tuning });
    using _step = await compile(gpu, (_, { x }) => double(x), signature);
    expect(['slow', 'fast']).toContain(tuning.get(KEY));
  });
});

describe('one choice for every size', () => {
  const lowered: number[] = [];
  const sampled = (names: readonly string[]): Op<object> => ({
    ...doubleOp,
    lower(args) {
      lowered.push(sizeOf(args.inputs[0]!.shape));
      return doubleOp.lower!(args);
    },
    variants: () => {
      const sample = { inputs: [{ shape: [4096], dtype: 'f32' as const }], attrs: {} };
      return { key: KEY, names, reference: names[0]!, sample };
    },
  });
  async function choose(gpu: Gpu, names: readonly string[]): Promise<string | undefined> {
    const op = sampled(names);
    const batch = { x: { shape: [100], dtype: 'f32' }, y: { shape: [200], dtype: 'f32' } } as const;
    lowered.length = 0;
    using step = await compile(gpu, (_, { x, y }) => [record1(op, [x], {}), record1(op, [y], {})], { batch });
    return step.plan.target.tuned[KEY];
  }

  test('is measured once, on the sample', async () => {
    const tuning = new Map<string, string>();
    await using gpu = await openGpu({ tuning });
    const choice = await choose(gpu, ['idle', 'fast']);
    expect(['idle', 'fast']).toContain(choice);
    expect(tuning).toEqual(new Map([[KEY, choice]]));
    expect(lowered).toEqual([4096, 4096, 100, 200]);
    expect(await choose(gpu, ['idle', 'fast'])).toBe(choice);
    expect(lowered).toEqual([100, 200]);
  });
  test('is the reference where a variant rounds otherwise, however fast it is', async () => {
    await using gpu = await openGpu({ tuning: new Map() });
    expect(await choose(gpu, ['slow', 'wrong', 'fast'])).toBe('slow');
    expect(gpu.allocatedBytes).toBe(0);
  });
  test('is the default where a variant does not compile', async () => {
    await using gpu = await openGpu({ tuning: new Map() });
    expect(await choose(gpu, ['fast', 'broken']).catch((error: Error) => error.message)).toBe('fast');
    expect(gpu.allocatedBytes).toBe(0);
  });
});

describe('by itself', () => {
  test('a software adapter measures, but not where it runs the kernels of GPUs', async () => {
    await using own = await openGpu({ adapter: 'software' });
    await using pretending = await openGpu({ adapter: 'software', target: { family: 'gpu' } });
    await using none = await openGpu({ adapter: 'null' });
    expect([own, pretending, none].map(({ tuning }) => tuning !== undefined)).toEqual([true, false, false]);
  });
});
