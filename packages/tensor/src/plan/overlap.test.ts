/** Steps that do not need an exchange go on meanwhile, and every value stays what it is in recorded order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockstepRanks } from '../../../../test/support/lockstep-ranks';
import { defaultTarget } from '../base/target';
import { compile, planStep } from '../compile';
import type { Gpu } from '../device/gpu';
import { createState } from '../device/state';
import type { Tensor } from '../graph/op';
import { layoutState } from '../graph/state-layout';
import { openGpu } from '../node';
import { assign, store } from '../ops/assign';
import { allGather, allReduce, allReduceWindows, reduceScatter } from '../ops/collective';
import { concat } from '../ops/concat';
import { add, mul, tanh } from '../ops/elementwise';
import { matmul } from '../ops/matmul/matmul';
import { sum } from '../ops/reduce';
import { sliceAxis } from '../ops/slice';
import { transpose } from '../ops/transpose';
import { grad } from '../passes/grad';
import { normals } from '../testing';
import { uniforms } from '../testing/normals';
import type { PlanStep } from './plan-types';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });

/** Kernels by their label, halves of exchanges by their index. */
const describeOrder = (steps: readonly PlanStep[]): string[] =>
  steps.map((step) => {
    if (step.kind === 'kernel') return step.kernel.label;
    return step.kind === 'copy' ? 'copy' : `${step.kind} ${step.exchange.index}`;
  });

test('later steps go before those that wait, and a value is received when it is needed', () => {
  const plan = planStep(
    defaultTarget,
    {},
    (_, { x, w }) => {
      let potentials = x;
      for (let i = 0; i < 2; i++) potentials = tanh(allReduce(mul(potentials, 2), 2));
      let y = x;
      for (let i = 0; i < 3; i++) y = matmul(y, w);
      return { y: sum(add(y, potentials)) };
    },
    { batch: { x: f32(64, 64), w: f32(64, 64) } },
  );
  expect(describeOrder(plan.steps)).toMatchInlineSnapshot(`
    [
      "mul",
      "send 0",
      "matmul",
      "matmul",
      "receive 0",
      "tanh+mul",
      "send 1",
      "receive 1",
      "tanh+matmul+add",
      "sum",
    ]
  `);
});

describe('a backward pass', () => {
  const LAYERS = 6;
  const width = 64;
  const specs = Object.fromEntries(Array.from({ length: LAYERS }, (_, i) => [`w${i}`, f32(width, width)]));
  const layout = layoutState({ w: specs, g: specs, before: specs }, defaultTarget);
  const plan = (copied: boolean) =>
    planStep(
      defaultTarget,
      layout,
      ({ w, g }, { x }) => {
        const weights = Object.values(w.tensors);
        let y = x;
        for (const weight of weights) y = tanh(matmul(y, weight, { transposeB: true }));
        const grads = grad(sum(y), w.tensors);
        const windows = allReduceWindows(store(g, grads), { size: 2, bucket: width * width });
        const norm = windows.map((window) => sum(mul(window, window))).reduce((a, b) => add(a, b));
        // what is returned cannot be computed in place
        return { norm, kept: copied ? grads : [] };
      },
      { batch: { x: f32(32, width) } },
    );

  test.each([false, true])('sends each bucket when the gradients in it are there, copied: %s', (copied) => {
    const order = describeOrder(plan(copied).steps);
    expect(order.filter((name) => name === 'copy')).toHaveLength(copied ? LAYERS : 0);
    const products = order.flatMap((name, i) => (name.includes('matmul') ? [i] : []));
    for (let i = 0; i < LAYERS; i++) {
      // the bucket of the last layer leaves before the two products of each layer in front of it, whose first has no gradient of its input
      const left = products.filter((product) => product > order.indexOf(`send ${i}`)).length;
      expect(left).toBeGreaterThanOrEqual(2 * (LAYERS - 1 - i) - 1);
    }
    // what the norm needs comes back after all products
    expect(order.indexOf('receive 0')).toBeGreaterThan(products.at(-1)!);
  });
});

