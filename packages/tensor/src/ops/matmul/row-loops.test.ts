import { expect, test } from 'vitest';
import { defaultTarget, type Target } from '../../base/target';
import { planStep } from '../../compile';
import { attention } from '../attention/attention';
import { add, gelu } from '../elementwise';
import { eachRow } from './broadcast-product';
import { matmul } from './matmul';

const target: Target = { ...defaultTarget, family: 'cpu', subgroupSize: 8 };

// Mesa takes longer to compile an array that a loop walks, or statements for every row, than the product itself
test('no kernel of products keeps rows in an array, and what follows a product is there once', () => {
  const shape = [2, 64, 96] as const;
  const batch = { x: { shape, dtype: 'f32' as const } };
  const { steps } = planStep(
    target,
    {},
    (_, { x }) => ({ y: add(gelu(matmul(x, x, { transposeB: true })), 1), z: attention(x, 2) }),
    { batch },
  );
  const texts = steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel.wgsl] : []));
  const products = texts.filter((wgsl) => wgsl.includes('subgroupBroadcast'));
  expect(products.length).toBeGreaterThanOrEqual(3);
  for (const wgsl of products) expect(wgsl).not.toMatch(/\barray<vec4<f32>, \d+>/);
  const calls = products.flatMap((wgsl) => (wgsl.includes('fn emit') ? [wgsl.match(/\bstore\(outer, /g)] : []));
  expect(calls).toEqual([['store(outer, ']]);
});

test('each row is picked by its number', () => {
  const text = eachRow({ rows: 12, value: (i) => `c${i}`, end: 'M', body: 'use(i, values);' });
  const picked = (expression: string, index: number): string => {
    const [, name] = /^(\w+)$/.exec(expression) ?? [];
    if (name) return name;
    const [, odd, even, unit] = [...splitSelect(expression)];
    return picked((index & Number(unit)) !== 0 ? even! : odd!, index);
  };
  const near = [...text.matchAll(/let near\d = (.*);/g)].map((match) => match[1]!);
  expect([0, 4, 8].flatMap((quad) => near.map((expression) => picked(expression, quad)))).toEqual(
    Array.from({ length: 12 }, (_, i) => `row${i}`),
  );
  const last = /let values = (.*);/.exec(text)![1]!;
  expect([4, 5, 6, 7].map((i) => picked(last, i))).toEqual(['near0', 'near1', 'near2', 'near3']);
});

/** `select(a, b, (index & unit) != 0u)` as [whole, a, b, unit]. */
function splitSelect(expression: string): string[] {
  const inner = expression.slice('select('.length, expression.lastIndexOf(', ('));
  let depth = 0;
  const comma = [...inner].findIndex((character) => {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    return character === ',' && depth === 0;
  });
  return [expression, inner.slice(0, comma), inner.slice(comma + 2), /& (\d+)u\) != 0u\)$/.exec(expression)![1]!];
}
