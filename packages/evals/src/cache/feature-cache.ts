/**
 * Features on disk, found again by what they were computed from. Running a backbone over a data set is the costly part
 * of an evaluation, and its result depends on exactly these: the weights, the preprocessing, the images, which
 * outputs were taken, and the code that computes. Files are safetensors, with the key in their metadata, and appear whole or not at all.
 *
 * Several processes may share a cache. Who computes claims first, so that nothing is computed twice; a claim of a process that is gone is taken over. What a
 * process has used is not removed while it runs.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CheckpointError } from '@franca/checkpoint';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import {
  type FeatureArray,
  type FeatureArrays,
  type FeatureFile,
  openFeatureFile,
  writeFeatureFile,
} from './feature-file';
import { checkKey, type FeatureKey, pathOf, seriesOf } from './feature-key';
import { makeRoom } from './make-room';
import { type Mark, placeMark, readMark } from './marks';
import { claimOf, clearLeftovers, type DescribedSeries, seriesAt } from './series';

export interface FeatureCacheOptions {
  /** Told of a file that cannot be used and why; it is removed and counts as absent. */
  readonly onDamaged?: (path: string, reason: string) => void;
  /** Bytes that all features may take; default half of what the disk has free and they take. Asked for by `reserve`. */
  readonly limit?: number;
  /** Told of a series that was removed to make room. */
  readonly onRemoved?: (series: DescribedSeries) => void;
}

const OPTIONS: OptionKinds<FeatureCacheOptions> = { onDamaged: 'function', limit: 'number', onRemoved: 'function' };

/** The right to compute features. Give it back when they are written. */
export interface FeatureClaim extends AsyncDisposable {
  release(): Promise<void>;
}

/** Features that are to come. */
export interface FeatureNeed {
  /** Of any file of their series. */
  readonly key: FeatureKey;
  /** Of the whole series. */
  readonly bytes: number;
}

export interface FeatureCache extends AsyncDisposable {
  readonly folder: string;
  /** Bytes of the file of this key; `undefined` where there is none. */
  readonly size: (key: FeatureKey) => Promise<number | undefined>;
  /** Its file, to be closed; `undefined` where there is none, or it is damaged. */
  readonly open: (key: FeatureKey) => Promise<FeatureFile | undefined>;
  /** All arrays of this key; `undefined` likewise. */
  readonly read: (key: FeatureKey) => Promise<FeatureArrays | undefined>;
  /** Stores arrays and returns the path. @throws CheckpointError `disk-full`, `argument`; EvalsError `file` where the folder cannot be made, `features` */
  readonly write: (key: FeatureKey, arrays: FeatureArrays) => Promise<string>;
  /** Claims the features of a key; `undefined` where another process, or this one, computes them already. */
  readonly claim: (key: FeatureKey) => Promise<FeatureClaim | undefined>;
  /** The stored arrays, or else those of `compute`, which are then stored. Waits where another process computes them. */
  readonly readOrCompute: (
    key: FeatureKey,
    compute: () => Promise<FeatureArrays>,
  ) => Promise<{ readonly arrays: FeatureArrays; readonly cached: boolean }>;
  /** Makes room for features that are to come; `what` names them in messages. @throws EvalsError `space` where there cannot be enough */
  readonly reserve: (what: string, needs: readonly FeatureNeed[]) => Promise<void>;
  /** What this process has used may be removed from now on. */
  readonly close: () => Promise<void>;
}

/** How often a process looks whether another has finished. */
const POLL_MS = 250;

/**
 * Opens a cache in `folder`, which is created when something is written.
 *
 * @throws EvalsError `options`, here and from its functions, for a key that lacks a part
 */
