import { expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { planStep } from '../compile';
import { allReduce } from '../ops/collective';
import { mul, tanh } from '../ops/elementwise';
import { matmul } from '../ops/matmul/matmul';
import { boundSubmits } from './submits';

const batch = { x: { shape: [64, 64], dtype: 'f32' } } as const;
const plan = planStep(
  defaultTarget,
  {},
  (_, { x }) => ({ y: tanh(allReduce(mul(x, 2), 2)), z: matmul(matmul(matmul(x, x), x), x) }),
  { batch },
);
/** What each submit has: receives, computing steps, sends. */
const kinds = (seconds: number, from?: number, to?: number) =>
  boundSubmits(plan, seconds, from, to).map((submit) =>
    plan.steps.slice(submit.from, submit.to).map(({ kind }, i) => {
      const at = submit.from + i;
      const computes = at >= submit.computesFrom && at < submit.computesTo;
      expect(computes).toBe(kind === 'kernel');
      return kind;
    }),
  );

test('a submit ends after what it sends and begins with what it receives', () => {
  expect(kinds(1)).toEqual([
    ['kernel', 'send'],
    ['kernel', 'kernel', 'kernel'],
    ['receive', 'kernel'],
  ]);
});

test('and none takes longer than is allowed, but for one kernel that does', () => {
  expect(kinds(0)).toEqual([['kernel', 'send'], ['kernel'], ['kernel'], ['kernel'], ['receive', 'kernel']]);
  expect(kinds(1, 1, 4)).toEqual([['send'], ['kernel', 'kernel']]);
});

test('a step that does nothing is submitted once, for what is read after it', () => {
  const nothing = planStep(defaultTarget, {}, (_, { x }) => ({ x }), { batch });
  expect(boundSubmits(nothing, 1)).toEqual([{ from: 0, computesFrom: 0, computesTo: 0, to: 0 }]);
});
