import { defaultTarget, type Target } from '@franca/tensor';
import type { Host } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { driverHints } from './hints';

const plain: Host = { platform: 'linux', nvidiaDevice: false, renderDevice: false };
const software: Target = { ...defaultTarget, name: 'llvmpipe: Mesa 25', family: 'cpu' };
const good: Target = { ...defaultTarget, name: 'Some GPU', f16: true, maxBindingBytes: 2 ** 32 - 4 };

test('a card that Vulkan does not see is pointed out', () => {
  expect(driverHints(software, { ...plain, nvidiaDevice: true, renderDevice: true })).toEqual([
    expect.stringContaining('NVIDIA'),
  ]);
  expect(driverHints(software, { ...plain, renderDevice: true })).toEqual([expect.stringContaining('renderD128')]);
  expect(driverHints(software, plain)).toEqual([]);
});

test('the slow software adapter, missing f16 and small bindings are pointed out', () => {
  expect(driverHints({ ...software, name: 'SwiftShader Device' }, plain)).toEqual([
    expect.stringContaining('lavapipe'),
  ]);
  expect(driverHints({ ...good, f16: false }, plain)).toEqual([expect.stringContaining('f16')]);
  expect(driverHints({ ...good, maxBindingBytes: 128 * 2 ** 20 }, plain)).toEqual([expect.stringContaining('128 MiB')]);
  expect(driverHints(good, plain)).toEqual([]);
});
