import {
  attention,
  defaultTarget,
  grad,
  layoutState,
  matmul,
  planStep,
  productsOf,
  type Shape,
  sum,
} from '@franca/tensor';
import { expect, test } from 'vitest';
import { attentionSize, largestOps, nameOf, productSize } from './step-ops';

const layout = layoutState({}, defaultTarget);
const planOf = (a: Shape, b: Shape, transposes: { transposeA?: boolean; transposeB?: boolean }) => {
  const batch = { a: { shape: a, dtype: 'f32' }, b: { shape: b, dtype: 'f32' } } as const;
  return planStep(defaultTarget, layout, (_, x) => matmul(x.a, x.b, transposes), { batch });
};

test.each([
  ['NN 5x7x3 f32', [5, 3], [3, 7], {}, { batch: 1, m: 5, n: 7, k: 3 }],
  ['NT 5x7x3 f32', [5, 3], [7, 3], { transposeB: true }, { batch: 1, m: 5, n: 7, k: 3 }],
  ['TN 5x7x3 f32', [3, 5], [3, 7], { transposeA: true }, { batch: 1, m: 5, n: 7, k: 3 }],
  ['NT 10x7x3 f32', [2, 5, 3], [7, 3], { transposeB: true }, { batch: 1, m: 10, n: 7, k: 3 }],
  ['NN 4x5x7x3 f32', [4, 5, 3], [4, 3, 7], {}, { batch: 4, m: 5, n: 7, k: 3 }],
])('%s is a product of the sizes that a library is asked for', (name, a, b, transposes, size) => {
  const [planned] = productsOf(planOf(a, b, transposes));
  expect(nameOf(planned!)).toBe(name);
  expect(productSize(planned!)).toMatchObject(size);
  const { batch, m, n, k } = productSize(planned!);
  expect(2 * batch * m * n * k).toBe(planned!.flops);
});

test('attention and its gradient are of the same size', () => {
  const batch = { qkv: { shape: [2, 9, 3 * 4 * 16], dtype: 'f32' } } as const;
  const plan = planStep(defaultTarget, layout, (_, { qkv }) => grad(sum(attention(qkv, 4)), [qkv]), { batch });
  const { attentions } = largestOps(plan, { dry: true, precision: 'f32' });
  expect(attentions.map(nameOf)).toEqual(['attentionGradient 2x9x192 f32', 'attention 2x9x192 f32']);
  for (const planned of attentions)
    expect(attentionSize(planned)).toEqual({ batch: 2, heads: 4, tokens: 9, width: 16 });
  expect(largestOps(plan, { dry: true, precision: 'f16' })).toEqual({ products: [], attentions: [] });
});