export function openFeatureCache(folder: string, options: FeatureCacheOptions = {}): FeatureCache {
  checkArgument('openFeatureCache', 'folder', folder, 'string');
  checkOptions('openFeatureCache', options, OPTIONS);
  const { onDamaged, limit, onRemoved } = options;
  checkOption(limit === undefined || limit > 0, `openFeatureCache: limit is ${limit}; give bytes`);
  const used = usedSeries(folder);
  const fileOf = (key: FeatureKey): string => {
    checkKey(key);
    return join(folder, pathOf(key));
  };

  const size: FeatureCache['size'] = async (key) => (await stat(fileOf(key)).catch(absent))?.size;
  const opened = async <T>(key: FeatureKey, use: (file: FeatureFile) => Promise<T>): Promise<T | undefined> => {
    const path = fileOf(key);
    await used.hold(seriesOf(key));
    try {
      return await use(await openFeatureFile(path, key));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      if (error.code === 'not-found') return undefined;
      onDamaged?.(path, error.message);
      await rm(path, { force: true });
      return undefined;
    }
  };
  const open: FeatureCache['open'] = (key) => opened(key, async (file) => file);
  const read: FeatureCache['read'] = (key) => opened(key, readArrays);
  const write: FeatureCache['write'] = async (key, arrays) => {
    const path = fileOf(key);
    await makeFolder(dirname(path));
    await used.hold(seriesOf(key));
    await writeFeatureFile(path, key, arrays);
    return path;
  };
  const claim: FeatureCache['claim'] = async (key) => {
    const path = fileOf(key);
    await makeFolder(dirname(path));
    await used.hold(seriesOf(key));
    return writing(path, async () => {
      const free = await placeMark(claimOf(path));
      if (free || (await readMark(claimOf(path)))?.live) return free;
      await clearLeftovers(dirname(path));
      return placeMark(claimOf(path));
    });
  };
  const readOrCompute: FeatureCache['readOrCompute'] = async (key, compute) => {
    checkArgument('readOrCompute', 'compute', compute, 'function');
    while (true) {
      const stored = await read(key);
      if (stored) return { arrays: stored, cached: true };
      await using claimed = await claim(key);
      if (!claimed) {
        await pause(POLL_MS);
        continue;
      }
      // another may have finished between the two
      const finished = await read(key);
      if (finished) return { arrays: finished, cached: true };
      const path = await write(key, await compute());
      const arrays = await read(key);
      if (!arrays) throw new EvalsError('file', `${path} was written and cannot be read; look at its disk`);
      return { arrays, cached: false };
    }
  };
  const reserve: FeatureCache['reserve'] = async (what, needs) => {
    const coming = new Map(needs.map(({ key, bytes }) => [seriesOf(key), bytes]));
    const more = new Map<string, number>();
    for (const [id, bytes] of coming) if (!used.expects(id, bytes)) more.set(id, bytes);
    if (more.size === 0) return;
    for (const { key } of needs) await makeFolder(dirname(fileOf(key)));
    for (const id of coming.keys()) await used.hold(id);
    const there = await Promise.all([...coming.keys()].map((id) => seriesAt(folder, id)));
    if (there.some(({ id, bytes }) => bytes < coming.get(id)!))
      await makeRoom(folder, what, coming, { limit, onRemoved });
    for (const [id, bytes] of coming) await used.expect(id, bytes);
  };
  const close = used.release;
  return { folder, size, open, read, write, claim, readOrCompute, reserve, close, [Symbol.asyncDispose]: close };
}

/** Series that this process has used, with a mark on each. */
function usedSeries(folder: string) {
  const held = new Map<string, Promise<Mark | undefined>>();
  const expected = new Map<string, number>();
  const begin = async (id: string): Promise<Mark | undefined> => {
    const path = join(folder, id, `${process.pid}-${randomBytes(8).toString('hex')}.use`);
    // a cache that others keep may be read without being written to
    return clearLeftovers(join(folder, id))
      .then(() => placeMark(path))
      .catch(() => undefined);
  };
  const hold = async (id: string): Promise<Mark | undefined> => {
    const mark = held.get(id) ?? begin(id);
    held.set(id, mark);
    // a series that is not there yet has no folder for it
    if (!(await mark)) held.delete(id);
    return mark;
  };
  return {
    hold,
    /** Whether so many bytes were made room for. */
    expects: (id: string, bytes: number): boolean => (expected.get(id) ?? -1) >= bytes,
    async expect(id: string, bytes: number): Promise<void> {
      expected.set(id, bytes);
      await (await hold(id))?.update({ bytes });
    },
    async release(): Promise<void> {
      for (const mark of held.values()) await (await mark)?.release();
      held.clear();
    },
  };
}

async function readArrays(opened: FeatureFile): Promise<FeatureArrays> {
  await using file = opened;
  const arrays: Record<string, FeatureArray> = {};
  for (const [name, shape] of file.shapes) arrays[name] = { shape, data: await file.read(name) };
  return arrays;
}

const makeFolder = (folder: string): Promise<unknown> => writing(folder, () => mkdir(folder, { recursive: true }));

async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new EvalsError('file', `${path} cannot be made (${code}); give a folder that can be written`, { cause });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
