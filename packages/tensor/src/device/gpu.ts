/**
 * A device with what the engine keeps beside it: facts, pipelines, buffers, and the adapter's way of waiting. Core code takes any
 * `GPUDevice`; `@franca/tensor/node` opens one in Node.
 */
import { describeTarget, type Target } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import { COPY, type Marked, THIS_COPY } from '../graph/copy';
import type { Kernel } from '../graph/op';
import { bufferAccount } from './buffer-account';
import { type Failures, watchFailures } from './failures';
import { GPU_BUFFER_USAGE, GPU_MAP_READ } from './flags';
import { pipelineCache } from './pipelines';
import type { TuneCache, Tuning } from './tuning';

export interface Gpu extends AsyncDisposable, Marked {
  readonly device: GPUDevice;
  /** What the adapter says of itself. In Node the device's own copy leaves its subgroup matrices out. */
  readonly adapterInfo: GPUAdapterInfo;
  readonly target: Target;
  /** Bytes of live buffers. */
  readonly allocatedBytes: number;
  /** Buffers, bind groups and pipelines created so far: flat after the first step. */
  readonly created: { buffers: number; bindGroups: number; pipelines: number };
  /** By what kernel variants are chosen. */
  readonly tuning: Tuning;
  /** Seconds, as kernels are timed by: of the clock, or of processor time where they run on the processor. */
  readonly seconds: () => number;
  /** Upper bound on `allocatedBytes`; an allocation beyond it is refused with code `memory`. */
  readonly memoryLimit: number;
  /** `owner`: what has to be disposed of to free it, as the message about forgotten buffers names it. */
  createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags, owner?: string): GPUBuffer;
  /**
   * Resolves when the driver has granted these buffers, which it may refuse a moment after they were made; rejects with code `memory`, which names the first that it
   * refused. A refusal that nobody awaits fails the device: every later wait rejects with it.
   */
  granted(buffers: readonly GPUBuffer[]): Promise<void>;
  /** At once, or when `after` has resolved; disposing of the device waits for that. */
  destroyBuffer(buffer: GPUBuffer, after?: Promise<unknown>): void;
  pipeline(kernel: Kernel): Promise<GPUComputePipeline>;
  /** Awaits a promise of the device in the way that suits the adapter; rejects with code `device-lost` if the device goes. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Copies `bytes` of a buffer to the CPU. */
  readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer>;
  dispose(): Promise<void>;
}

export interface GpuOptions {
  /** `info` of the adapter that gave the device (default: the device's copy, which in Node leaves subgroup matrices out, so that none are used). */
  readonly adapterInfo?: GPUAdapterInfo;
  /** Default: no limit. */
  readonly memoryLimit?: number;
  /** How to await a promise of this device (default: plain `await`). */
  readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
  /** Seconds to time kernels by (default: those of the clock). Processor time is the same however busy the processor is. */
  readonly seconds?: () => number;
  /** Called after the device is destroyed. */
  readonly onDispose?: () => void;
  /** Facts to use instead of the adapter's own, e.g. the other kernel family in a test. */
  readonly target?: Partial<Target>;
  /** Measure kernel variants and keep the choices here (a `Map` will do). Default: nothing is measured, variants are the default ones. */
  readonly tuning?: TuneCache;
  /** Choices for this adapter that were measured elsewhere, by key: taken where `tuning` has none. */
  readonly shipped?: Tuning['shipped'];
  /** Seconds that compiling one step may spend on measuring kernel variants (default 60); what is left then are the default ones. */
  readonly tuningSeconds?: number;
}

const TUNING_SECONDS = 60;

/** Wraps a device. The device should have been requested with every limit and feature of its adapter (see `requestDevice`). */
export function wrapDevice(device: GPUDevice, options: GpuOptions = {}): Gpu {
  const { memoryLimit = Number.POSITIVE_INFINITY, wait: plainWait = (promise) => promise } = options;
  const account = bufferAccount(device, memoryLimit, (error) => failures.fail(error));
  const failures: Failures = watchFailures(device, plainWait, account.answered);
  const { adapterInfo = device.adapterInfo } = options;
  const created = { buffers: 0, bindGroups: 0, pipelines: 0 };
  const leaving = new Set<Promise<void>>();
  let disposed = false;

  function createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags, owner?: string): GPUBuffer {
    if (failures.first) throw failures.first;
    const buffer = account.create(label, bytes, usage, owner);
    created.buffers++;
    return buffer;
  }

  async function readBytes(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const staging = createBuffer('readback', bytes, GPU_BUFFER_USAGE.COPY_DST | GPU_BUFFER_USAGE.MAP_READ);
    try {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, roundUp(bytes, 4));
      device.queue.submit([encoder.finish()]);
      await failures.wait(staging.mapAsync(GPU_MAP_READ));
      return staging.getMappedRange(0, roundUp(bytes, 8)).slice(0, bytes);
    } finally {
      account.destroy(staging);
    }
  }

  function destroyBuffer(buffer: GPUBuffer, after?: Promise<unknown>): void {
    if (!after) {
      account.destroy(buffer);
      return;
    }
    const gone: Promise<void> = after.then(() => {
      account.destroy(buffer);
      leaving.delete(gone);
    });
    leaving.add(gone);
  }

  async function dispose(): Promise<void> {
    if (disposed) return;
    disposed = true;
    await Promise.all(leaving);
    failures.expectLoss();
    const leaks = account.close();
    device.destroy();
    options.onDispose?.();
    if (leaks && failures.first?.code !== 'device-lost') throw leaks;
  }

  return {
    [COPY]: THIS_COPY,
    device,
    adapterInfo,
    target: {
      ...describeTarget({ info: adapterInfo, features: device.features, limits: device.limits }),
      ...options.target,
    },
    created,
    tuning: {
      cache: options.tuning,
      shipped: options.shipped ?? {},
      seconds: options.tuningSeconds ?? TUNING_SECONDS,
      made: new Map(),
    },
    seconds: options.seconds ?? (() => performance.now() / 1000),
    memoryLimit,
    get allocatedBytes() {
      return account.bytes;
    },
    createBuffer,
    granted: (buffers) => failures.wait(account.granted(buffers)),
    destroyBuffer,
    pipeline: pipelineCache(device, () => created.pipelines++),
    wait: failures.wait,
    readBytes,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
