import { fitPretraining } from '@franca/pretraining';
import { defaultTarget } from '@franca/tensor';
import { expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { listPresets } from '../config/presets';
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
  const [least, most] = [fitPretraining(options, H200, smallest), fitPretraining(options, H200)];
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
  const rates = { flops: { f32: 1e12 }, bytes: 1e11, date: '2026-01-01' };
  const text = describePlan(fitted, { rates, planning: 1, ops: 3 }).join('\n');
  expect(text).toMatch(/^model +4 blocks of 96, f32, 5 levels/m);
  expect(text).toMatch(
    /^expected time +[\d.e-]+ s for 32 images, .* \(rates of 2026-01-01; no kernel runs at full rate\)$/m,
  );
  expect(text).toMatch(/^ {2}student +[\d.]+ MiB$/m);
  expect(text).toMatch(
    /^memory +[\d.]+ MiB\n +remat off, all logits kept: the step takes [\d.]+ GiB of 8 GiB assumed/m,
  );
  expect(describePlan(fitted, { rates: undefined, planning: 1, ops: 3 }).join('\n')).toContain(
    'not known: the adapter was never measured',
  );
});

const alone = { size: 1, rank: 0, f16: false };

test('what does not fit the adapter is refused with the tensor and the largest batch that does', () => {
  const { config } = loadConfig(['cpu-tiny'], ['train.batch_size_per_gpu=32']);
  const target = { ...defaultTarget, maxBindingBytes: 2 ** 21 };
  const [, images] = refusal(() => planOrExplain(config, { target, machine: alone })).match(
    /binds f32 \[.*adapter binds at most 2097152.*\nIt fits with train.batch_size_per_gpu=(\d+) franca.total_batch=32:/,
  )!;
  const planOf = (batch: number) =>
    planOrExplain(loadConfig(['cpu-tiny'], [`train.batch_size_per_gpu=${batch}`, 'franca.total_batch=32']).config, {
      target,
      machine: alone,
    }).plan;
  expect(planOf(Number(images)).report.kernels).toBeGreaterThan(0);
  expect(() => planOf(2 * Number(images))).toThrow('binds at most');
});

test('where no batch fits, that is said', () => {
  const { config } = loadConfig(['cpu-tiny']);
  const target = { ...defaultTarget, maxBindingBytes: 2 ** 14 };
  expect(refusal(() => planOrExplain(config, { target, machine: alone }))).toContain('Not even 2 images at a time fit');
});

test('an unknown target is refused with the names there are', async () => {
  await expect(targetNamed('a100')).rejects.toThrow('target "a100" is not one of default, h200-like, this');
});
