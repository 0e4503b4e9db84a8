/**
 * Every kernel that any kind of adapter would run, compiled by Dawn on its null backend, which offers all features and computes nothing:
 * no error, no warning. Graphs are planned on paper for each target, so this needs no GPU.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DType } from '../base/dtype';
import { isFloat } from '../base/dtype';
import { defaultTarget, type Target } from '../base/target';
import { planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { chosenVariants } from '../device/tuner';
import type { Tensor } from '../graph/op';
import { isTensor } from '../graph/record';
import { copiesOf, layoutState } from '../graph/state-layout';
import { openGpu } from '../node';
import { assign, store } from '../ops/assign';
import { allReduceWindows } from '../ops/collective';
import { add, cast, mul } from '../ops/elementwise';
import { keptCast } from '../ops/kept-cast';
import { sum } from '../ops/reduce';
import { grad } from '../passes/grad';
import type { Plan } from '../plan/plan-types';
import type { TensorTree } from '../step';
import { compileKernels, PAPER_ADAPTERS } from './paper-adapters';
import { TEST_GRAPHS, type TestGraph } from './test-graphs';

const tensorsIn = (tree: TensorTree): Tensor[] => {
  if (tree === undefined) return [];
  return isTensor(tree) ? [tree] : Object.values(tree as Record<string, TensorTree>).flatMap(tensorsIn);
};

function planGraph(graph: TestGraph, target: Target, n: number, dtype: DType): Plan {
  const batch = Object.fromEntries(
    Object.entries(graph.inputs(n)).map(([name, spec]) => [name, { shape: spec.shape, dtype: spec.dtype ?? dtype }]),
  );
  const build = (_: unknown, inputs: Record<string, Tensor>): TensorTree => {
    const outputs = graph.build(inputs);
    if (graph.gradient === false) return outputs;
    const floats = Object.values(inputs).filter((tensor) => isFloat(tensor.dtype));
    const losses = tensorsIn(outputs)
      .filter((tensor) => isFloat(tensor.dtype))
      .map((tensor) => cast(tensor, 'f32'))
      .map((tensor) => sum(mul(tensor, tensor)));
    if (floats.length === 0 || losses.length === 0) return outputs;
    return { outputs, grads: grad(losses.reduce(add), floats) };
  };
  return planStep(target, {}, build, { batch });
}

/** The plans of a graph in all sizes and types, and with every variant of its ops. */
function plansOf(graph: TestGraph, target: Target): Plan[] {
  const dtypes = (graph.dtypes ?? ['f32', 'f16']).filter((dtype) => dtype !== 'f16' || target.f16);
  return dtypes.flatMap((dtype) =>
    (graph.sizes ?? [12, 13]).flatMap((n) => {
      const plan = planGraph(graph, target, n, dtype);
      return [plan, ...tunings(plan).map((tuned) => planGraph(graph, { ...target, tuned }, n, dtype))];
    }),
  );
}

/** Choices that between them take every variant of every op of a plan. */
function tunings(plan: Plan): Record<string, string>[] {
  const choices = chosenVariants(plan);
  const most = Math.max(0, ...choices.map(({ candidates }) => candidates.length));
  return Array.from({ length: most }, (_, i) =>
    Object.fromEntries(choices.map(({ key, candidates }) => [key, candidates[i] ?? candidates[0]!])),
  );
}

function planUpdate(target: Target): Plan {
  const specs = { w: { a: { shape: [5, 7], dtype: 'f32' }, b: { shape: [12], dtype: 'f32' } } } as const;
  const layout = layoutState({ ...specs, v: specs.w, copy: copiesOf('w', { a: specs.w.a }, 'f32') }, target);
  return planStep(
    target,
    layout,
    (state) => {
      const { a, b } = state.w.tensors;
      allReduceWindows(store(state.v, { a: mul(a, 2), b: mul(b, 3) }), { size: 2 });
      const copy = state.copy.tensors.a!;
      assign(copy, mul(keptCast(a, copy), 2));
      return assign(a, add(a, 1));
    },
    {},
  );
}

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ adapter: 'null' });
});
afterAll(() => gpu.dispose());

describe('every kernel compiles without a message', () => {
  const compiled = new Set<string>();

  async function compileAll(plans: readonly Plan[]): Promise<void> {
    for (const plan of plans) expect(await compileKernels(gpu, plan, compiled)).toEqual([]);
  }

  describe.each(PAPER_ADAPTERS.map((target) => [target.name, target] as const))('on %s', (_, target) => {
    test.each(TEST_GRAPHS.map((graph) => [graph.name, graph] as const))('%s', async (_, graph) => {
      await compileAll(plansOf(graph, target));
    });
    test('updates of state', async () => {
      await compileAll([planUpdate(target)]);
    });
  });
});

test('every shape of subgroup matrices that an adapter lists is among the kernels that are compiled for it', () => {
  const { subgroupMatrices, ...target } = PAPER_ADAPTERS.at(-1)!;
  const plans = TEST_GRAPHS.filter(({ name }) => name.startsWith('matmul')).flatMap((graph) =>
    plansOf(graph, { ...target, subgroupMatrices }),
  );
  const texts = plans.flatMap(({ steps }) => steps.map((step) => (step.kind === 'kernel' ? step.kernel.wgsl : '')));
  expect(subgroupMatrices).toHaveLength(3);
  for (const { M, N, K } of subgroupMatrices) {
    expect(
      texts.some((text) => text.includes(`left<f16, ${K}, ${M}>`) && text.includes(`right<f16, ${N}, ${K}>`)),
    ).toBe(true);
  }
});

/** Names of the ops that a source text declares. Those of kernel variants say sizes too, those of WGSL variables are one letter. */
const declaredOps = (text: string): string[] => [...text.matchAll(/\bname: '(\w{2,})'/g)].map((match) => match[1]!);

describe('the graphs contain every op of the engine', () => {
  const folder = new URL('../ops/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('.test.'))
    .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));
  const planned = new Set(
    [
      ...TEST_GRAPHS.flatMap((graph) => planGraph(graph, defaultTarget, 12, 'f32').nodes),
      ...planUpdate(defaultTarget).nodes,
    ].map((node) => node.op.name),
  );

  test('wherever it is declared below ops/', () => {
    const declared = sources.flatMap(({ text }) => declaredOps(text));
    expect(declared.length).toBeGreaterThan(60);
    expect(declared.filter((name) => !planned.has(name))).toEqual([]);
  });
  test('and however: alone, from another op, or inside a function', () => {
    expect(declaredOps("const op: Op<A> = {\n  name: 'whole',")).toEqual(['whole']);
    expect(declaredOps("const op: Op = { ...other, name: 'spread', view };")).toEqual(['spread']);
    expect(declaredOps("  return {\n      name: 'nested',\n      infer")).toEqual(['nested']);
    // elementwise ops take their names as arguments too; their list is complete by its type
    const unnamed = sources.filter(({ text }) => /\bOp</.test(text) && declaredOps(text).length === 0);
    expect(unnamed.map(({ file }) => file)).toEqual([]);
  });
});
