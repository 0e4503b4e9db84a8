/** A batch on several ranks: what a configuration is written for, and how ranks share it. */
import { expect, test } from 'vitest';
import { derive, deriveWhole } from './derive';
import { loadConfig } from './load';

const config = (...overrides: string[]) =>
  loadConfig(['cpu-tiny'], ['train.batch_size_per_gpu=8', 'franca.total_batch=null', ...overrides]).config;
const on = (size: number, rank = 0) => ({ size, rank, f16: false });

test('by default there are as many devices as ranks', () => {
  const { batch, gpus, ranks } = derive(config(), on(4, 3));
  expect([batch, gpus, ranks]).toEqual([
    { perDevice: 8, group: 8, accumulation: 1, total: 32 },
    4,
    { rank: 3, size: 4 },
  ]);
});

test.each([
  [1, 16],
  [2, 8],
  [4, 4],
  [16, 1],
])('two devices of 8 images on %i ranks: %i each, everything else the same', (size, perDevice) => {
  const { batch, schedule, heads, masks: _, kept: __, ...rest } = derive(config('franca.gpus=2'), on(size));
  const whole = derive(config('franca.gpus=2'), on(1));
  expect(batch).toEqual({ perDevice, group: 8, accumulation: 1, total: 16 });
  expect([schedule, heads, rest.gpus, rest.loop]).toEqual([whole.schedule, whole.heads, 2, whole.loop]);
});

test('accumulation counts the images of all devices', () => {
  expect(derive(config('franca.gpus=2', 'franca.total_batch=64'), on(4)).batch).toMatchObject({
    perDevice: 4,
    accumulation: 4,
    total: 64,
  });
});

test('ranks that cannot share the images are refused with those that can', () => {
  expect(() => derive(config('franca.gpus=2'), on(3))).toThrow(
    'the 16 images of a micro-step (train.batch_size_per_gpu 8 for 2 devices) do not divide among 3 ranks; start 1, 2, 4, 8 or 16',
  );
});

test('a configuration that is left open is written for as many devices as there are, whoever looks at it', () => {
  const whole = deriveWhole(config(), on(4, 2));
  expect(whole).toMatchObject({ gpus: 4, batch: { perDevice: 32, total: 32 }, ranks: { rank: 0, size: 1 } });
  expect(whole.schedule).toEqual(derive(config(), on(4, 2)).schedule);
});
