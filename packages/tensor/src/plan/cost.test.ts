import { describe, expect, test } from 'vitest';
import type { Rate } from '../base/rates';
import { defaultTarget, type Target } from '../base/target';
import { planStep } from '../compile';
import { type Kernel, type Spec, spec, type Tensor } from '../graph/op';
import { layoutState } from '../graph/state-layout';
import { assign } from '../ops/assign';
import { attention } from '../ops/attention/attention';
import { concat } from '../ops/concat';
import { add, square } from '../ops/elementwise';
import { gatherRows, scatterAddRows } from '../ops/gather';
import { matmul } from '../ops/matmul/matmul';
import { sum } from '../ops/reduce';
import { layerNorm } from '../ops/rows/layer-norm';
import { slice } from '../ops/slice';
import { grad } from '../passes/grad';
import { type Cost, costByKind, costByLabel, kernelSeconds } from './cost';
import { lintPlan } from './lint';
import type { Plan } from './plan-types';

const rate = (value: number): Rate => ({ value, source: 'a round number' });

/** An adapter of round rates: flops take nanoseconds, bytes tenths of them. */
const target: Target = {
  ...defaultTarget,
  f16: true,
  subgroupSize: 32,
  subgroupMatrices: [{ M: 16, N: 16, K: 16 }],
  maxWorkgroupBytes: 49152,
  maxWorkgroupInvocations: 1024,
  maxBindingBytes: 2 ** 31,
  rates: {
    matrixFlops: rate(1e12),
    productFlops: rate(1e11),
    attentionFlops: rate(1e10),
    attentionGradientFlops: rate(2e10),
    bytes: rate(1e11),
    launchSeconds: rate(1e-6),
    serialSeconds: rate(1e-7),
    processors: rate(100),
  },
};

type Inputs = Readonly<Record<string, Spec>>;

const planOf = (batch: Inputs, build: (tensors: Record<string, Tensor>) => Tensor | Tensor[]): Plan =>
  planStep(target, {}, (_, tensors) => ({ out: build(tensors) }), { batch });

const kernelsOf = ({ steps }: Plan): Kernel[] => steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));

describe('the time of a kernel', () => {
  const [kernel] = kernelsOf(planOf({ x: spec([64, 64]) }, ({ x }) => sum(x!, [0])));
  const timed = (changes: Partial<Kernel>): number =>
    kernelSeconds(
      { ...kernel!, workgroups: [100, 1, 1], kind: 'product', flops: 0, bytes: 0, serial: 0, ...changes },
      target,
    );
  test('is a launch where there is nothing to do', () => expect(timed({})).toBeCloseTo(1e-6, 12));
  test.each([
    [{ flops: 1e6 }, 10e-6],
    [{ flops: 1e6, kind: 'matrix product' }, 1e-6],
    [{ flops: 1e6, kind: 'attention' }, 100e-6],
    [{ flops: 1e6, kind: 'attention gradient' }, 50e-6],
    [{ bytes: 1e6 }, 10e-6],
    [{ serial: 300 }, 30e-6],
    [{ flops: 1e6, bytes: 2e6, serial: 100 }, 20e-6],
    // half of the processors have nothing to do, which a loop does not notice
    [{ flops: 1e6, bytes: 2e6, workgroups: [10, 5, 1] }, 40e-6],
    [{ serial: 300, workgroups: [1, 1, 1] }, 30e-6],
  ] as const)('of %j is the longest of its parts', (changes, seconds) => {
    expect(timed(changes)).toBeCloseTo(1e-6 + seconds, 12);
  });
});

test('costs by kind and by label add up to the report', () => {
  const plan = planOf({ x: spec([256, 64]), w: spec([64, 64]), g: spec([64]), b: spec([64]) }, ({ x, w, g, b }) =>
    grad(sum(square(layerNorm(matmul(x!, w!), g!, b!))), [x!, w!, g!]),
  );
  const total = (costs: readonly Cost[]) => ({
    kernels: costs.reduce((sum, { kernels }) => sum + kernels, 0),
    bytesMoved: costs.reduce((sum, { bytes }) => sum + bytes, 0),
    estimatedSeconds: costs.reduce((sum, { seconds }) => sum + seconds, 0),
  });
  const { kernels, bytesMoved, estimatedSeconds } = plan.report;
  for (const costs of [costByKind(plan), costByLabel(plan)]) {
    expect(total(costs)).toEqual({ kernels, bytesMoved, estimatedSeconds: expect.closeTo(estimatedSeconds, 12) });
    expect(costs).toEqual([...costs].sort((a, b) => b.seconds - a.seconds));
  }
  expect(costByKind(plan).map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['product', 'parameter gradient', 'rows']),
  );
});

