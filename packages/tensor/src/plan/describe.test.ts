import { expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { planStep } from '../compile';
import { layoutState } from '../graph/state-layout';
import { store } from '../ops/assign';
import { allGather, allReduce } from '../ops/collective';
import { add, mul } from '../ops/elementwise';
import { sum } from '../ops/reduce';
import { describePlan } from './describe';

const vector = { shape: [5], dtype: 'f32' } as const;
const plan = planStep(
  defaultTarget,
  layoutState({ w: { a: vector } }, defaultTarget),
  ({ w }, { x }, { lr }) => {
    store(w, { a: mul(add(x, w.tensors.a), lr) });
    return { total: sum(x) };
  },
  { batch: { x: vector }, knobs: { lr: [] } },
);
const withoutSites = (text: string) => text.replaceAll(/ {2}at .*describe\.test\.ts:\d+:\d+/g, '');

test('a plan reads as graph, then kernels with their buffers and uniforms', () => {
  expect(withoutSites(describePlan(plan))).toMatchInlineSnapshot(`
    "WebGPU defaults: 2 kernels, 1 copies, 15 flop, 1056 bytes

    graph
      %0: f32 [5] = state() {group: "w", name: "a", buffer: 0, offset: 0}
      %1: f32 [128] = state() {group: "w", name: "window 0", buffer: 0, offset: 0}
      %2: f32 [5] = input() {kind: "batch", name: "x"}
      %3: f32 [] = input() {kind: "knob", name: "lr"}
      %4: f32 [5] = add(%2, %0)
      %5: f32 [5] = mul(%4, %3)
      %6: f32 [128] = store(%5, %1) {places: [{"window":0,"offset":0}]}
      %7: f32 [1] = reduce(%2) {kind: "sum", axis: 0}
      %8: f32 [] = reshape(%7)
      total <- %8 in slot 0 +0 (16 bytes)

    steps
       0 add+mul, wgsl 0, 1 x 1 x 1 workgroups
           reads  %2: f32 [5] in input x +0 (32 bytes)
           reads  %0: f32 [5] in state w[0] +0 (32 bytes)
           reads  %3: f32 [] in knobs +0 (16 bytes)
           writes %5: f32 [5] in slot 0 +0 (32 bytes)
           uniforms 5
       1 copy slot 0 +0 (20 bytes) to state w[0] +0 (20 bytes)
       2 sum, wgsl 1, 1 x 1 x 1 workgroups
           reads  %2: f32 [5] in input x +0 (32 bytes)
           writes %7: f32 [1] in slot 0 +0 (16 bytes)
           uniforms 0 1 1 5 5 1
    "
  `);
});
test('with wgsl, the text of every kernel follows once', () => {
  const text = describePlan(plan, { wgsl: true });
  for (const step of plan.steps) if (step.kind === 'kernel') expect(text.split(step.kernel.wgsl)).toHaveLength(2);
});

test('an exchange is where it leaves and where it comes back', () => {
  const exchanging = planStep(
    defaultTarget,
    {},
    (_, { x }) => ({ all: allGather(x, 3), most: allReduce(x, 3, 'max') }),
    { batch: { x: vector } },
  );
  const text = withoutSites(describePlan(exchanging));
  expect(text).toMatch(/^WebGPU defaults: 0 kernels, 0 copies, 2 exchanges, /);
  expect(text.slice(text.indexOf('steps'))).toMatchInlineSnapshot(`
    "steps
       0 send 5 elements for exchange 0 (allGather of 3 ranks) from input x +0 (20 bytes)
       1 send 5 elements for exchange 1 (allReduce max of 3 ranks) from input x +0 (20 bytes)
       2 receive 15 elements of exchange 0 (allGather of 3 ranks) into slot 0 +0 (60 bytes)
       3 receive 5 elements of exchange 1 (allReduce max of 3 ranks) into slot 1 +0 (20 bytes)
    "
  `);
});
