/** The folder of a run: taken by one process at a time, with what the run is made of and where it continues. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { latestRunCheckpoint, lockRun, type RunCheckpoint, type RunLock, writeFileAtomic } from '@franca/checkpoint';
import { TrainError } from '../errors';
import type { Environment } from './environment';

export interface RunFolder extends AsyncDisposable {
  readonly path: string;
  /** Where to continue; undefined for a fresh run. */
  readonly checkpoint: RunCheckpoint | undefined;
  /** Checkpoints that were damaged and passed over, in words. */
  readonly rejected: readonly string[];
}

/** `never`: a new run, refused where one exists; `auto`: continue if there is something to continue; `always`: there must be. */
export type ResumeMode = 'never' | 'auto' | 'always';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Takes a run folder: locks it, and finds the checkpoint to continue from. Throws `TrainError` or `CheckpointError` (`locked`). */
export async function openRunFolder(path: string, resume: ResumeMode): Promise<RunFolder> {
  await mkdir(path, { recursive: true });
  const lock: RunLock = await lockRun(path);
  try {
    const started = await exists(join(path, 'metrics.jsonl'));
    if (resume === 'never') {
      if (started)
        throw new TrainError('run', `${path} already holds a run; continue it with --resume, or give another --out`);
      return { path, checkpoint: undefined, rejected: [], [Symbol.asyncDispose]: () => lock.release() };
    }
    const { checkpoint, rejected } = await latestRunCheckpoint(path);
    if (!checkpoint && resume === 'always')
      throw new TrainError(
        'run',
        `${path} has no usable checkpoint to resume from${rejected.length > 0 ? `: ${rejected.map(({ error }) => error.message).join('; ')}` : ''}; --resume auto starts it from the beginning`,
      );
    return {
      path,
      checkpoint,
      rejected: rejected.map(({ error }) => error.message),
      [Symbol.asyncDispose]: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Writes what the run is made of. */
export async function describeRun(path: string, config: string, environment: Environment): Promise<void> {
  const write = (name: string, text: string) => writeFileAtomic(join(path, name), (sink) => sink(Buffer.from(text)));
  await write('config.yaml', config);
  const file = join(path, 'environment.json');
  const earlier = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Environment[],
    () => [],
  );
  await write('environment.json', `${JSON.stringify([...earlier, environment], null, 2)}\n`);
}
