/** The folder of a run: taken by one process at a time, with what the run is made of and where it continues. */
import { mkdir, readFile, realpath, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import {
  latestRunCheckpoint,
  listRunCheckpoints,
  lockRun,
  type RunCheckpoint,
  type RunLock,
  writeFileAtomic,
} from '@franca/checkpoint';
import { TrainError } from '../errors';
import { BEST_TEACHER } from '../observe/best-reading';
import type { Environment } from './environment';

export interface RunFolder extends AsyncDisposable {
  readonly path: string;
  /** Where to continue; undefined for a fresh run. */
  readonly checkpoint: RunCheckpoint | undefined;
  /** Checkpoints that were damaged and passed over, in words. */
  readonly rejected: readonly string[];
  /** What the parts of the run so far were made with. */
  readonly environments: readonly Environment[];
}

/** `never`: a new run, refused where one exists; `auto`: continue if there is something to continue; `always`: there must be. */
export type ResumeMode = 'never' | 'auto' | 'always';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Takes a run folder: locks it, and finds the checkpoint to continue from. Nothing else is written; a folder that was made for it and stays empty is removed when
 * it is given free. Throws `TrainError` or `CheckpointError` (`locked`).
 */
export async function openRunFolder(path: string, resume: ResumeMode): Promise<RunFolder> {
  if (resume === 'always' && !(await exists(path)))
    throw new TrainError('usage', `${path} holds no run to resume; --resume auto starts one`);
  const made = await makeFolder(path);
  let lock: RunLock | undefined;
  const close = async (): Promise<void> => {
    await lock?.release();
    await removeEmptyFolders(resolve(path), made);
  };
  try {
    lock = await lockRun(path);
    const found = resume === 'never' ? await refuseRun(path) : await findCheckpoint(path, resume);
    return { path, ...found, environments: await readEnvironments(path), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes a folder; returns the first one on the way that had to be made. */
const makeFolder = (path: string): Promise<string | undefined> =>
  mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error;
    throw new TrainError('file', `${path} cannot be a run folder, as there is a file in its place; give another --out`);
  });

/**
 * Refuses a run folder among the pictures of its data, to which it would add its own.
 * @param pictures the folder that is searched for pictures, if one is
 * @throws TrainError `file`
 */
export async function refuseAmongPictures(path: string, pictures: string | undefined): Promise<void> {
  if (pictures === undefined) return;
  const [own, data] = await Promise.all([realpath(path), realpath(pictures)]);
  if (own === data || own.startsWith(join(data, sep)))
    throw new TrainError(
      'file',
      `the run folder ${path} lies in ${pictures}, and the pictures that it draws would be trained on; give an --out outside of the data`,
    );
}

/** Removes `path` and the folders above it up to `first`, as long as they are empty. */
async function removeEmptyFolders(path: string, first: string | undefined): Promise<void> {
  if (first === undefined) return;
  const last = resolve(first);
  for (let at = path; at.startsWith(last); at = dirname(at)) {
    const removed = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

type Found = Pick<RunFolder, 'checkpoint' | 'rejected'>;

/** What a run writes over. */
const OWN_FILES = [
  BEST_TEACHER,
  'config.yaml',
  'environment.json',
  'outcome.json',
  'report.html',
  'start.json',
  'teacher.safetensors',
  'tuning.json',
];

async function refuseRun(path: string): Promise<Found> {
  if ((await exists(join(path, 'metrics.jsonl'))) || (await listRunCheckpoints(path)).length > 0)
    throw new TrainError('run', `${path} already holds a run; continue it with --resume, or give another --out`);
  for (const name of OWN_FILES)
    if (await exists(join(path, name)))
      throw new TrainError('run', `${path} holds no run but a ${name}, which one would write over; give another --out`);
  return { checkpoint: undefined, rejected: [] };
}

async function findCheckpoint(path: string, resume: 'auto' | 'always'): Promise<Found> {
  const { checkpoint, rejected } = await latestRunCheckpoint(path);
  const reasons = rejected.map(({ error }) => error.message);
  if (checkpoint) return { checkpoint, rejected: reasons };
  // started from the beginning it would cut its log and lose what might still be saved
  if (reasons.length > 0)
    throw new TrainError(
      'run',
      `${path} has no usable checkpoint to resume from: ${reasons.join('; ')}; move the folder away to start again`,
    );
  if (resume === 'always')
    throw new TrainError('run', `${path} has no checkpoint to resume from; --resume auto starts it from the beginning`);
  return { checkpoint: undefined, rejected: [] };
}

const ENVIRONMENTS = 'environment.json';

/** What the parts of a run were made with, the first first. @throws TrainError `run` */
export async function readEnvironments(path: string): Promise<readonly Environment[]> {
  const file = join(path, ENVIRONMENTS);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value as Environment[];
  } catch {
    // said below
  }
  throw new TrainError('run', `${file} is no list of environments; move it away to go on without it`);
}

/** Writes what the run is made of: its configuration, and one environment more. */
export async function describeRun({ path, environments }: RunFolder, config: string, now: Environment): Promise<void> {
  const write = (name: string, text: string) => writeFileAtomic(join(path, name), (sink) => sink(Buffer.from(text)));
  await write('config.yaml', config);
  await write(ENVIRONMENTS, `${JSON.stringify([...environments, now], null, 2)}\n`);
}
