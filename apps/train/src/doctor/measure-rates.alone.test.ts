import { openGpu } from '@franca/tensor/node';
import { expect, test, vi } from 'vitest';
import { measureRates } from './measure-rates';

test('every rate of the adapter is measured, and none is absurd', async () => {
  // computes for longer than it compiles: Mesa's driver is to optimise, whatever tests of kernels tell it
  vi.stubEnv('GALLIVM_PERF', undefined);
  await using gpu = await openGpu({ adapter: 'software' });
  const { flops, attention, bytes, launch, serial, date } = await measureRates(gpu);
  // a machine between a wristwatch and a data centre
  for (const rate of [flops.f32, attention?.forward, attention?.backward, bytes]) {
    expect(rate).toBeGreaterThan(1e7);
    expect(rate).toBeLessThan(1e15);
  }
  expect(flops.f16 !== undefined).toBe(gpu.target.f16);
  for (const seconds of [launch, serial]) {
    expect(seconds).toBeGreaterThan(1e-11);
    expect(seconds).toBeLessThan(0.1);
  }
  expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
});
