/** Where the training of a depth probe stands after an epoch, as a safetensors file beside the cache of features: an interrupted command that is given again goes on from there. */
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError, openSafetensors, writeSafetensors } from '@franca/checkpoint';
import type { DepthTrainingState } from '@franca/evals';

const FORMAT = 'franca-depth-training 1';

export interface TrainingFile {
  readonly path: string;
  /** Undefined where there is none, or none that can be read. */
  read(): Promise<DepthTrainingState | undefined>;
  write(state: DepthTrainingState): Promise<void>;
  remove(): Promise<void>;
}

/** @param of everything that the training depends on */
export function trainingFile(folder: string, of: unknown): TrainingFile {
  const key = createHash('sha256').update(JSON.stringify(of)).digest('hex');
  const path = join(folder, `${key}.safetensors`);
  return {
    path,
    read: () => readState(path),
    async write({ epoch, step, skipped, losses, tensors }) {
      await mkdir(dirname(path), { recursive: true });
      const entries = Object.entries(tensors).map(([name, data]) => ({
        name,
        dtype: 'f32' as const,
        shape: [data.length],
        data,
      }));
      await writeSafetensors(path, entries, {
        format: FORMAT,
        state: JSON.stringify({ epoch, step, skipped, losses: Array.from(losses) }),
      });
    },
    remove: () => rm(path, { force: true }),
  };
}

async function readState(path: string): Promise<DepthTrainingState | undefined> {
  try {
    await using file = await openSafetensors(path);
    if (file.metadata.format !== FORMAT) return undefined;
    const { epoch, step, skipped, losses } = JSON.parse(file.metadata.state ?? '{}');
    if (![epoch, step, skipped].every(Number.isSafeInteger) || !Array.isArray(losses) || losses.length !== step)
      return undefined;
    const tensors: Record<string, Float32Array> = {};
    for (const name of file.tensors.keys()) tensors[name] = await file.readFloat32(name);
    // of a batch without readings there is no loss, which JSON writes as null
    return { epoch, step, skipped, losses: Float64Array.from(losses, (loss) => loss ?? Number.NaN), tensors };
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