describe('the longest loop of a thread', () => {
  const loops = (plan: Plan): number[] => kernelsOf(plan).map(({ serial }) => serial);
  test('is all rows of a wide column sum', () =>
    expect(loops(planOf({ x: spec([14649, 4096]) }, ({ x }) => sum(x!, [0])))).toEqual([14649]));
  test('is a chunk of a narrow one, and then the chunks', () =>
    expect(loops(planOf({ x: spec([14649, 64]) }, ({ x }) => sum(x!, [0])))).toEqual([Math.ceil(14649 / 29), 29]));
  test('is the parts in the second pass of a layer norm', () => {
    const plan = planOf({ x: spec([229 * 64, 64]), g: spec([64]), b: spec([64]) }, ({ x, g, b }) =>
      grad(sum(square(layerNorm(x!, g!, b!))), [g!]),
    );
    const passes = kernelsOf(plan).filter(({ label }) => label === 'layerNormParameterGradient');
    expect(passes.map(({ serial }) => serial)).toEqual([64, 229]);
  });
  test('is the share that a lane has of a short list, and no step where each entry marks its row', () => {
    const scattered = (count: number) =>
      loops(planOf({ x: spec([count, 64]), at: spec([count], 'u32') }, ({ x, at }) => scatterAddRows(x!, at!, 900)));
    expect(scattered(500)).toEqual([2, 1]);
    expect(scattered(3000)).toEqual([1, 1, 4]);
  });
  test('has no steps in a tiled product, whose rate contains them', () =>
    expect(
      loops(planOf({ a: spec([512, 256], 'f16'), b: spec([256, 512], 'f16') }, ({ a, b }) => matmul(a!, b!))),
    ).toEqual([1]));
});

describe('bytes', () => {
  const bytes = (plan: Plan): number => plan.report.bytesMoved;
  test('of a gather are the rows that it takes', () =>
    expect(bytes(planOf({ x: spec([1000, 8]), at: spec([10], 'u32') }, ({ x, at }) => gatherRows(x!, at!)))).toBe(
      4 * (80 + 10 + 80),
    ));
  test('of a slice are the elements that stay', () =>
    expect(bytes(planOf({ x: spec([100, 8]) }, ({ x }) => slice(x!, [0, 2], [100, 3])))).toBe(4 * (300 + 300)));
  test('of a concatenation are each element once in and once out', () =>
    expect(bytes(planOf({ x: spec([6, 8]), y: spec([6, 4]) }, ({ x, y }) => concat([x!, y!], 1)))).toBe(4 * (72 + 72)));
  test('of what is read and overwritten count twice', () => {
    const layout = layoutState({ w: { a: spec([64]) } }, target);
    const plan = planStep(target, layout, (state) => assign(state.w!.tensors.a!, add(state.w!.tensors.a!, 1)), {});
    expect(bytes(plan)).toBe(4 * (64 + 64));
  });
  test('of attention backward are each part of qkv once, and once of its gradient', () => {
    const [B, N, H, d] = [2, 64, 4, 32];
    const plan = planOf({ x: spec([B, N, 3 * H * d]) }, ({ x }) => grad(sum(square(attention(x!, H))), [x!]));
    const [queries, keys] = kernelsOf(plan).filter(({ kind }) => kind === 'attention gradient');
    const [part, row] = [B * N * H * d, B * H * N];
    // q, k, v, dO; lse and delta; dq
    expect(queries!.bytes).toBe(4 * (4 * part + 2 * row + part));
    expect(keys!.bytes).toBe(4 * (4 * part + 2 * row + 2 * part));
  });
});

describe('the lint', () => {
  const rules = (plan: Plan): string[] => lintPlan(plan).map(({ rule, kernel }) => `${rule}: ${kernel}`);
  test('names a sum that few threads walk, with its loop and its width', () => {
    const plan = planOf({ x: spec([14649, 4096]) }, ({ x }) => sum(x!, [0]));
    expect(lintPlan(plan)).toEqual([
      expect.objectContaining({ rule: 'narrow and serial', kernel: 'sum', count: 1, workgroups: 16, serial: 14649 }),
    ]);
    const wide = { ...plan, target: { ...target, rates: { ...target.rates, processors: rate(8) } } };
    expect(rules(wide)).toEqual([]);
  });
  test('names a loop that takes longer than all else', () => {
    const plan = planOf({ x: spec([200, 64]) }, ({ x }) => sum(x!, [0]));
    expect(rules(plan)).toEqual(['serial: sum']);
    const fast = { ...plan, target: { ...target, rates: { ...target.rates, serialSeconds: rate(1e-9) } } };
    expect(rules(fast)).toEqual([]);
  });
  test('names large f16 products and attention without matrices, where there are some', () => {
    const product = (dtype: 'f32' | 'f16', side: number) =>
      planOf({ a: spec([side, side], dtype), b: spec([side, side], dtype) }, ({ a, b }) => matmul(a!, b!));
    expect(rules(product('f16', 2048))).toEqual([]);
    const unknown: Target = { ...target, subgroupSize: undefined };
    const off = planStep(unknown, {}, (_, { a, b }) => ({ out: matmul(a!, b!) }), {
      batch: { a: spec([2048, 2048], 'f16'), b: spec([2048, 2048], 'f16') } as Inputs,
    });
    expect(rules(off)).toEqual(['off the matrices: matmul']);
    expect(rules({ ...off, target: { ...unknown, subgroupMatrices: [] } })).toEqual([]);
    expect(rules(product('f32', 2048))).toEqual([]);
    const heads = planOf({ x: spec([4, 512, 3 * 512], 'f16') }, ({ x }) => attention(x!, 8));
    expect(rules(heads)).toContain('off the matrices: attention');
  });
});
