/** Opens a GPU in a browser, in a page or in a worker: `@franca/tensor/browser`, the counterpart of `@franca/tensor/node`. */
import { version } from '../package.json';
import { TensorError } from './base/errors';
import { isSoftwareAdapter } from './base/target';
import { adapterName } from './device/adapter-name';
import type { Gpu } from './device/gpu';
import { type AdapterOptions, openAdapter } from './device/open-adapter';
import { tuneStorage } from './device/tune-storage';
import type { TuneCache } from './device/tuning';

export { isSoftwareAdapter } from './base/target';

export interface OpenGpuOptions extends Omit<AdapterOptions, 'tuning'> {
  /** `auto` (default): the browser's choice, a GPU if it offers one. `gpu`: a GPU, or none. `software`: the adapter that computes on the processor. */
  readonly adapter?: 'auto' | 'gpu' | 'software';
  /**
   * Where measured kernel choices are kept: `storage` (default) in localStorage, and as long as the page where there is none, as in
   * workers; `memory` as long as the page; a cache of your own; false to measure none.
   */
  readonly tuning?: TuneCache | 'storage' | 'memory' | false;
}

type Wanted = NonNullable<OpenGpuOptions['adapter']>;

/**
 * Opens a device with every limit and feature its adapter offers. Without `memoryLimit`, only the browser refuses allocations.
 * @throws TensorError adapter when the page is no secure context, the browser lacks WebGPU, or offers no such adapter
 */
export async function openGpu({
  adapter: wanted = 'auto',
  tuning = 'storage',
  ...options
}: OpenGpuOptions = {}): Promise<Gpu> {
  if (wanted !== 'auto' && wanted !== 'gpu' && wanted !== 'software')
    throw new TensorError('adapter', `adapter is ${JSON.stringify(wanted)}; in a browser it is auto, gpu or software`);
  const adapter = await findAdapter(wanted);
  const kept = typeof tuning === 'string' ? {} : { tuning };
  return openAdapter(
    adapter,
    { ...options, ...kept },
    {
      tuning: () => {
        const name = adapterName(adapter.info, navigator.userAgent, `@franca/tensor ${version}`);
        return tuneStorage(tuning === 'memory' ? undefined : pageStorage(), name);
      },
    },
  );
}

async function findAdapter(wanted: Wanted): Promise<GPUAdapter> {
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  if (!gpu) throw new TensorError('adapter', whyNoWebGpu());
  const adapter = await gpu
    .requestAdapter({ powerPreference: 'high-performance', forceFallbackAdapter: wanted === 'software' })
    .catch((error: Error) => {
      throw new TensorError('adapter', `${noAdapter(wanted)} (${error.message})`);
    });
  if (!adapter || (wanted === 'gpu' && isSoftwareAdapter(adapter.info)))
    throw new TensorError('adapter', noAdapter(wanted));
  return adapter;
}

function whyNoWebGpu(): string {
  if (globalThis.isSecureContext === false)
    return 'browsers offer WebGPU to secure pages only; serve this page by https, or from http://localhost or http://127.0.0.1';
  return (
    'there is no navigator.gpu: this browser has no WebGPU, or it is switched off; use a current Chrome, Edge, Safari or Firefox ' +
    '(in Node: openGpu of @franca/tensor/node)'
  );
}

function noAdapter(wanted: Wanted): string {
  const what = { auto: 'no WebGPU adapter', gpu: 'no GPU', software: 'no software adapter' }[wanted];
  return (
    `the browser offers ${what}; with a GPU, switch graphics acceleration on in its settings and update the driver (chrome://gpu says what is ` +
    'blocked); without one, start Chromium with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader, which computes on the processor'
  );
}

/** Undefined in workers, and where the user forbids it. */
function pageStorage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
