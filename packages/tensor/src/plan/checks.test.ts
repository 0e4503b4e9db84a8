import { expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { planStep } from '../compile';
import { assign } from '../ops/assign';
import { mul } from '../ops/elementwise';

const batch = { x: { shape: [2, 3], dtype: 'f32' } } as const;

test('only state can be updated: an input or a computed value is refused, with the line', () => {
  expect(() => planStep(defaultTarget, {}, (_, { x }) => assign(x, mul(x, 2)), { batch })).toThrow(
    /^assign at .*checks\.test\.ts:\d+:\d+ overwrites f32 \[2, 3\], which is no state/,
  );
  expect(() => planStep(defaultTarget, {}, (_, { x }) => assign(mul(x, 2), x), { batch })).toThrow('which is no state');
});
