import { planChunks, prototypeLogits, prototypesOf, targetProbabilities, wholeLogits } from '@franca/nn';
import { compile, type Gpu, type Spec } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sinkhornTargets } from './sinkhorn';
import { sinkhorn } from './sinkhorn-arrays';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
/** Numbers of a fixed, irregular pattern within plus or minus `scale`. */
const pattern = (count: number, scale: number) =>
  Float32Array.from({ length: count }, (_, i) => scale * Math.sin(1 + i * i * 0.37));

/** Targets of logits that are given as they are (temperature 1). */
async function targets(logits: Float32Array, [B, K]: [number, number], valid?: readonly number[]) {
  using step = await compile(
    gpu,
    (_, batch) => targetProbabilities(sinkhornTargets(wholeLogits(batch.logits), valid ? { valid: batch.valid } : {})),
    { batch: { logits: f32(B, K), valid: f32(B) } },
  );
  step.run({ logits, ...(valid ? { valid } : {}) });
  return step.read('result');
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  expect(actual.length).toBe(expected.length);
  Array.from(actual).forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance);
  });
}

test.each([
  [1, 1],
  [1, 40],
  [40, 1],
  [33, 70],
  [200, 24],
] as [number, number][])('%d samples, %d prototypes: the targets of the f64 implementation on arrays', async (B, K) => {
  const logits = pattern(B * K, 8);
  // exponents up to 16 carry f32 rounding of 1e-6 each
  expectClose(await targets(logits, [B, K]), sinkhorn(logits, [B, K], { temperature: 1 }), 5e-6);
});

test('padding takes part in nothing, and what the padding rows hold does not matter', async () => {
  const [B, K, samples] = [6, 9, 4];
  const logits = pattern(B * K, 5);
  const valid = Array.from({ length: B }, (_, s) => Number(s < samples));
  const expected = sinkhorn(logits, [B, K], { temperature: 1, validRows: samples }).subarray(0, samples * K);
  expectClose((await targets(logits, [B, K], valid)).subarray(0, samples * K), expected, 2e-6);
  const other = logits.map((value, i) => (i < samples * K ? value : 300));
  expectClose((await targets(other, [B, K], valid)).subarray(0, samples * K), expected, 2e-6);
});

test('no sample at all gives finite numbers', async () => {
  const values = await targets(pattern(12, 5), [3, 4], [0, 0, 0]);
  expect(values.every(Number.isFinite)).toBe(true);
});

test('logits that a plain exp cannot hold, and a prototype far from every sample', async () => {
  const [B, K] = [8, 6];
  const logits = pattern(B * K, 60).map((value, i) => value + 1000 - (i % K === 2 ? 3000 : 0));
  // logits of up to 4000 have an ulp of 2.4e-4, which is the relative error of a target
  expectClose(await targets(logits, [B, K]), sinkhorn(logits, [B, K], { temperature: 1 }), 1e-3);
});

test('logits kept in chunks, and recomputed in chunks, give the targets of the whole', async () => {
  const [B, K, b] = [10, 200, 6];
  const size = { count: K, width: b, rows: B };
  const plans = [{}, { chunkBytes: 64 * 4 * B }, { chunkBytes: 64 * 4 * B, keepBytes: 0 }].map((o) =>
    planChunks(size, o),
  );
  expect(plans.map(({ chunks }) => chunks.length)).toEqual([1, 4, 4]);
  using step = await compile(
    gpu,
    (_, { z, g, v }) =>
      plans.map((plan) => {
        const prototypes = prototypesOf((name) => (name === 'weight_g' ? g : v));
        return targetProbabilities(sinkhornTargets(prototypeLogits(z, prototypes, { temperature: 0.07, plan })));
      }),
    { batch: { z: f32(B, b), g: f32(K, 1), v: f32(K, b) } },
  );
  step.run({ z: pattern(B * b, 1), g: pattern(K, 1), v: pattern(K * b, 1) });
  const whole = await step.read('0');
  for (const i of ['1', '2'] as const) expectClose(await step.read(i), whole, 2e-6);
});

test('bad options are refused', async () => {
  const build = (options: object) =>
    compile(gpu, (_, { x }) => targetProbabilities(sinkhornTargets(wholeLogits(x), options)), {
      batch: { x: f32(2, 3) },
    });
  await expect(build({ iterations: 0 })).rejects.toThrow('iterations 0 is not a positive integer');
});
