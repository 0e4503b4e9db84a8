/**
 * Opens a GPU in Node through Dawn's bindings (npm `webgpu`). The object that their `create()` returns must stay referenced while its
 * devices live, or Node crashes, and must be dropped afterwards, or Node never exits.
 */
import { homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { version } from '../package.json';
import { TensorError } from './base/errors';
import { isSoftwareAdapter } from './base/target';
import { adapterName } from './device/adapter-name';
import type { Gpu } from './device/gpu';
import { type AdapterOptions, openAdapter } from './device/open-adapter';
import { processorName } from './device/processor';
import { shippedTables } from './device/shipped-tables';
import { tuneFile } from './device/tune-file';
import { tuneSetting } from './device/tune-setting';
import type { TuneCache } from './device/tuning';
import { waitQuietly } from './device/wait-quietly';

export { isSoftwareAdapter } from './base/target';
export { waitQuietly } from './device/wait-quietly';

export interface OpenGpuOptions extends AdapterOptions {
  /** `auto` (default): a GPU if there is one, else the software adapter. `software`: the software adapter. `null`: Dawn's null backend, which validates but computes nothing. Anything else: part of an adapter's name. */
  readonly adapter?: string;
  /** Refuse allocations beyond this many bytes (default: 80 % of the machine's memory on software adapters, else no limit). */
  readonly memoryLimit?: number;
  /** Leave Dawn's bounds checks on (default true); kernels are about 10-20 % faster without. */
  readonly robustness?: boolean;
  /**
   * Where measured kernel choices are kept, or false to measure none. Default: the file that FRANCA_TUNE names (`off`: none), else
   * `franca/tuning.json` in the user's cache; on a software adapter that is told to run the kernels of GPUs, nothing is measured.
   */
  readonly tuning?: TuneCache | false;
}

/** Everything that must not be garbage-collected while a device lives. */
const KEPT_ALIVE = new Set<GPU>();

/** Opens a device with every limit and feature its adapter offers. Throws `TensorError` with code `adapter` if there is none, or no npm `webgpu`. */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const name = options.adapter ?? process.env.FRANCA_ADAPTER ?? 'auto';
  // Dawn's Vulkan loader complains on stderr when this is unset, as it is for services and root shells.
  process.env.XDG_RUNTIME_DIR ??= '/tmp';
  const features = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];
  if (options.robustness === false) features.push('disable_robustness');
  const { gpu, adapter } = await findAdapter(name, `enable-dawn-features=${features.join(',')}`);
  try {
    const software = isSoftwareAdapter(adapter.info);
    return await openAdapter(adapter, options, {
      tuning: () => (name === 'null' ? false : defaultTuning(adapter.info)),
      // one level above both the sources and what is built of them
      tables: () => shippedTables(new URL('../tuning/', import.meta.url)),
      onDispose: () => KEPT_ALIVE.delete(gpu),
      ...(software ? { memoryLimit: Math.floor(totalmem() * 0.8), wait: waitQuietly, seconds: processorSeconds } : {}),
    });
  } catch (error) {
    KEPT_ALIVE.delete(gpu);
    throw error;
  }
}

/** Processor time of this process, all threads together. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The bindings, which are loaded when a device is first asked for: whoever opens none need not have them. */
async function loadDawn(): Promise<typeof import('webgpu')> {
  return import('webgpu').catch((error: Error) => {
    throw new TensorError(
      'adapter',
      `Node opens a GPU through the npm package webgpu, which cannot be loaded (${error.message.split('\n')[0]}); install it beside @franca/tensor: npm install webgpu`,
    );
  });
}

const SOFTWARE_ADAPTERS = ['llvmpipe', 'SwiftShader'];

/** The first adapter that answers to `name`, with the object that must stay referenced while it is in use. */
async function findAdapter(name: string, features: string): Promise<{ gpu: GPU; adapter: GPUAdapter }> {
  const { create } = await loadDawn();
  let reason = '';
  for (const choice of name === 'software' ? SOFTWARE_ADAPTERS : [name]) {
    const flags = choice === 'auto' ? [] : [choice === 'null' ? 'backend=null' : `adapter=${choice}`];
    const gpu = create([features, ...flags]);
    KEPT_ALIVE.add(gpu);
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch((error: Error) => {
      reason = error.message;
    });
    if (adapter) return { gpu, adapter };
    KEPT_ALIVE.delete(gpu);
  }
  throw noAdapter(name, reason);
}

function defaultTuning(info: GPUAdapterInfo): TuneCache | false {
  const folder = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const file = tuneSetting(process.env.FRANCA_TUNE, join(folder, 'franca', 'tuning.json'));
  if (file === undefined) return false;
  const processor = isSoftwareAdapter(info) ? processorName() : '';
  return tuneFile(file, adapterName(info, processor, `@franca/tensor ${version}`));
}

function noAdapter(name: string, reason = ''): TensorError {
  return new TensorError(
    'adapter',
    `no WebGPU adapter answers to "${name}"${reason && ` (${reason.replace(/\s*\n\s*/g, ' ')})`}; with a GPU, install its Vulkan driver (on Linux, libvulkan1 and the vendor's driver); without one, ` +
      'install Mesa 24 or newer (Debian and Ubuntu: mesa-vulkan-drivers, on Debian 12 from bookworm-backports) for the software adapter',
  );
}
