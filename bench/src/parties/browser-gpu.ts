/**
 * What peers written for browsers expect of one: `navigator.gpu` and WebGPU's constants. Their devices wait as ours do on a software
 * adapter: by naps, since spinning takes processor time from the adapter itself.
 */
import { availableParallelism } from 'node:os';
import { isSoftwareAdapter, waitQuietly } from '@franca/tensor/node';
import { create, globals } from 'webgpu';

export function provideBrowserGpu(): void {
  if ('gpu' in (globalThis.navigator ?? {})) return;
  Object.assign(globalThis, globals);
  const gpu = create(['enable-dawn-features=allow_unsafe_apis,disable_robustness']);
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    if (adapter && isSoftwareAdapter(adapter.info)) {
      const requestDevice = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = async (descriptor) => waitingQuietly(await requestDevice(descriptor));
    }
    return adapter;
  };
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'node', hardwareConcurrency: availableParallelism() },
    configurable: true,
  });
}

function waitingQuietly(device: GPUDevice): GPUDevice {
  const { queue } = device;
  const workDone = queue.onSubmittedWorkDone.bind(queue);
  queue.onSubmittedWorkDone = () => waitQuietly(workDone());
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const mapAsync = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...args) => waitQuietly(mapAsync(...args));
    return buffer;
  };
  return device;
}
