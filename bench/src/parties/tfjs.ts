/** TensorFlow.js on its WebGPU backend. */
import type * as core from '@tensorflow/tfjs-core';
import { provideBrowserGpu } from './browser-gpu';

export type TfTensor = core.Tensor;
export type Tf = typeof core & {
  /** Resolves when everything computed so far is complete. */
  readonly done: () => Promise<void>;
};

interface WebGpuBackend {
  readonly queue: GPUQueue;
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

export async function openTfjs(): Promise<Tf> {
  provideBrowserGpu();
  const tf = await import('@tensorflow/tfjs-core');
  // registers the gradients of all ops
  await import('@tensorflow/tfjs-layers');
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs did not accept the adapter');
  await tf.ready();
  const backend = tf.backend() as unknown as WebGpuBackend;
  const done = (): Promise<void> => {
    backend.endComputePassEncoder();
    if (backend.commandEncoder) backend.submitQueue();
    return backend.queue.onSubmittedWorkDone();
  };
  return { ...tf, done };
}
