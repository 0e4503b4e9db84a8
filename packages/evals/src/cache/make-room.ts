/**
 * The bound of a cache. Before features are computed it is known what they will take: where that is more than the bound leaves, or the disk, features that
 * were not used for the longest time go first, a series at a time, as a part of one is of little use. What a running process uses never goes.
 *
 * The bound that nobody chose is half of what the disk has for features, free or taken by them: a number of bytes would be too small for the patches of a
 * benchmark on one machine, and the whole of another.
 */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkArgument, EvalsError } from '../errors';
import { type DescribedSeries, describeSeries, type FeatureSeries, findSeries, removeFeatures } from './series';

const DISK_SHARE = 0.5;

export interface RoomOptions {
  /** Bytes that all features may take; default half of the free ones and theirs. */
  readonly limit?: number | undefined;
  /** Told of each series that is removed. */
  readonly onRemoved?: ((series: DescribedSeries) => void) | undefined;
}

/** Series that are to come, or to go on, and the bytes of each when it is whole. */
export type ComingSeries = ReadonlyMap<string, number>;

/**
 * Makes room for series; `what` names them in messages.
 *
 * @throws EvalsError `space` before anything is removed where it would not be enough
 */
export async function makeRoom(
  folder: string,
  what: string,
  coming: ComingSeries,
  { limit, onRemoved }: RoomOptions,
): Promise<void> {
  const series = await findSeries(folder);
  const { bound, free } = await roomOf(folder, series, limit);
  const whole = sum([...coming.values()]);
  const refuse = (why: string): EvalsError => tooMuch(what, whole, why);
  if (whole > bound)
    throw refuse(
      `the cache in ${folder} may take ${gigabytes(bound)}${limit === undefined ? ', half of what its disk has for it' : ''}`,
    );
  const own = series.filter(({ id }) => coming.has(id));
  const others = series.filter(({ id }) => !coming.has(id));
  const missing = whole - sum(own.map(({ id, bytes }) => Math.min(bytes, coming.get(id)!)));
  const excess = whole + sum(others.map(({ expected }) => expected)) - bound;
  const wanted = Math.max(excess, missing - free);
  const removable = others.filter(({ inUse }) => !inUse);
  const possible = sum(removable.map(({ bytes }) => bytes));
  if (missing > 0 && missing > free + possible)
    throw refuse(`${gigabytes(missing)} are missing, and the disk of ${folder} has ${gigabytes(free)} free`);
  if (wanted > possible)
    throw refuse(`of the ${gigabytes(bound)} that the cache in ${folder} may take, running processes use too much`);
  let removed = 0;
  for (const each of removable) {
    if (removed >= wanted) return;
    const described = await describeSeries(folder, each);
    removed += await removeFeatures(folder, each.id);
    onRemoved?.(described);
  }
}

/** Room for features, in bytes. */
export interface CacheRoom {
  /** That they take now. */
  readonly held: number;
  /** That they may take in all. */
  readonly bound: number;
  /** That are free on the disk. */
  readonly free: number;
}

/**
 * Room for features in `folder`; `limit`: the bound that was chosen, if any.
 *
 * @throws EvalsError `file` where it cannot be read
 */
export async function cacheRoom(folder: string, limit?: number): Promise<CacheRoom> {
  checkArgument('cacheRoom', 'folder', folder, 'string');
  return roomOf(folder, await findSeries(folder), limit);
}

async function roomOf(folder: string, series: readonly FeatureSeries[], limit: number | undefined): Promise<CacheRoom> {
  const held = sum(series.map(({ bytes }) => bytes));
  const free = await freeBytes(folder);
  return { held, bound: limit ?? DISK_SHARE * (free + held), free };
}

/** On the disk where the folder is, or would be. */
async function freeBytes(folder: string): Promise<number> {
  const disk = await statfs(folder).catch(() => undefined);
  if (disk) return disk.bavail * disk.bsize;
  const above = dirname(resolve(folder));
  if (above === folder) throw new EvalsError('file', `${folder} cannot be read; give a folder that can be read`);
  return freeBytes(above);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(3))} GB`;

const tooMuch = (what: string, whole: number, why: string): EvalsError =>
  new EvalsError('space', `features of ${what} take ${gigabytes(whole)}: ${why}`);