/** A step drawn at random: products, sums, views, updates of state, values stored in place, windows summed in place, and collectives between them. */
function randomStep(seed: number) {
  const uniform = uniforms(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(uniform() * list.length)]!;
  const draws = Array.from({ length: 28 }, () => ({ kind: uniform(), a: uniform(), b: uniform() }));
  const bucket = pick([64, 128, 6_250_000]);
  return (
    { w, g }: Record<'w' | 'g', { tensors: Record<string, Tensor>; windows: readonly Tensor[] }>,
    { x }: { x: Tensor },
  ) => {
    const values: Tensor[] = [x];
    const latest = { ...w.tensors };
    const names = Object.keys(latest);
    let windows = g.windows;
    const at = (draw: number) => values[Math.floor(draw * values.length)]!;
    const half = (value: Tensor): Tensor => tanh(mul(value, 0.5));
    for (const { kind, a, b } of draws) {
      const [one, other] = [at(a), at(b)];
      const name = names[Math.floor(b * names.length)]!;
      if (kind < 0.2) values.push(half(add(one, other)));
      else if (kind < 0.35) values.push(half(matmul(one, latest[name]!)));
      else if (kind < 0.45) values.push(half(matmul(one, other, { transposeA: true })));
      else if (kind < 0.6) values.push(half(allReduce(one, 2, b < 0.5 ? 'sum' : 'max')));
      else if (kind < 0.68) values.push(half(sliceAxis(allGather(one, 2), 0, 8, 24)));
      else if (kind < 0.76) values.push(reduceScatter(concat([one, other], 0), 2));
      else if (kind < 0.88) {
        if (latest[name] === w.tensors[name]) latest[name] = assign(latest[name]!, transpose(one));
      } else {
        windows = store({ ...g, windows } as never, { [name]: one } as never);
        if (kind > 0.92) windows = allReduceWindows(windows, { size: 2, bucket });
        values.push(half(mul(one, sum(windows[0]!))));
      }
    }
    return { values: values.slice(-3), total: values.map((value) => sum(value)).reduce((s, v) => add(s, v)) };
  };
}

describe('random steps', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  const specs = { a: f32(16, 16), b: f32(16, 16), c: f32(16, 16) };

  async function runTwice(seed: number, options: { fusion?: boolean; isolate?: boolean }) {
    const ranks = lockstepRanks(2);
    const states = ranks.map(() => {
      const state = createState(gpu, { w: specs, g: specs });
      Object.keys(specs).forEach((name, i) => {
        state.write(
          'w',
          name as 'a',
          normals(256, seed + i).map((value) => value / 4),
        );
        state.write('g', name as 'a', normals(256, seed + 5 + i));
      });
      return state;
    });
    const steps = await Promise.all(
      ranks.map((own, rank) =>
        compile(gpu, randomStep(seed) as never, {
          state: states[rank]!,
          batch: { x: f32(16, 16) },
          ranks: own,
          ...options,
        }),
      ),
    );
    const results: Record<string, ArrayLike<number>> = {};
    for (let run = 0; run < 2; run++) {
      steps.forEach((step, rank) => {
        step.run({ x: normals(256, 100 * seed + 10 * run + rank) } as never);
      });
      for (const [rank, step] of steps.entries())
        for (const name of Object.keys(step.plan.outputs))
          results[`${run} ${rank} ${name}`] = await step.read(name as never);
    }
    for (const [rank, state] of states.entries())
      for (const group of ['w', 'g'] as const)
        for (const name of ['a', 'b', 'c'] as const)
          results[`${rank} ${group} ${name}`] = await state.read(group, name);
    const order = describeOrder(steps[0]!.plan.steps);
    for (const one of [...steps, ...states]) one.dispose();
    return { results, order };
  }

  test('have the same bits in recorded order, one op at a time', async () => {
    let moved = 0;
    for (let seed = 4; seed <= 11; seed++) {
      const overlapped = await runTwice(seed, {});
      const recorded = await runTwice(seed, { isolate: true });
      expect(overlapped.results, `seed ${seed}`).toEqual(recorded.results);
      if (overlapped.order.join() !== recorded.order.join()) moved++;
    }
    expect(moved).toBeGreaterThan(4);
  });
});
