import { fitPretraining } from '@franca/pretraining';
import { costByKind, defaultTarget, type RateName, type Target } from '@franca/tensor';
import { expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { listPresets } from '../config/presets';
import { withRates } from '../doctor/rates';
import { describePlan } from './describe-plan';
import { planOrExplain } from './fitting-batch';
import { targetNamed } from './named-adapters';

const GiB = 2 ** 30;
const H200 = await targetNamed('h200-like');

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('was not refused');
};

// full heads, 2 x 224 + 8 x 98 px crops, 32 images per device, f16
test.each([
  ['official-in21k-vitb14', 12],
  ['official-in21k-vitl14', 20],
  ['official-in21k-vitg14', 48],
])('%s fits a device of %i GiB, and takes what its header states there and where memory is plenty', (preset, small) => {
  const options = derive(loadConfig([preset]).config, { size: 1, rank: 0, f16: true });
  expect([options.precision, options.batch.perDevice, options.heads.dino.levels.at(-1)!.prototypes]).toEqual([
    'f16',
    32,
    131072,
  ]);
  const smallest = { remat: true, keepBytes: 0 };
  const card = { ...H200, memoryBytes: GiB };
  const [least, most] = [fitPretraining(options, card, smallest), fitPretraining(options, H200)];
  expect(most.choice).toEqual({ remat: false, keepBytes: 2 ** 50 });
  const { facts } = listPresets().find(({ name }) => name === preset)!;
  const stated = [...facts.memory!.matchAll(/([\d.]+) GiB/g)].map(([, amount]) => Number(amount));
  [least, most].forEach((fitted, i) => {
    expect(Math.abs(fitted.plan.report.totalBytes / (stated[i]! * GiB) - 1)).toBeLessThan(0.02);
  });
  expect(least.plan.report.totalBytes).toBeLessThan(0.8 * small * GiB);
});

test('a plan is described by parts that add up, for an adapter that is not there', () => {
  const options = derive(loadConfig(['cpu-tiny']).config);
  const fitted = fitPretraining(options, defaultTarget);
  const { report } = fitted.plan;
  expect(Object.values(report.bytes).reduce((sum, bytes) => sum + bytes)).toBe(report.totalBytes);
  expect(report.peak.alive.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(report.peak.bytes);
  const text = describePlan(fitted, { planning: 1, ops: 3 }).join('\n');
  expect(text).toMatch(/^model +4 blocks of 96, f32, 5 levels/m);
  expect(text).toMatch(
    /^expected time +[\d.e-]+ s for 32 images, .* \(rates are expected, none was measured: franca-train doctor --measure\)$/m,
  );
  expect(text).toMatch(/^ {2}student +[\d.]+ MiB$/m);
  expect(text).toMatch(
    /^memory +[\d.]+ MiB\n +remat off, all logits kept: the step takes [\d.]+ GiB of 8 GiB assumed/m,
  );
  const rates = { flops: { f32: 1e12 }, bytes: 1e11, date: '2026-01-01' };
  const measured = fitPretraining(options, withRates(defaultTarget, rates, 'f32'));
  const lines = describePlan(measured, { planning: 1, ops: 3 }).join('\n');
  expect(lines).toContain('(rates measured here on 2026-01-01, but for 8 that are expected)');
  expect(lines).toMatch(/^memory +100 GB\/s +measured here on 2026-01-01$/m);
  expect(lines).toMatch(/^attention +1.00 TFLOP\/s +expected: a guess/m);
});

test('the expected time of the official ViT-B comes by kind of kernel, with what each rate rests on', async () => {
  const options = derive(loadConfig(['official-in21k-vitb14']).config, { size: 1, rank: 0, f16: true });
  const kept = { remat: false, keepBytes: 2 ** 30 };
  const fitted = fitPretraining(options, await targetNamed('h100-like'), kept);
  const { plan } = fitted;
  const seconds = Object.fromEntries(costByKind(plan).map((cost) => [cost.kind, cost.seconds]));
  // each kind within a tenth of its work at its rate: 18.8 TFLOP of products, 0.32 and 0.56 of attention
  const expected = {
    'matrix product': 66,
    'matrix attention': 4.7,
    'matrix attention gradient': 8.1,
    reduction: 2.5,
    'parameter gradient': 1.0,
  } as const;
  for (const [kind, milliseconds] of Object.entries(expected))
    expect(Math.abs((seconds[kind]! * 1e3) / milliseconds - 1), kind).toBeLessThan(0.1);
  expect(plan.report.estimatedSeconds).toBeLessThan(0.12);
  const lines = describePlan(fitted, { planning: 1, ops: 3 });
  const text = lines.join('\n');
  expect(text).toMatch(/^products on matrix units +290 TFLOP\/s +expected: assumed for these kernels on an H100 SXM/m);
  expect(lines.find((line) => line.startsWith('waits for'))).toBeUndefined();
});

test('another card is expected to reach the same share of its data sheet', async () => {
  const [h100, h200, rtx] = await Promise.all(['h100-like', 'h200-like', 'rtx4090-like'].map(targetNamed));
  const share = (target: Target | undefined, name: RateName, sheet: number): number =>
    target!.rates[name].value / sheet;
  expect(share(h200, 'bytes', 4.8e12)).toBeCloseTo(share(h100, 'bytes', 3.35e12), 9);
  expect(share(rtx, 'matrixFlops', 165.2e12)).toBeCloseTo(share(h100, 'matrixFlops', 989e12), 9);
  for (const name of ['h100-like', 'h200-like', 'rtx4090-like', 'rx7900xtx-like'])
    for (const { measured, source } of Object.values((await targetNamed(name)).rates))
      expect([measured, source]).toEqual([undefined, expect.stringMatching(/data sheet|assumed/)]);
});

const alone = { size: 1, rank: 0, f16: false };

test.each([1, 2])(
  'what does not fit the adapter is refused with the tensor and the largest batch that does, written for %i devices',
  (gpus) => {
    const target = { ...defaultTarget, maxBindingBytes: 2 ** 21 };
    const planOf = (batch: number) => {
      const overrides = [`train.batch_size_per_gpu=${batch}`, `franca.gpus=${gpus}`, 'franca.total_batch=32'];
      return planOrExplain(loadConfig(['cpu-tiny'], overrides).config, { target, machine: alone }).plan;
    };
    const [, images, atATime] = refusal(() => planOf(32 / gpus)).match(
      /binds f32 \[.*adapter binds at most 2097152.*\nIt fits with train.batch_size_per_gpu=(\d+) franca.total_batch=32: (\d+) images at a time/,
    )!;
    expect(Number(atATime)).toBe(gpus * Number(images));
    expect(planOf(Number(images)).report.kernels).toBeGreaterThan(0);
    expect(() => planOf(2 * Number(images))).toThrow('binds at most');
  },
);

test('where no batch fits, that is said', () => {
  const { config } = loadConfig(['cpu-tiny']);
  const target = { ...defaultTarget, maxBindingBytes: 2 ** 14 };
  expect(refusal(() => planOrExplain(config, { target, machine: alone }))).toContain(
    'Not even train.batch_size_per_gpu=2 fits',
  );
});

test('an unknown target is refused with the names there are', async () => {
  await expect(targetNamed('a100')).rejects.toThrow(
    'target "a100" is not one of default, this, h100-like, h200-like, rtx4090-like, rx7900xtx-like',
  );
});
