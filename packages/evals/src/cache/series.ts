/**
 * What a folder of features holds, series by series. Only files of our own names are ever counted or removed, whatever else lies there; what killed
 * processes left is cleared away.
 */
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, openSafetensors } from '@franca/checkpoint';
import { checkArgument, EvalsError } from '../errors';
import type { FeatureKey, FeatureNames } from './feature-key';
import { LEFT_BEHIND_MS, readMark, takeAway } from './marks';

/** The files of one data set, model and kind of output, by their names alone: nothing in them has been read. */
export interface FeatureSeries {
  /** Its name: that of its folder, or `old` for files of versions before there were series. */
  readonly id: string;
  readonly bytes: number;
  /** Bytes that it will have when the processes that compute it are done. */
  readonly expected: number;
  /** Items of the data set that there are features of. */
  readonly items: number;
  /** When a process last began or ended to use it, or wrote a file. */
  readonly lastUsed: Date;
  /** Whether a process uses it now. */
  readonly inUse: boolean;
}

/** The same with what its files say of themselves. */
export interface DescribedSeries extends FeatureSeries {
  readonly key?: Partial<FeatureKey>;
  readonly names?: Partial<FeatureNames>;
}

const OLD = 'old';
const SERIES = /^[0-9a-f]{32}$/;
const FILE = /^(?:(\d+)-(\d+)\.)?[0-9a-f]{64}\.safetensors$/;
const MARK = /\.(claim|use)$/;
/** A file that is being written, or a mark that is being taken away. */
const DRAFT = /^\.(.+\.safetensors)\.tmp-\d+-[0-9a-f]{8}$|\.(claim|use)\.[0-9a-f]{16}$/;

export const claimOf = (path: string): string => `${path}.claim`;

/** Series in `folder`, least recently used first; none where there is no folder. */
export async function findSeries(folder: string): Promise<FeatureSeries[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(noneWhereAbsent);
  const series: FeatureSeries[] = [];
  for (const entry of entries)
    if (entry.isDirectory() && SERIES.test(entry.name)) series.push(await seriesAt(folder, entry.name));
  const loose = entries.filter((entry) => entry.isFile() && FILE.test(entry.name)).map(({ name }) => name);
  if (loose.length > 0) series.push(await looseSeries(folder, loose));
  return series
    .filter(({ bytes, inUse }) => bytes > 0 || inUse)
    .sort((a, b) => a.lastUsed.getTime() - b.lastUsed.getTime());
}

/** One series, whether it is there or not. */
export async function seriesAt(folder: string, id: string): Promise<FeatureSeries> {
  const path = join(folder, id);
  const names = await readdir(path).catch(noneWhereAbsent);
  const files = names.filter((name) => FILE.test(name));
  const uses = names.filter((name) => name.endsWith('.use')).map((name) => readMark(join(path, name)));
  const live = (await Promise.all(uses)).filter((mark) => mark?.live);
  const bytes = await bytesOf(path, files);
  const expected = Math.max(bytes, ...live.map((mark) => mark!.content.bytes ?? 0));
  return { id, bytes, expected, items: countItems(files), lastUsed: await changeOf(path), inUse: live.length > 0 };
}

async function looseSeries(folder: string, files: readonly string[]): Promise<FeatureSeries> {
  const bytes = await bytesOf(folder, files);
  return { id: OLD, bytes, expected: bytes, items: 0, lastUsed: await changeOf(join(folder, files[0]!)), inUse: false };
}

/**
 * Series in `folder` with their descriptions, least recently used first.
 *
 * @throws EvalsError `file` where it cannot be read
 */
export async function listFeatures(folder: string): Promise<DescribedSeries[]> {
  checkArgument('listFeatures', 'folder', folder, 'string');
  return Promise.all((await findSeries(folder)).map((series) => describeSeries(folder, series)));
}

