/**
 * Compiles kernels before they are needed. A software adapter compiles a kernel when it is first dispatched, so that without this a first
 * step is silent for as long as all of its kernels take. A dispatch of no workgroups is enough: it computes nothing, and so changes no bit
 * of what a step works with. GPUs compile when the pipeline is made; there is nothing left to do for them.
 */
import type { Dispatch } from './encoder';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

/** Who is told how far it is, and what ends it. */
export interface WarmOptions {
  /** Told before each kernel how many are compiled, and after the last one. Not called where there is nothing to do. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work at once; `warm` then rejects with the signal's reason, an `AbortError` where it was given none. */
  readonly signal?: AbortSignal;
}

/** Pipelines that a device has compiled to the end. */
const WARM = new WeakSet<GPUComputePipeline>();

/** Compiles the kernels of `dispatches` one by one, those that were not before. */
export async function warmKernels(
  gpu: Gpu,
  dispatches: readonly Dispatch[],
  { onProgress, signal }: WarmOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  if (gpu.target.family !== 'cpu') return;
  const cold = new Map(dispatches.flatMap((one) => (WARM.has(one.pipeline) ? [] : [[one.pipeline, one] as const])));
  if (cold.size === 0) return;
  // an indirect dispatch, as Dawn warns of a direct one of no workgroups; WebGPU fills new buffers with zeros
  const none = gpu.createBuffer('no workgroups', 16, GPU_BUFFER_USAGE.INDIRECT);
  try {
    let done = 0;
    for (const [pipeline, { bindGroup }] of cold) {
      onProgress?.(done++, cold.size);
      const encoder = gpu.device.createCommandEncoder({ label: 'warm' });
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroupsIndirect(none, 0);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      await untilAborted(gpu.wait(gpu.device.queue.onSubmittedWorkDone()), signal);
      WARM.add(pipeline);
    }
    onProgress?.(done, cold.size);
  } finally {
    gpu.destroyBuffer(none);
  }
}

/** `work`, or the signal's reason as soon as there is one: the kernel at hand may take seconds more. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
