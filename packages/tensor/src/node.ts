/**
 * Opens a GPU in Node through Dawn's bindings (npm `webgpu`). The object that their `create()` returns must stay referenced while its
 * devices live, or Node crashes, and must be dropped afterwards, or Node never exits.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { version } from '../package.json';
import { TensorError } from './base/errors';
import { isSoftwareAdapter } from './base/target';
import { listedAdapters, listedGpus, NO_ADAPTER } from './device/adapter-list';
import { adapterName } from './device/adapter-name';
import { deviceMemory, sharesMemory } from './device/device-memory';
import type { Gpu } from './device/gpu';
import { type AdapterOptions, openAdapter } from './device/open-adapter';
import { processorName } from './device/processor';
import { shippedTables } from './device/shipped-tables';
import { tuneFile } from './device/tune-file';
import { tuneSetting } from './device/tune-setting';
import type { TuneCache } from './device/tuning';
import { thisHost, unseenCard } from './device/unseen-card';
import { waitQuietly } from './device/wait-quietly';

export { isSoftwareAdapter } from './base/target';
export { type Host, thisHost, unseenCard } from './device/unseen-card';
export { waitQuietly } from './device/wait-quietly';

export interface OpenGpuOptions extends AdapterOptions {
  /**
   * `auto` (default): a GPU if one answers, else the software adapter. `gpu`: a GPU, or none. `software`: the software adapter. `null`: Dawn's null
   * backend, which validates but computes nothing. Anything else: part of an adapter's name.
   */
  readonly adapter?: string;
  /**
   * Refuse allocations beyond this many bytes. Default: 90 % of a card's memory, 80 % of the machine's where the adapter computes in that, no limit
   * where nothing tells how much there is.
   */
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
  const { gpu, adapter } = await findAdapter(name, dawnFlags(options));
  const { info } = adapter;
  try {
    const memoryBytes = name === 'null' ? undefined : await deviceMemory(info);
    return await openAdapter(
      adapter,
      { ...options, target: { ...(memoryBytes === undefined ? {} : { memoryBytes }), ...options.target } },
      {
        tuning: () => (name === 'null' ? false : defaultTuning(info)),
        tables: () => shippedTables(TABLES),
        onDispose: () => KEPT_ALIVE.delete(gpu),
        ...(memoryBytes === undefined
          ? {}
          : { memoryLimit: Math.floor(memoryBytes * (sharesMemory(info) ? 0.8 : 0.9)) }),
        ...(isSoftwareAdapter(info) ? { wait: waitQuietly, seconds: processorSeconds } : {}),
      },
    );
  } catch (error) {
    KEPT_ALIVE.delete(gpu);
    throw error;
  }
}

/** What is switched on and off in Dawn. Its timestamps are rounded to 0.07-0.1 ms unless told otherwise, more than most kernels take. */
function dawnFlags({ robustness = true }: OpenGpuOptions): string[] {
  const features = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];
  if (!robustness) features.push('disable_robustness');
  return [`enable-dawn-features=${features.join(',')}`, 'disable-dawn-features=timestamp_quantization'];
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

/** An adapter with the object that must stay referenced while it is in use. */
interface Found {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
}

const namesFor = (name: string): string[] => (name === 'software' ? ['llvmpipe', 'SwiftShader'] : [name]);

/** The first adapter that answers to `name`. */
async function findAdapter(name: string, flags: readonly string[]): Promise<Found> {
  if (name === 'auto' || name === 'gpu') return findGpu(name, flags);
  let reason = '';
  for (const choice of name === 'null' ? ['backend=null'] : namesFor(name).map((own) => `adapter=${own}`)) {
    const found = await ask([...flags, choice]);
    if (typeof found !== 'string') return found;
    reason = found;
  }
  throw noAdapter(name, reason);
}

/** A GPU, whatever order the system lists its adapters in; only for `auto` the software adapter where there is none. */
async function findGpu(name: 'auto' | 'gpu', flags: readonly string[]): Promise<Found> {
  const first = await ask(flags);
  if (typeof first !== 'string' && !isSoftwareAdapter(first.adapter.info)) return first;
  const list = await ask([...flags, `adapter=${NO_ADAPTER}`]);
  for (const other of listedGpus(typeof list === 'string' ? listedAdapters(list) : [])) {
    const found = await ask([...flags, `backend=${other.backend}`, `adapter=${other.name}`]);
    if (typeof found === 'string') continue;
    if (!isSoftwareAdapter(found.adapter.info)) {
      if (typeof first !== 'string') KEPT_ALIVE.delete(first.gpu);
      return found;
    }
    KEPT_ALIVE.delete(found.gpu);
  }
  if (typeof first === 'string') throw noAdapter(name, first);
  if (name === 'auto') return first;
  KEPT_ALIVE.delete(first.gpu);
  throw noGpu(first.adapter.info);
}

/** What answers under these flags, or what the bindings say instead. */
async function ask(flags: readonly string[]): Promise<Found | string> {
  const { create } = await loadDawn();
  const gpu = create([...flags]);
  KEPT_ALIVE.add(gpu);
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter) return { gpu, adapter };
    KEPT_ALIVE.delete(gpu);
    return '';
  } catch (error) {
    KEPT_ALIVE.delete(gpu);
    return (error as Error).message;
  }
}

/** Choices that come with the package, one level above both the sources and what is built of them. */
const TABLES = new URL('../tuning/', import.meta.url);

function defaultTuning(info: GPUAdapterInfo): TuneCache | false {
  const folder = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const file = tuneSetting(process.env.FRANCA_TUNE, join(folder, 'franca', 'tuning.json'));
  if (file === undefined) return false;
  const processor = isSoftwareAdapter(info) ? processorName() : '';
  return tuneFile(file, adapterName(info, processor, `@franca/tensor ${version}`));
}

const noGpu = ({ description }: GPUAdapterInfo): TensorError =>
  new TensorError(
    'adapter',
    `no GPU answers, only ${description}, which computes on the processor; ` +
      `${unseenCard(thisHost()) ?? "with a GPU, install its Vulkan driver (on Linux, libvulkan1 and the vendor's driver)"}; for the processor, ask for the adapter software`,
  );

function noAdapter(name: string, reason = ''): TensorError {
  return new TensorError(
    'adapter',
    `no WebGPU adapter answers to "${name}"${reason && ` (${reason.replace(/\s*\n\s*/g, ' ')})`}; with a GPU, install its Vulkan driver (on Linux, libvulkan1 and the vendor's driver); without one, ` +
      'install Mesa 24 or newer (Debian and Ubuntu: mesa-vulkan-drivers, on Debian 12 from bookworm-backports) for the software adapter',
  );
}
