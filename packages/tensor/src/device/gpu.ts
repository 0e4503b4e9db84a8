/**
 * A device with what the engine keeps beside it: the target description, compiled pipelines, an account of every buffer, and the
 * adapter's way of waiting. Core code takes any `GPUDevice`; `@franca/tensor/node` opens one in Node.
 */
import { TensorError } from '../base/errors';
import { BINDING_ALIGNMENT, describeTarget, type Target } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { Kernel } from '../graph/op';

export interface Gpu extends AsyncDisposable {
  readonly device: GPUDevice;
  readonly target: Target;
  /** Bytes of live buffers. */
  readonly allocatedBytes: number;
  /** Buffers, bind groups and pipelines created so far: flat after the first step. */
  readonly created: { buffers: number; bindGroups: number; pipelines: number };
  /** Where measured choices of kernel variants are kept; undefined: none are measured. */
  readonly tuning: TuneCache | undefined;
  /** Upper bound on `allocatedBytes`; an allocation beyond it is refused with code `memory`. */
  readonly memoryLimit: number;
  createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer;
  destroyBuffer(buffer: GPUBuffer): void;
  pipeline(kernel: Kernel): Promise<GPUComputePipeline>;
  /** Awaits a promise of the device in the way that suits the adapter; rejects with code `device-lost` if the device goes. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Copies `bytes` of a buffer to the CPU. */
  readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer>;
  dispose(): Promise<void>;
}

export interface GpuOptions {
  /** Default: no limit. */
  readonly memoryLimit?: number;
  /** How to await a promise of this device (default: plain `await`). */
  readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
  /** Called after the device is destroyed. */
  readonly onDispose?: () => void;
  /** Facts to use instead of the adapter's own, e.g. the other kernel family in a test. */
  readonly target?: Partial<Target>;
  /** Measure kernel variants and keep the choices here (a `Map` will do). Default: variants are chosen by rule. */
  readonly tuning?: TuneCache;
}

/** Choices of kernel variants by tuning key. */
export interface TuneCache {
  get(key: string): string | undefined;
  set(key: string, variant: string): void;
}

