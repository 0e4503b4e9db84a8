/** The run folder as all ranks see it: rank 0 takes and writes it, the others read the checkpoint that it found and write nothing. */
import { resolve } from 'node:path';
import { loadRunCheckpoint, type RunCheckpoint } from '@franca/checkpoint';
import type { Communicator } from '@franca/collective';
import { TrainError } from '../errors';
import { fromFirst } from '../ranks/exchange';
import { onFirst, together } from '../ranks/together';
import { openRunFolder, type ResumeMode, type RunFolder } from './run-folder';

/** Opens the folder on all ranks. Throws what `openRunFolder` throws, and TrainError `file` where a rank cannot read the checkpoint. */
export async function openSharedFolder(ranks: Communicator, path: string, resume: ResumeMode): Promise<RunFolder> {
  const own = await onFirst(ranks, () => openRunFolder(path, resume));
  if (ranks.size === 1) return own!;
  try {
    const found = await fromFirst(ranks, own && { path: resolve(path), checkpoint: own.checkpoint?.path });
    return await together(ranks, () => own ?? lookAt(found!));
  } catch (error) {
    await own?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function lookAt({ path, checkpoint }: { path: string; checkpoint?: string | undefined }): Promise<RunFolder> {
  return {
    path,
    checkpoint: checkpoint === undefined ? undefined : await readShared(checkpoint),
    rejected: [],
    environments: [],
    async [Symbol.asyncDispose]() {},
  };
}

const readShared = (path: string): Promise<RunCheckpoint> =>
  loadRunCheckpoint(resolve(path)).catch((error) => {
    throw new TrainError(
      'file',
      `${path} cannot be read (${error.message}); the run folder must be on a file system that all nodes share, under the same path`,
      { cause: error },
    );
  });
