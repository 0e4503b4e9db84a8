/** Opens a GPU in Node through Dawn's bindings (npm `webgpu`). */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { version } from '../package.json';
import { isSoftwareAdapter } from './base/target';
import { listedGpus } from './device/adapter-list';
import { adapterName } from './device/adapter-name';
import { list, release } from './device/dawn';
import { deviceMemory, sharesMemory } from './device/device-memory';
import { findAdapter } from './device/find-adapter';
import type { Gpu } from './device/gpu';
import { type AdapterOptions, openAdapter } from './device/open-adapter';
import { processorName } from './device/processor';
import { shippedTables } from './device/shipped-tables';
import { tuneFile } from './device/tune-file';
import { tuneSetting } from './device/tune-setting';
import type { TuneCache } from './device/tuning';
import { waitQuietly } from './device/wait-quietly';

export { isSoftwareAdapter } from './base/target';
export { adapterOfRank, type CardOfRank, crowdedCards } from './device/adapter-of-rank';
export { type Host, thisHost, unseenCard } from './device/unseen-card';
export { waitQuietly } from './device/wait-quietly';

export interface OpenGpuOptions extends AdapterOptions {
  /**
   * `auto` (default): a GPU if one answers, else the software adapter. `gpu`: a GPU, or none. `software`: the software adapter. `null`: Dawn's null
   * backend, which validates but computes nothing. Anything else: part of an adapter's name. A number behind it, as in `gpu:1` or `H100:3`, says which
   * of several, from 0.
   */
  readonly adapter?: string;
  /**
   * Refuse allocations beyond this many bytes. Default: 90 % of a card's memory, 80 % of the machine's where the adapter computes in that, no limit
   * where nothing tells how much there is.
   */
  readonly memoryLimit?: number;
  /** Leave Dawn's bounds checks and its zeroing of workgroup memory on (default true); kernels are about 10-20 % faster without. */
  readonly robustness?: boolean;
  /**
   * Where measured kernel choices are kept, or false to measure none. Default: the file that FRANCA_TUNE names (`off`: none), else
   * `franca/tuning.json` in the user's cache; on a software adapter that is told to run the kernels of GPUs, nothing is measured.
   */
  readonly tuning?: TuneCache | false;
}

/** Opens a device with every limit and feature its adapter offers. Throws `TensorError` with code `adapter` if there is none, or no npm `webgpu`. */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const name = options.adapter ?? process.env.FRANCA_ADAPTER ?? 'auto';
  quietLoader();
  const found = await findAdapter(name, dawnFlags(options));
  const { adapter } = found;
  const { info } = adapter;
  try {
    const memoryBytes = name === 'null' ? undefined : await deviceMemory(info);
    return await openAdapter(
      adapter,
      { ...options, target: { ...(memoryBytes === undefined ? {} : { memoryBytes }), ...options.target } },
      {
        tuning: () => (name === 'null' ? false : defaultTuning(info)),
        tables: () => shippedTables(TABLES),
        onDispose: () => release(found),
        ...(memoryBytes === undefined
          ? {}
          : { memoryLimit: Math.floor(memoryBytes * (sharesMemory(info) ? 0.8 : 0.9)) }),
        ...(isSoftwareAdapter(info) ? { wait: waitQuietly, seconds: processorSeconds } : {}),
      },
    );
  } catch (error) {
    release(found);
    throw error;
  }
}

/**
 * The names of this machine's GPUs, those of one name each, in the order that `gpu:0`, `gpu:1` ... count in; empty where there is none. Throws `TensorError`
 * with code `adapter` without npm `webgpu`.
 */
export async function listGpus(): Promise<string[]> {
  quietLoader();
  return listedGpus(await list(dawnFlags({}))).map(({ name }) => name);
}

/** Dawn's Vulkan loader complains on stderr when this is unset, as it is for services and root shells. */
function quietLoader(): void {
  process.env.XDG_RUNTIME_DIR ??= '/tmp';
}

/** What is switched on and off in Dawn. Its timestamps are rounded to 0.07-0.1 ms unless told otherwise, more than most kernels take. */
function dawnFlags({ robustness = true }: OpenGpuOptions): string[] {
  const features = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];
  if (!robustness) features.push('disable_robustness', 'disable_workgroup_init');
  return [`enable-dawn-features=${features.join(',')}`, 'disable-dawn-features=timestamp_quantization'];
}

/** Processor time of this process, all threads together. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
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
