/** `onnxruntime-node`, which is there only where somebody installed it. */

/** An ONNX file that runs. */
export interface OnnxSession {
  /** Outputs by name, for pixels [B, 3, H, W]. */
  run(pixels: Float32Array, shape: readonly number[]): Promise<ReadonlyMap<string, Float32Array>>;
  close(): Promise<void>;
}

/** Opens a file. */
export type OnnxRuntime = (path: string) => Promise<OnnxSession>;

/** How it is got. */
export const INSTALL_ONNX = 'npm install onnxruntime-node';

/** Undefined where it is not installed. */
export async function findOnnxRuntime(): Promise<OnnxRuntime | undefined> {
  const runtime = await import('onnxruntime-node').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  });
  if (!runtime) return undefined;
  const { InferenceSession, Tensor } = runtime;
  return async (path) => {
    const session = await InferenceSession.create(path);
    return {
      async run(pixels, shape) {
        const outputs = await session.run({ pixel_values: new Tensor('float32', pixels, shape) });
        return new Map(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
      },
      close: () => session.release(),
    };
  };
}
