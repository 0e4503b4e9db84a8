import { afterEach, describe, expect, test } from 'vitest';
import { sizeOf } from '../base/shape';
import { compile } from '../compile';
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { kernelBuilder } from '../kernels/kernel-builder';
import { openGpu } from '../node';
import type { Gpu } from './gpu';
import { chosenVariants } from './tuner';

// x + x by four kernels: correct and slow, correct and fast, wrong and fastest, and one that does not compile.
const BODIES: Readonly<Record<string, (x: string, y: string, rounds: string) => string>> = {
  slow: (x, y, rounds) =>
    `var sum = 0.0; for (var i = 0u; i < ${rounds}; i++) { sum += 2.0 * ${x}[thread] / f32(${rounds}); } ${y}[thread] = sum;`,
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
  test('does not run on a software adapter by itself', async () => {
    gpu = await openGpu({ adapter: 'software' });
    expect(gpu.tuning).toBeUndefined();
  });
});
