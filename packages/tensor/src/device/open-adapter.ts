/** Opens an adapter with every limit and feature it offers: what Node and browsers have in common. */
import { TensorError } from '../base/errors';
import { isSoftwareAdapter, type Target } from '../base/target';
import { type Gpu, type GpuOptions, type TuneCache, wrapDevice } from './gpu';
import { requestDevice } from './request-device';

/** What may be chosen wherever a device is opened. */
export interface AdapterOptions {
  /** Refuse allocations beyond this many bytes. */
  readonly memoryLimit?: number;
  /** Facts to override in the target description, e.g. `{ family: 'gpu' }` to test the other kernel family. */
  readonly target?: Partial<Target>;
  /** Where measured kernel choices are kept, or false to choose by rule. */
  readonly tuning?: TuneCache | false;
}

/** What the surroundings give where nothing is chosen. */
export interface AdapterDefaults extends Omit<GpuOptions, 'target' | 'tuning'> {
  /** Asked only if choices are to be kept. */
  tuning(): TuneCache | false;
}

/**
 * Opens `adapter`. On a software adapter that is told to run the kernels of GPUs, nothing is measured.
 * @throws TensorError adapter when the driver gives no device
 */
export async function openAdapter(
  adapter: GPUAdapter,
  { memoryLimit, target, tuning }: AdapterOptions,
  { tuning: defaultTuning, ...defaults }: AdapterDefaults,
): Promise<Gpu> {
  const device = await requestDevice(adapter).catch((error: Error) => {
    throw new TensorError('adapter', `the adapter gives no device (${error.message}); update its driver, or try again`);
  });
  const pretends = target?.family === 'gpu' && isSoftwareAdapter(adapter.info);
  const kept = tuning ?? (pretends ? false : defaultTuning());
  return wrapDevice(device, {
    ...defaults,
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(target ? { target } : {}),
    ...(kept ? { tuning: kept } : {}),
  });
}

/** Names an adapter for kept choices: a change of adapter, driver, surroundings (`further`) or of this package measures anew. */
export function adapterName(
  { vendor, architecture, device, description }: GPUAdapterInfo,
  ...further: string[]
): string {
  return [vendor, architecture, device, description, ...further].filter(Boolean).join(', ');
}
