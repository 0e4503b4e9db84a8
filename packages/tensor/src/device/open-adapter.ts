/** Opens an adapter with every limit and feature it offers: what Node and browsers have in common. */
import { TensorError } from '../base/errors';
import { isSoftwareAdapter, type Target } from '../base/target';
import { adapterName } from './adapter-name';
import { type Gpu, type GpuOptions, wrapDevice } from './gpu';
import { requestDevice } from './request-device';
import type { TuneCache, TuningTable } from './tuning';

/** What may be chosen wherever a device is opened. */
export interface AdapterOptions {
  /** Refuse allocations beyond this many bytes. */
  readonly memoryLimit?: number;
  /** Facts to override in the target description, e.g. `{ family: 'gpu' }` to test the other kernel family. */
  readonly target?: Partial<Target>;
  /** Where measured kernel choices are kept, or false to measure none. */
  readonly tuning?: TuneCache | false;
  /** Seconds that compiling one step may spend on measuring kernels (default 60). */
  readonly tuningSeconds?: number;
  /** Tables of choices (see `tuningTable`): those of this adapter and driver are taken where nothing was measured before. */
  readonly tables?: readonly TuningTable[];
}

/** What the surroundings give where nothing is chosen. */
export interface AdapterDefaults
  extends Omit<GpuOptions, 'adapterInfo' | 'target' | 'tuning' | 'shipped' | 'tuningSeconds'> {
  /** Asked only where `tuning` is not given, and not for a software adapter that is told to run the kernels of GPUs. */
  tuning(): TuneCache | false;
  /** Tables that come with the package, asked with the same exception, and only where choices are kept (default: none). */
  tables?(): readonly TuningTable[];
}

/**
 * Opens `adapter`. On a software adapter that is told to run the kernels of GPUs, nothing is measured by itself.
 * @throws TensorError adapter when the driver gives no device
 */
export async function openAdapter(
  adapter: GPUAdapter,
  { memoryLimit, target, tuning, tuningSeconds, tables }: AdapterOptions,
  { tuning: defaultTuning, tables: defaultTables, ...defaults }: AdapterDefaults,
): Promise<Gpu> {
  const device = await requestDevice(adapter).catch((error: Error) => {
    throw new TensorError('adapter', `the adapter gives no device (${error.message}); update its driver, or try again`);
  });
  const pretends = target?.family === 'gpu' && isSoftwareAdapter(adapter.info);
  const kept = tuning ?? (pretends ? false : defaultTuning());
  const name = adapterName(adapter.info);
  const known = (tables ?? (kept && !pretends ? (defaultTables?.() ?? []) : [])).filter((own) => own.adapter === name);
  return wrapDevice(device, {
    ...defaults,
    adapterInfo: adapter.info,
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(target ? { target } : {}),
    ...(kept ? { tuning: kept } : {}),
    ...(tuningSeconds === undefined ? {} : { tuningSeconds }),
    shipped: Object.assign({}, ...known.map(({ choices }) => choices)),
  });
}
