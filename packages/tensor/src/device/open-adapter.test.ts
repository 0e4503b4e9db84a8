import { expect, test } from 'vitest';
import { create } from 'webgpu';
import { openAdapter } from './open-adapter';

test('subgroup matrices are those that the adapter lists, which the device of Node leaves out', async () => {
  const gpuObject = create(['enable-dawn-features=allow_unsafe_apis', 'backend=null']);
  const adapter = (await gpuObject.requestAdapter())!;
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const listed = { M: 8, N: 8, K: 8, componentType: 'f16', resultComponentType: 'f32' };
  const info = { vendor, architecture, device, description, isFallbackAdapter, subgroupMatrixConfigs: [listed] };
  const listing = {
    info,
    features: adapter.features,
    limits: adapter.limits,
    requestDevice: (descriptor: GPUDeviceDescriptor) => adapter.requestDevice(descriptor),
  } as unknown as GPUAdapter;
  await using gpu = await openAdapter(listing, {}, { tuning: () => false, onDispose: () => void gpuObject });
  expect(gpu.target.subgroupMatrices).toEqual([{ M: 8, N: 8, K: 8 }]);
  expect(gpu.adapterInfo).toBe(info);
});
