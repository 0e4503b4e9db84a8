/**
 * Where the indices of shards are kept: in the user's cache folder, or beside the shards.
 *
 * An index is read wherever it lies, and written where that was asked for: beside the shards only if somebody asked, and into the cache where that is
 * refused. It is written aside and renamed, so that it is there whole or not at all, however a process ends. A small shard on disk is read as fast as
 * its index, of which none is kept.
 */

import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ByteFile } from '../files/byte-file';
import { bytesOfSummary, decodeIndex, decodeSummary, encodeIndex, FIRST_READ } from './shard-file';
import type { ShardIndex, ShardSummary } from './shard-index';

export interface IndexPlaces {
  readonly cacheDir?: string | undefined;
  /** Whether indices are to lie beside the shards, for all who use them. */
  readonly indexBeside?: boolean | undefined;
}

/** The index of a shard in a file. */
export interface KeptIndex {
  readonly summary: ShardSummary;
  readonly place: string;
}

/** Paths of the index of a shard, the one to try first. */
export interface ShardPlaces {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

const SMALL_BYTES = 256 * 1024;

/** Where the index of a shard may lie: nowhere where no other opening finds the version of the shard again. */
export function indexPlaces(file: ByteFile, { cacheDir, indexBeside }: IndexPlaces): ShardPlaces {
  const isSmall = !file.remote && file.size < SMALL_BYTES;
  if (isSmall || (!file.remote && file.path === undefined)) return { read: [], write: [] };
  const name = file.path === undefined ? file.name : path.resolve(file.path);
  const id = createHash('sha256').update(name).digest('hex');
  const cached = cacheDir === undefined ? [] : [path.join(cacheDir, 'tar-index', id.slice(0, 2), `${id}.index`)];
  const beside = file.path === undefined ? [] : [`${file.path}.franca-index`];
  return indexBeside
    ? { read: [...beside, ...cached], write: [...beside, ...cached] }
    : { read: [...cached, ...beside], write: cached };
}

/** The first usable index at some places. */
export async function findIndex(file: ByteFile, places: readonly string[]): Promise<KeptIndex | undefined> {
  for (const place of places) {
    const summary = await readSummary(place, file);
    if (summary) return { summary, place };
  }
  return undefined;
}

async function readSummary(place: string, file: ByteFile): Promise<ShardSummary | undefined> {
  const handle = await open(place, 'r').catch(() => undefined);
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    const first = Buffer.alloc(Math.min(size, FIRST_READ));
    await handle.read(first, 0, first.length, 0);
    const length = bytesOfSummary(first, size);
    if (length === undefined || length <= first.length) return decodeSummary(first, size, file);
    const all = Buffer.alloc(length);
    await handle.read(all, 0, length, 0);
    return decodeSummary(all, size, file);
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

/** Reads a whole index at once, as it is asked for in the middle of a call; undefined where it is no longer there or not as it was. */
export function readIndex(place: string, file: ByteFile, names: string): ShardIndex | undefined {
  try {
    const bytes = readFileSync(place);
    const index = decodeIndex(bytes as Uint8Array<ArrayBuffer>, file);
    return index?.summary.names === names ? index : undefined;
  } catch {
    return undefined;
  }
}

/** Writes an index to the first of the places that can be written; undefined where none can (full disk, read-only home). */
export async function keepIndex(
  index: ShardIndex,
  file: ByteFile,
  places: readonly string[],
): Promise<string | undefined> {
  for (const place of places) {
    const aside = `${place}.${randomUUID()}.tmp`;
    try {
      await mkdir(path.dirname(place), { recursive: true });
      await writeFile(aside, encodeIndex(index, file));
      await rename(aside, place);
      return place;
    } catch {
      await rm(aside, { force: true }).catch(() => {});
    }
  }
  return undefined;
}
