/**
 * What peers written for browsers expect of one: `navigator.gpu` and WebGPU's constants. Their devices wait as ours do on a software
 * adapter: by naps, since spinning takes processor time from the adapter itself.
 */
import { availableParallelism } from 'node:os';
import { create, globals } from 'webgpu';

export function provideBrowserGpu(): void {
  if ('gpu' in (globalThis.navigator ?? {})) return;
  Object.assign(globalThis, globals);
  const gpu = create(['enable-dawn-features=allow_unsafe_apis,disable_robustness']);
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    if (adapter && isSoftware(adapter.info)) {
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

const isSoftware = ({ architecture, device, description }: GPUAdapterInfo): boolean =>
  /software|llvmpipe|lavapipe|swiftshader/i.test(`${architecture} ${device} ${description}`);

function waitingQuietly(device: GPUDevice): GPUDevice {
  const { queue } = device;
  const workDone = queue.onSubmittedWorkDone.bind(queue);
  queue.onSubmittedWorkDone = () => quietly(workDone());
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const mapAsync = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...args) => quietly(mapAsync(...args));
    return buffer;
  };
  return device;
}

/** Polls for a millisecond, then naps between polls. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  const word = new Int32Array(new SharedArrayBuffer(4));
  const began = performance.now();
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  const nap = () => {
    if (settled) return;
    if (performance.now() - began > 1) Atomics.wait(word, 0, 0, 0.5);
    setImmediate(nap);
  };
  setImmediate(nap);
  return promise;
}
