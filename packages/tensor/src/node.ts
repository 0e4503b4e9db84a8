/**
 * Opens a GPU in Node through Dawn's bindings (npm `webgpu`). Two traps live here and nowhere else: the object that `create()` returns
 * must stay referenced while its devices live, or Node crashes, and must be dropped afterwards, or Node never exits; and awaiting a
 * promise of the bindings spins the JavaScript thread, which on a software adapter competes with the rasteriser.
 */
import { totalmem } from 'node:os';
import { create } from 'webgpu';
import { TensorError } from './errors';
import { type Gpu, requestDevice, wrapDevice } from './gpu';
import type { Target } from './target';

export interface OpenGpuOptions {
  /** `auto` (default): a GPU if there is one, else the software adapter. `software`: the software adapter. `null`: Dawn's null backend, which validates but computes nothing. Anything else: part of an adapter's name. */
  readonly adapter?: string;
  /** Refuse allocations beyond this many bytes (default: 80 % of the machine's memory on software adapters, else no limit). */
  readonly memoryLimit?: number;
  /** Leave Dawn's bounds checks on (default true); kernels are about 10-20 % faster without. */
  readonly robustness?: boolean;
  /** Facts to override in the target description, e.g. `{ family: 'gpu' }` to test the other kernel family. */
  readonly target?: Partial<Target>;
}

// Everything that must not be garbage-collected while a device lives.
const keepAlive = new Set<GPU>();

/** Opens a device with every limit and feature its adapter offers. Throws `TensorError` with code `adapter` if there is none. */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const name = options.adapter ?? process.env.FRANCA_ADAPTER ?? 'auto';
  // Dawn's Vulkan loader complains on stderr when this is unset, as it is for services and root shells.
  process.env.XDG_RUNTIME_DIR ??= '/tmp';
  const features = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];
  if (options.robustness === false) features.push('disable_robustness');
  const flags = [`enable-dawn-features=${features.join(',')}`];
  if (name === 'null') flags.push('backend=null');
  else if (name !== 'auto' && name !== 'software') flags.push(`adapter=${name}`);
  const gpu = create(flags);
  keepAlive.add(gpu);
  try {
    const adapter = await gpu
      .requestAdapter({ powerPreference: 'high-performance', forceFallbackAdapter: name === 'software' })
      .catch((error: Error) => {
        throw noAdapter(name, error.message);
      });
    if (!adapter) throw noAdapter(name);
    const software = describesSoftware(adapter.info);
    const device = await requestDevice(adapter);
    return wrapDevice(device, {
      memoryLimit: options.memoryLimit ?? (software ? Math.floor(totalmem() * 0.8) : Number.POSITIVE_INFINITY),
      onDispose: () => keepAlive.delete(gpu),
      ...(software ? { wait: waitQuietly } : {}),
      ...(options.target ? { target: options.target } : {}),
    });
  } catch (error) {
    keepAlive.delete(gpu);
    throw error;
  }
}

const describesSoftware = (info: GPUAdapterInfo): boolean =>
  /software|llvmpipe|lavapipe|swiftshader/i.test(`${info.architecture} ${info.device} ${info.description}`);

function noAdapter(name: string, reason = ''): TensorError {
  return new TensorError(
    'adapter',
    `no WebGPU adapter answers to "${name}"${reason && ` (${reason.replace(/\s*\n\s*/g, ' ')})`}. With a GPU: install its Vulkan driver (on Linux, libvulkan1 and the vendor's driver). Without one: ` +
      'install Mesa 24 or newer (Debian and Ubuntu: mesa-vulkan-drivers, on Debian 12 from bookworm-backports) for the software adapter.',
  );
}

/** Polls as usual for about a millisecond, then naps between polls so that the adapter's own threads get the processor. */
function waitQuietly<T>(promise: Promise<T>): Promise<T> {
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
