/** `onnxruntime-node`, which runs models and need not be installed: it is imported when the first model is opened. */
import type { InferenceSession } from 'onnxruntime-node';
import { OnnxError } from '../errors';

/** What is used of it. */
export type Runtime = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor' | 'env'>;

const INSTALL = 'npm install onnxruntime-node';

/** @throws OnnxError `runtime` where it is not installed or does not load */
export async function importRuntime(
  load: () => Promise<Runtime> = () => import('onnxruntime-node'),
): Promise<{ readonly runtime: Runtime; readonly version: string }> {
  try {
    const runtime = await load();
    return { runtime, version: runtime.env.versions.node ?? runtime.env.versions.common };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const absent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    const said = absent ? 'is not installed' : `does not load (${firstLine(message)})`;
    throw new OnnxError('runtime', `ONNX files are run by onnxruntime-node, which ${said}: ${INSTALL}`, {
      cause: error,
    });
  }
}

export interface SessionChoice {
  /** Where it runs: `cpu`, `webgpu`, `cuda`, ... */
  readonly provider: string;
  /** Processor threads; undefined: as many as the runtime sees fit. */
  readonly threads: number | undefined;
}

/** Errors are thrown too: the runtime need not print them. */
const QUIET = 4;

/** @throws OnnxError `model` for a file that is no model; `runtime` for a provider that cannot be had */
export async function openSession(
  { InferenceSession: Session }: Runtime,
  path: string,
  { provider, threads }: SessionChoice,
): Promise<InferenceSession> {
  try {
    return await Session.create(path, {
      executionProviders: [provider],
      logSeverityLevel: QUIET,
      ...(threads !== undefined && { intraOpNumThreads: threads }),
    });
  } catch (error) {
    const why = firstLine((error as Error).message);
    if (provider !== 'cpu' && /backend|provider/i.test(why))
      throw new OnnxError(
        'runtime',
        `onnxruntime-node has no provider ${provider} here (${why}); cpu is always there`,
        {
          cause: error,
        },
      );
    throw new OnnxError('model', `${path} is no ONNX model that onnxruntime-node runs: ${why}`, { cause: error });
  }
}

export const firstLine = (text: string): string => text.split('\n', 1)[0]!;
