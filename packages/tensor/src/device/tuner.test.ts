import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sizeOf } from '../base/shape';
import { compile } from '../compile';
import type { ElementAt, Op, Tensor, Variants } from '../graph/op';
import { record1 } from '../graph/record';
import { kernelBuilder } from '../kernels/kernel-builder';
import { openGpu } from '../node';
import type { Gpu } from './gpu';
import { chosenVariants } from './tuner';
import type { TuningTable } from './tuning';
import { tuningTable, useTuningTable } from './tuning-table';

// these are tests of tuning, also where all others run without it
beforeEach(() => void vi.stubEnv('FRANCA_TUNE', undefined));
afterEach(() => void vi.unstubAllEnvs());

// x + x by six kernels: slow and rounding otherwise, slow, fast, wrong and fastest, wrong in few places, and one that does not compile.
const BODIES: Readonly<Record<string, (x: string, y: string, rounds: string) => string>> = {
  slow: (x, y, rounds) =>
    `var sum = 0.0; for (var i = 0u; i < ${rounds}; i++) { sum += 2.0 * ${x}[thread] / f32(${rounds}); } ${y}[thread] = sum;`,
  idle: (x, y, rounds) =>
    `var none = 0.0; for (var i = 0u; i < ${rounds}; i++) { none += 0.0 * ${x}[thread]; } ${y}[thread] = none + 2.0 * ${x}[thread];`,
  fast: (x, y) => `${y}[thread] = 2.0 * ${x}[thread];`,
  inside: (x, y) => `${y}[thread] = select(2.0, 3.0, thread / 4096u == 17u) * ${x}[thread];`,
  wrong: (_, y) => `${y}[thread] = 1.0;`,
  broken: (_, y) => `${y}[thread] = no such thing;`,
};
const KEY = 'double';
const measured: string[] = [];

/** x + x, whose default is the first kernel; `key` names both the op and its choice. */
const doubling = (names: readonly string[], { key = KEY, ...more }: Partial<Variants> = {}): Op<object> => ({
  name: key,
  infer: ([x]) => [x!],
  reference: ([x]) => [x!.data.map((value) => 2 * value)],
  lower({ inputs: [x], outputs: [y], target }) {
    const name = target.tuned[key] ?? names[0]!;
    measured.push(key === KEY ? name : key);
    const k = kernelBuilder('double', target);
    const [X, Y] = [k.read(x!), k.write(y!)];
    const count = sizeOf(x!.shape);
    const body = `if (thread < ${k.uniform(count)}) { ${BODIES[name]!(X, Y, k.uniform(4096))} }`;
    return [k.build({ body, workgroupSize: 64, workgroups: Math.ceil(count / 64), serial: 4096 })];
  },
  variants: () => ({ key, names, reference: 'slow', ...more }),
});
const doubleOp = doubling(['slow', 'wrong', 'broken', 'fast']);
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
  test('takes the first that knows: the hand, a table, the cache, a table of the package', async () => {
    const known = (variant: string) => ({ [KEY]: variant });
    const choose = async (options: Parameters<typeof openGpu>[0], table?: string) => {
      await using own = await openGpu(options);
      if (table) expect(useTuningTable(own, { ...tuningTable(own), choices: known(table) })).toBe(true);
      using step = await compile(own, (_, { x }) => double(x), signature);
      const { choices } = step.tuning;
      expect(Object.values(choices).reduce((sum, count) => sum + count)).toBe(1);
      return [step.plan.target.tuned[KEY], Object.entries(choices).find(([, count]) => count === 1)![0]];
    };
    await using own = await openGpu();
    const shipped: TuningTable = { ...tuningTable(own), choices: known('fast') };
    const elsewhere: TuningTable = { ...shipped, adapter: 'another card', choices: known('wrong') };
    const tables = [shipped, elsewhere];
    const tuning = new Map([[KEY, 'slow']]);
    const target = { tuned: known('fast') };
    expect(await choose({ tuning, tables, target }, 'slow')).toEqual(['fast', 'pinned']);
    expect(await choose({ tuning, tables }, 'fast')).toEqual(['fast', 'table']);
    expect(await choose({ tuning, tables })).toEqual(['slow', 'cache']);
    expect(await choose({ tuning: new Map(), tables })).toEqual(['fast', 'shipped']);
    expect(await choose({ tuning: new Map(), tables: [elsewhere] })).toContain('measured');
    expect(await choose({ tuning: false })).toEqual(['slow', 'default']);
  });
  test('refuses a choice by hand that there is not', async () => {
    gpu = await openGpu({ target: { tuned: { [KEY]: 'fats' } } });
    await expect(compile(gpu, (_, { x }) => double(x), signature)).rejects.toMatchObject({
      code: 'options',
      message: expect.stringMatching(/"fats" for "double".*there are slow, wrong, broken, fast$/),
    });
  });
  test('measures again where the cache names a variant that no longer exists', async () => {
    const tuning = new Map([[KEY, 'gone']]);
    gpu = await openGpu({ tuning });
    using _step = await compile(gpu, (_, { x }) => double(x), signature);
    expect(['slow', 'fast']).toContain(tuning.get(KEY));
  });
});

