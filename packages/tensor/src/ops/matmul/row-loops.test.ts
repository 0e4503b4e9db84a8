import { expect, test } from 'vitest';
import { defaultTarget, type Target } from '../../base/target';
import { planStep } from '../../compile';
import { attention } from '../attention/attention';
import { add, gelu } from '../elementwise';
import { matmul } from './matmul';

const target: Target = { ...defaultTarget, family: 'cpu', subgroupSize: 8 };

// Mesa writes out a loop that walks an array from end to end, and so compiles the epilogue once for every row
test('no loop over rows walks its array to the end', () => {
  const shape = [2, 64, 96] as const;
  const batch = { x: { shape, dtype: 'f32' as const } };
  const { steps } = planStep(
    target,
    {},
    (_, { x }) => ({ y: add(gelu(matmul(x, x, { transposeB: true })), 1), z: attention(x, 2) }),
    { batch },
  );
  const texts = steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel.wgsl] : []));
  const loops = texts.flatMap((wgsl) =>
    [...wgsl.matchAll(/array<vec4<f32>, (\d+)>\([^;]*;[^;]*;? ?[^;]*min\((\d+)u/g)].map(([, length, bound]) => [
      Number(length),
      Number(bound),
    ]),
  );
  expect(loops.length).toBeGreaterThanOrEqual(2);
  for (const [length, bound] of loops) expect(length).toBeGreaterThan(bound!);
});