/** A series with what the first of its files says. */
export async function describeSeries(folder: string, series: FeatureSeries): Promise<DescribedSeries> {
  if (series.id === OLD) return series;
  const names = await readdir(join(folder, series.id)).catch(noneWhereAbsent);
  for (const name of names.filter((each) => FILE.test(each))) {
    const metadata = await metadataOf(join(folder, series.id, name));
    if (metadata) return { ...series, key: keyIn(metadata.key), names: namesIn(metadata.about) };
  }
  return series;
}

async function metadataOf(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    await using file = await openSafetensors(path);
    return file.metadata;
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

/** Texts of a key, as far as they are some: whatever a file says of itself. */
function keyIn(text: string | undefined): Partial<FeatureKey> {
  const { outputs, preprocessing, weights, code, floats } = objectIn(text);
  const texts = Object.entries({ outputs, preprocessing, weights, code }).filter(
    ([, value]) => typeof value === 'string',
  );
  return { ...Object.fromEntries(texts), ...(floats === 'f16' && { floats }) };
}

function namesIn(text: string | undefined): Partial<FeatureNames> {
  const { model, data, items } = objectIn(text);
  const texts = Object.entries({ model, data }).filter(([, value]) => typeof value === 'string');
  return { ...Object.fromEntries(texts), ...(Number.isSafeInteger(items) && { items: items as number }) };
}

function objectIn(text = '{}'): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/**
 * Removes the features of a series that `listFeatures` names, and its folder where nothing else lies in it; whether a process uses it is the
 * caller's to ask. Returns the bytes.
 *
 * @throws EvalsError `argument` for what is no name of a series
 */
export async function removeFeatures(folder: string, id: string): Promise<number> {
  checkArgument('removeFeatures', 'folder', folder, 'string');
  if (id !== OLD && !(typeof id === 'string' && SERIES.test(id)))
    throw new EvalsError('argument', `removeFeatures: ${id} names no series; listFeatures tells their names`);
  const path = id === OLD ? folder : join(folder, id);
  const names = await readdir(path).catch(noneWhereAbsent);
  const files = names.filter((name) => FILE.test(name));
  const bytes = await bytesOf(path, files);
  for (const name of files) await rm(join(path, name), { force: true });
  if (id === OLD) return bytes;
  await clearLeftovers(path);
  await rmdir(path).catch(() => {});
  return bytes;
}

/** Clears away what killed processes left in the folder of a series: their marks, and files that they had not finished. */
export async function clearLeftovers(path: string): Promise<void> {
  const names = await readdir(path).catch(noneWhereAbsent);
  const abandoned = new Set<string>();
  for (const name of names.filter((each) => MARK.test(each))) {
    const mark = await readMark(join(path, name));
    if (mark && !mark.live && (await takeAway(join(path, name), mark))) abandoned.add(name.replace(MARK, ''));
  }
  for (const name of names) {
    const draft = DRAFT.exec(name);
    if (!draft) continue;
    const untouched = Date.now() - (await changeOf(join(path, name))).getTime() > LEFT_BEHIND_MS;
    if (untouched || abandoned.has(draft[1] ?? '')) await rm(join(path, name), { force: true });
  }
}

async function bytesOf(path: string, names: readonly string[]): Promise<number> {
  const sizes = names.map((name) => stat(join(path, name)).catch(() => ({ size: 0 })));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

/** When something was last written there; long ago for what is gone. */
const changeOf = async (path: string): Promise<Date> => (await stat(path).catch(() => undefined))?.mtime ?? new Date(0);

/** Items of all files; those of several files, as of a state of the data that is gone, count once. */
function countItems(files: readonly string[]): number {
  const ranges = files.map((name) => FILE.exec(name)!.slice(1).map(Number) as [number, number]);
  let count = 0;
  let covered = 0;
  for (const [begin, end] of ranges.filter(([first]) => first >= 0).sort((a, b) => a[0] - b[0])) {
    count += Math.max(0, end - Math.max(begin, covered));
    covered = Math.max(covered, end);
  }
  return count;
}

/** What is gone meanwhile is not there. */
function noneWhereAbsent(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw new EvalsError('file', `${error.path} cannot be read (${error.code}); give a folder that can be read`, {
    cause: error,
  });
}