describe('on a GPU', () => {
  // lavapipe with the kernels of GPUs, which is timed by its timestamps
  const gpuWith = (options: Parameters<typeof openGpu>[0] = {}) =>
    openGpu({ tuning: new Map(), target: { family: 'gpu' }, ...options });
  const element = ([x]: readonly ElementAt[], at: number): number => 2 * x!(at);
  const checked = (names: readonly string[], more: Partial<Variants> = {}) => doubling(names, { element, ...more });

  test('a wrong default is noticed and not chosen, however fast', async () => {
    await using gpu = await gpuWith();
    using step = await compile(
      gpu,
      (_, { x }) => record1(checked(['wrong', 'broken', 'fast', 'slow']), [x], {}),
      signature,
    );
    expect(['fast', 'slow']).toContain(step.plan.target.tuned[KEY]);
    expect(step.tuning).toMatchObject({
      choices: { measured: 1, default: 0 },
      wrong: [`${KEY}: wrong`],
      unmeasured: 0,
    });
  });
  test('what is wrong only inside of a large output is noticed', async () => {
    await using gpu = await gpuWith();
    const batch = { x: { shape: [2 ** 18], dtype: 'f32' } } as const;
    using step = await compile(gpu, (_, { x }) => record1(checked(['inside', 'fast']), [x], {}), { batch });
    expect(step.tuning.wrong).toEqual([`${KEY}: inside`]);
    expect(step.plan.target.tuned[KEY]).toBe('fast');
  });
  test('only the candidates are measured, and the plain kernel where none of them is right', async () => {
    const choose = async (candidates: readonly string[]) => {
      await using gpu = await gpuWith();
      const op = checked([...candidates, 'idle', 'slow'], { candidates });
      measured.length = 0;
      using step = await compile(gpu, (_, { x }) => record1(op, [x], {}), signature);
      return { chosen: step.plan.target.tuned[KEY], seen: [...new Set(measured)] };
    };
    expect(await choose(['fast'])).toEqual({ chosen: 'fast', seen: ['fast'] });
    expect(await choose(['wrong'])).toEqual({ chosen: 'slow', seen: ['wrong', 'slow'] });
  });
  test('where every kernel is wrong the default stays, is not kept, and all are named', async () => {
    const tuning = new Map<string, string>();
    await using gpu = await gpuWith({ tuning });
    const op = checked(['fast', 'slow'], { element: () => 1 });
    using step = await compile(gpu, (_, { x }) => record1(op, [x], {}), signature);
    expect(step.tuning).toMatchObject({ choices: { default: 1 }, wrong: [`${KEY}: fast`, `${KEY}: slow`] });
    expect(tuning.size).toBe(0);
  });
  test('what takes most of the step is measured first', async () => {
    await using gpu = await gpuWith();
    const [small, large, twice] = [
      checked(['fast', 'slow'], { key: 'small', flops: 10 }),
      checked(['fast', 'slow'], { key: 'large', flops: 30 }),
      checked(['fast', 'slow'], { key: 'twice', flops: 20 }),
    ];
    measured.length = 0;
    using step = await compile(
      gpu,
      (_, { x }) => [small, large, twice, twice].map((op, i) => record1(op, [x], { i })),
      signature,
    );
    expect([...new Set(measured)]).toEqual(['twice', 'large', 'small']);
    expect(step.tuning.choices.measured).toBe(3);
    expect(step.tuning.seconds).toBeGreaterThan(0);
  });
  test('where the time is used up the rest is the default, and counted', async () => {
    const tuning = new Map<string, string>();
    await using gpu = await gpuWith({ tuning, tuningSeconds: 0 });
    using step = await compile(gpu, (_, { x }) => record1(checked(['slow', 'fast']), [x], {}), signature);
    expect(step.tuning).toMatchObject({ choices: { default: 1, measured: 0 }, unmeasured: 1 });
    expect(tuning.size).toBe(0);
    // it stays so, as what was compiled before would else compute other bits
    expect(tuningTable(gpu)).toMatchObject({ choices: { [KEY]: 'slow' }, origins: { [KEY]: 'default' } });
  });
  test('a choice of a table that there is no more is made anew, and counted', async () => {
    await using gpu = await gpuWith();
    expect(useTuningTable(gpu, { ...tuningTable(gpu), choices: { [KEY]: 'gone' } })).toBe(true);
    using step = await compile(gpu, (_, { x }) => record1(checked(['fast', 'slow']), [x], {}), signature);
    expect(step.tuning).toMatchObject({ lost: 1, choices: { measured: 1, table: 0 } });
    // a later step has it from before, and the table of the device still says that it was measured here
    using later = await compile(gpu, (_, { x }) => record1(checked(['fast', 'slow']), [x], {}), signature);
    expect(later.tuning).toMatchObject({ lost: 0, seconds: 0, choices: { measured: 0, cache: 1 } });
    expect(tuningTable(gpu).origins).toEqual({ [KEY]: 'measured' });
  });
  test('a table of another adapter or driver is not taken', async () => {
    await using gpu = await gpuWith();
    const table = tuningTable(gpu);
    expect(useTuningTable(gpu, { ...table, adapter: `${table.adapter} 2`, choices: { [KEY]: 'slow' } })).toBe(false);
    expect(gpu.tuning.made.size).toBe(0);
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
      const sample = (size: number) => ({ inputs: [{ shape: [size], dtype: 'f32' as const }], attrs: {} });
      return { key: KEY, names, reference: names[0]!, samples: [sample(4096), sample(8192)] };
    },
  });
  async function choose(gpu: Gpu, names: readonly string[]): Promise<string | undefined> {
    const op = sampled(names);
    const batch = { x: { shape: [100], dtype: 'f32' }, y: { shape: [200], dtype: 'f32' } } as const;
    lowered.length = 0;
    using step = await compile(gpu, (_, { x, y }) => [record1(op, [x], {}), record1(op, [y], {})], { batch });
    return step.plan.target.tuned[KEY];
  }

  test('is measured once, on samples, and on the second if it is not the default on the first', async () => {
    const tuning = new Map<string, string>();
    await using gpu = await openGpu({ tuning });
    const choice = await choose(gpu, ['idle', 'fast']);
    expect(['idle', 'fast']).toContain(choice);
    expect(tuning).toEqual(new Map([[KEY, choice]]));
    expect([
      [4096, 4096, 100, 200],
      [4096, 4096, 8192, 8192, 100, 200],
    ]).toContainEqual(lowered);
    if (choice === 'fast') expect(lowered).toContain(8192);
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
    expect([own, pretending, none].map(({ tuning }) => tuning.cache !== undefined)).toEqual([true, false, false]);
  });
});