/** Wraps a device. The device should have been requested with every limit and feature of its adapter (see `requestDevice`). */
export function wrapDevice(device: GPUDevice, options: GpuOptions = {}): Gpu {
  const described = describeTarget({
    info: device.adapterInfo,
    features: device.features as ReadonlySet<string>,
    limits: device.limits,
  });
  const target: Target = { ...described, ...options.target };
  const live = new Map<GPUBuffer, { label: string; bytes: number }>();
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const layouts = new Map<string, GPUPipelineLayout>();
  const created = { buffers: 0, bindGroups: 0, pipelines: 0 };
  const memoryLimit = options.memoryLimit ?? Number.POSITIVE_INFINITY;
  let allocated = 0;
  let disposed = false;

  // Whoever waits learns at once when the device is lost or refuses a command: without this, results would silently be wrong.
  const waiting = new Set<(error: TensorError) => void>();
  let failure: TensorError | undefined;
  const fail = (error: TensorError): void => {
    failure ??= error;
    for (const reject of waiting) reject(error);
    waiting.clear();
  };
  device.lost.then((info) => {
    if (!disposed)
      fail(
        new TensorError(
          'device-lost',
          `the GPU device was lost (${info.reason}): ${info.message || 'no message from the driver'}`,
        ),
      );
  });
  device.addEventListener('uncapturederror', ({ error }) =>
    fail(new TensorError('refused', `the GPU refused a command: ${error.message}`)),
  );
  const plainWait = options.wait ?? (<T>(promise: Promise<T>) => promise);
  const wait = <T>(promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      waiting.add(reject);
      plainWait(promise)
        .then(resolve, (error: unknown) => reject(failure ?? error))
        .finally(() => waiting.delete(reject));
    });

  function createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = Math.max(roundUp(bytes, BINDING_ALIGNMENT), BINDING_ALIGNMENT);
    if (failure) throw failure;
    if (allocated + size > memoryLimit) {
      throw new TensorError(
        'memory',
        `buffer "${label}" of ${size} bytes does not fit: ${allocated} of ${memoryLimit} bytes are in use; free something or raise memoryLimit`,
      );
    }
    const buffer = device.createBuffer({ label, size, usage });
    live.set(buffer, { label, bytes: size });
    allocated += size;
    created.buffers++;
    return buffer;
  }

  function destroyBuffer(buffer: GPUBuffer): void {
    const entry = live.get(buffer);
    if (!entry) return;
    live.delete(buffer);
    allocated -= entry.bytes;
    buffer.destroy();
  }

  function layoutFor(kernel: Kernel): GPUPipelineLayout {
    const key = `${kernel.uniforms.length > 0 ? 'u' : '-'}${kernel.bindings.map((binding) => binding.access[4] ?? 'r').join('')}`;
    const known = layouts.get(key);
    if (known) return known;
    const entries: GPUBindGroupLayoutEntry[] = kernel.bindings.map((binding, i) => ({
      binding: i + 1,
      visibility: GPU_SHADER_COMPUTE,
      buffer: { type: binding.access === 'read' ? 'read-only-storage' : 'storage' },
    }));
    if (kernel.uniforms.length > 0)
      entries.unshift({ binding: 0, visibility: GPU_SHADER_COMPUTE, buffer: { type: 'uniform' } });
    const layout = device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries })] });
    layouts.set(key, layout);
    return layout;
  }

  async function compilePipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    created.pipelines++;
    // a shader that does not compile is reported below, not as a command that the device refused
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label: kernel.label, code: kernel.wgsl });
    device.popErrorScope().catch(() => {});
    try {
      return await device.createComputePipelineAsync({
        label: kernel.label,
        layout: layoutFor(kernel),
        compute: { module, entryPoint: 'main' },
      });
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const details = messages.map((message) => `${message.lineNum}:${message.linePos} ${message.message}`).join('\n');
      throw new TensorError(
        'shader',
        `kernel "${kernel.label}" does not compile: ${details || String(cause)}\n${numbered(kernel.wgsl)}`,
      );
    }
  }

  async function readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const staging = createBuffer('readback', bytes, GPU_BUFFER_USAGE.COPY_DST | GPU_BUFFER_USAGE.MAP_READ);
    try {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, roundUp(bytes, 4));
      device.queue.submit([encoder.finish()]);
      await wait(staging.mapAsync(GPU_MAP_READ));
      return staging.getMappedRange(0, roundUp(bytes, 8)).slice(0, bytes);
    } finally {
      destroyBuffer(staging);
    }
  }

  async function dispose(): Promise<void> {
    if (disposed) return;
    disposed = true;
    const leaks = [...live.values()];
    for (const buffer of [...live.keys()]) destroyBuffer(buffer);
    device.destroy();
    options.onDispose?.();
    if (leaks.length > 0 && failure?.code !== 'device-lost') {
      throw new TensorError(
        'leak',
        `the device was disposed while ${leaks.length} buffers were alive: ${leaks
          .slice(0, 8)
          .map((leak) => `"${leak.label}" (${leak.bytes} bytes)`)
          .join(', ')}; dispose their owners (plans, state) first`,
      );
    }
  }

  return {
    device,
    target,
    created,
    tuning: options.tuning,
    memoryLimit,
    get allocatedBytes() {
      return allocated;
    },
    createBuffer,
    destroyBuffer,
    pipeline(kernel) {
      const known = pipelines.get(kernel.wgsl);
      if (known) return known;
      const compiled = compilePipeline(kernel);
      pipelines.set(kernel.wgsl, compiled);
      return compiled;
    },
    wait,
    readBytes,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Requests a device with every limit and every compute feature the adapter offers. */
export function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];
  const features = wanted.filter((feature) => (adapter.features as ReadonlySet<string>).has(feature));
  const limits: Record<string, number> = {};
  const offered = adapter.limits as unknown as Record<string, number>;
  for (const key of COMPUTE_LIMITS) if (typeof offered[key] === 'number') limits[key] = offered[key];
  return adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[], requiredLimits: limits });
}

const COMPUTE_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
];

// Flag values of the WebGPU specification: Node has no `GPUBufferUsage` global.
export const GPU_BUFFER_USAGE = {
  MAP_READ: 1,
  MAP_WRITE: 2,
  COPY_SRC: 4,
  COPY_DST: 8,
  UNIFORM: 64,
  STORAGE: 128,
  QUERY_RESOLVE: 512,
} as const;
const GPU_MAP_READ = 1;
const GPU_SHADER_COMPUTE = 4;

const numbered = (text: string): string =>
  text
    .split('\n')
    .map((line, i) => `${String(i + 1).padStart(4)} ${line}`)
    .join('\n');
