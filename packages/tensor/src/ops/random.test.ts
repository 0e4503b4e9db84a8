import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import { openGpu } from '../node';
import { interpret } from '../passes/interpret';
import {
  randomBernoulli,
  randomNormal,
  randomPermutation,
  randomTruncatedNormal,
  randomUniform,
  randomWords,
} from './random';
import { input } from './sources';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const kinds = {
  words: (seed: ReturnType<typeof input>) => randomWords(seed, [1003], 7),
  uniform: (seed: ReturnType<typeof input>) => randomUniform(seed, [1003], 7),
  bernoulli: (seed: ReturnType<typeof input>) => randomBernoulli(seed, [1003], 7, 0.3),
  permutation: (seed: ReturnType<typeof input>) => randomPermutation(seed, 301, 7),
  normal: (seed: ReturnType<typeof input>) => randomNormal(seed, [20001], 7),
  truncatedNormal: (seed: ReturnType<typeof input>) => randomTruncatedNormal(seed, [20001], 7, 1.5),
};

async function draw(kind: keyof typeof kinds, seed: [number, number]) {
  using step = await compile(gpu, (_, { seed: s }) => ({ out: kinds[kind](s) }), {
    batch: { seed: { shape: [2], dtype: 'u32' } },
  });
  step.run({ seed });
  const symbolic = input('seed', [2], 'u32');
  const out = kinds[kind](symbolic);
  return { gpu: Float64Array.from(await step.read('out')), reference: interpret([out], { seed }).value(out).data };
}

describe('on the device', () => {
  test.each(['words', 'uniform', 'bernoulli', 'permutation'] as const)(
    '%s are the same bits as in TypeScript',
    async (kind) => {
      const { gpu: actual, reference } = await draw(kind, [123, 0xdeadbeef]);
      expect(Array.from(actual)).toEqual(Array.from(reference));
    },
  );
  test.each(['normal', 'truncatedNormal'] as const)(
    '%s agrees with TypeScript and has the right moments',
    async (kind) => {
      const { gpu: actual, reference } = await draw(kind, [5, 6]);
      // WGSL allows a cosine to be off by 2^-11; the largest radius, sqrt(-2 ln 2^-24), is below 6
      expect(Math.max(...actual.map((value, i) => Math.abs(value - reference[i]!)))).toBeLessThan(6 * 2 ** -11);
      const mean = actual.reduce((a, b) => a + b, 0) / actual.length;
      const variance = actual.reduce((a, b) => a + (b - mean) ** 2, 0) / actual.length;
      // variance of a standard normal truncated at 1.5: 1 - 2 * 1.5 phi(1.5) / (2 Phi(1.5) - 1) = 0.5516
      const expected = kind === 'normal' ? 1 : 0.5516;
      // five standard errors of 20001 samples
      expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(20001));
      expect(Math.abs(variance - expected)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(20001));
      if (kind === 'truncatedNormal') expect(Math.max(...actual.map(Math.abs))).toBeLessThanOrEqual(1.5 + 1e-5);
    },
  );
  test('another seed gives other numbers, the same seed the same', async () => {
    const [a, b, c] = [await draw('words', [1, 2]), await draw('words', [1, 3]), await draw('words', [1, 2])];
    expect(Array.from(a.gpu)).toEqual(Array.from(c.gpu));
    expect(a.gpu.filter((word, i) => word === b.gpu[i]).length).toBeLessThan(3);
  });
});
