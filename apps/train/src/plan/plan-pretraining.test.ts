import { defaultTarget } from '@franca/tensor';
import { expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { listPresets } from '../config/presets';
import { statedBytes } from '../doctor/preset-fit';
import { describePlan } from './describe-plan';
import { planPretraining } from './plan-pretraining';
import { targetNamed } from './targets';

const GiB = 2 ** 30;

// full heads, 2 x 224 + 8 x 98 px crops, 32 images per device, f16
test.each([
  ['official-in21k-vitb14', 24],
  ['official-in21k-vitl14', 48],
  ['official-in21k-vitg14', 139],
])('%s fits a device of %i GiB, and takes what its header states', async (preset, limit) => {
  const options = derive(loadConfig([preset]).config, { size: 1, rank: 0, f16: true });
  expect([options.precision, options.batch.perDevice, options.heads.dino.levels.at(-1)!.prototypes]).toEqual([
    'f16',
    32,
    131072,
  ]);
  const { report } = planPretraining(options, await targetNamed('h200-like'));
  expect(report.totalBytes).toBeLessThan(limit * GiB);
  const stated = statedBytes(listPresets().find(({ name }) => name === preset)!)!;
  expect(Math.abs(report.totalBytes / stated - 1)).toBeLessThan(0.1);
});

test('a plan is described by parts that add up, for an adapter that is not there', () => {
  const options = derive(loadConfig(['cpu-tiny']).config);
  const plan = planPretraining(options, defaultTarget);
  const { report } = plan;
  expect(Object.values(report.bytes).reduce((sum, bytes) => sum + bytes)).toBe(report.totalBytes);
  expect(report.peak.alive.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(report.peak.bytes);
  const rates = { flops: { f32: 1e12 }, bytes: 1e11, date: '2026-01-01' };
  const text = describePlan(plan, { options, rates, planning: 1, ops: 3 }).join('\n');
  expect(text).toMatch(/^model +4 blocks of 96, f32, 5 levels/m);
  expect(text).toMatch(
    /^expected time +[\d.e-]+ s for 32 images, .* \(rates of 2026-01-01; no kernel runs at full rate\)$/m,
  );
  expect(text).toMatch(/^ {2}student +[\d.]+ MiB$/m);
  expect(describePlan(plan, { options, rates: undefined, planning: 1, ops: 3 }).join('\n')).toContain(
    'not known: the adapter was never measured',
  );
});

test('what does not fit the adapter is refused with the tensor and what to do', () => {
  const options = derive(loadConfig(['official-in21k-vitg14'], ['franca.vit.depth=1']).config);
  expect(() => planPretraining(options, defaultTarget)).toThrow(/binds f32 \[.*adapter binds at most 134217728/);
});

test('an unknown target is refused with the names there are', async () => {
  await expect(targetNamed('a100')).rejects.toThrow('target "a100" is not one of default, h200-like, this');
});
