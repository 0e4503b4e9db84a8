import { describe, expect, test } from 'vitest';
import type { DType } from '../../base/dtype';
import { defaultTarget, type Target } from '../../base/target';
import { planStep } from '../../compile';
import type { Variants } from '../../graph/op';
import { storeRoot } from '../../kernels/elementwise-program';
import { matmul } from './matmul';

const large: Target = {
  ...defaultTarget,
  f16: true,
  subgroupSize: 32,
  subgroupMatrices: [
    { M: 16, N: 8, K: 8 },
    { M: 16, N: 16, K: 16 },
    { M: 16, N: 8, K: 16 },
  ],
  maxBindingBytes: 2 ** 32 - 4,
  maxWorkgroupBytes: 49152,
  maxWorkgroupInvocations: 1024,
};

interface Size {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly batch?: number;
}

function choice(target: Target, { M, N, K, batch = 1 }: Size, dtype: DType = 'f16', transposeA = false): Variants {
  const a = { shape: [batch, ...(transposeA ? [K, M] : [M, K])], dtype };
  const b = { shape: [batch, K, N], dtype };
  const plan = planStep(target, {}, (_, inputs) => matmul(inputs.a, inputs.b, { transposeA }), { batch: { a, b } });
  const { op, inputs, outputs, attrs } = plan.nodes.find((node) => node.op.variants)!;
  return op.variants!({ inputs, outputs, attrs, target, epilogue: storeRoot(outputs[0]!) });
}

const SIZES: readonly Size[] = [
  { M: 8192, N: 8192, K: 8192 },
  { M: 14649, N: 4096, K: 768 },
  { M: 768, N: 768, K: 14649 },
  { M: 320, N: 131072, K: 384 },
  { M: 1, N: 1, K: 1 },
  { M: 257, N: 257, K: 64, batch: 96 },
];

describe('the kernels of a product on a GPU', () => {
  test.each(SIZES)('of which three are worth measuring, the default among them: %j', (size) => {
    for (const dtype of ['f16', 'f32'] as const) {
      const { names, candidates } = choice(large, size, dtype);
      expect(candidates).toHaveLength(3);
      expect(names.slice(0, 3)).toEqual(candidates);
      expect(new Set(names).size).toBe(names.length);
      expect(names.at(-1)).toBe('naive');
    }
  });
  test('take the largest tile for a large square product, and divide k for a weight gradient', () => {
    expect(choice(large, SIZES[0]!).names[0]).toMatch(/^matrix 16x16x16 128x128x32 by 4$/);
    expect(choice(large, SIZES[0]!, 'f32').names[0]).toMatch(/^tile 128x128x8 by 8x8$/);
    expect(choice(large, SIZES[2]!, 'f16', true).names[0]).toMatch(/128x128x32 by 4, k in \d/);
  });
  test('come from matrices where there are any for f16, never for f32', () => {
    for (const size of SIZES) {
      for (const name of choice(large, size).candidates!) expect(name).toMatch(/^matrix/);
      for (const name of choice(large, size, 'f32').names) expect(name).not.toMatch(/^matrix/);
    }
  });
  test('are the same whatever order the driver lists its matrices in', () => {
    const reversed = { ...large, subgroupMatrices: [...large.subgroupMatrices].reverse() };
    for (const size of SIZES) expect(choice(reversed, size).names).toEqual(choice(large, size).names);
  });
  test('are of more than one kind of matrices where these should be about as fast', () => {
    const candidates = choice(large, SIZES[0]!).candidates!;
    expect(new Set(candidates.map((name) => name.split(' ')[1])).size).toBeGreaterThan(1);
  });
  test('fit the default limits', () => {
    for (const name of choice(defaultTarget, SIZES[2]!, 'f32').names) expect(name).toMatch(/^(tile|naive)/);
  });
  test('share a choice where layout, type and all sizes are the same', () => {
    expect(choice(large, SIZES[1]!).key).toBe('matmul NN f16 1x14649x4096x768');
    expect(choice(large, SIZES[2]!, 'f32', true).key).toBe('matmul TN f32 1x768x768x14649');
  });
  test('are checked by single elements in f64', () => {
    const { element, flops } = choice(large, { M: 3, N: 5, K: 7, batch: 2 }, 'f32', true);
    expect(flops).toBe(2 * 2 * 3 * 5 * 7);
    // z = 1, row 2, column 4: of A [2, 7, 3] and B [2, 7, 5]
    const expected = [0, 1, 2, 3, 4, 5, 6].reduce((sum, k) => sum + (21 + 3 * k + 2) * (35 + 5 * k + 4) ** 2, 0);
    expect(element!([(i) => i, (i) => i * i], 29)).toBe(expected);
  });
});
