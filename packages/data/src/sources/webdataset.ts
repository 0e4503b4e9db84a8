/**
 * WebDataset: images in tar shards, on disk or behind HTTP.
 *
 * Members whose names agree up to the first dot of the base name belong to one sample (`000017.jpg`, `000017.cls`,
 * `000017.json`); a sample is its first image, labelled by the integer in its `.cls`. Without any `.cls`, the folders inside
 * the archive are the classes where they look like it, as for a folder of images. Other members are passed over.
 *
 * Shards are indexed once, when the source is opened; after that each image is one read, so shuffling is exact. The index of
 * a remote shard is kept in the cache folder, because making it means reading through the shard.
 */

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { DataError } from '../errors';
import { type ByteFile, checkImageBytes } from '../files/byte-file';
import { defaultCacheDir } from '../files/cache-dir';
import { readCachedJson, writeCachedJson } from '../files/cached-json';
import type { HttpOptions } from '../files/http-file';
import { openFile } from '../files/open-file';
import { indexTar, type TarIndex } from '../formats/tar-index';
import { hasImageExtension } from '../images/image-format';
import type { ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import { archivesAt } from './archives';
import { classFolders, classLabels, sortedClasses, whyUnlabelled } from './labels';
import { inSameFolder, type SourceKind } from './source-kind';

export interface WebDatasetOptions {
  /** Fixes the class list (values of `.cls`, or folder names), e.g. to the one of the training shards. */
  readonly classes?: readonly string[] | undefined;
  /** Where indices of remote shards are kept. None are kept without it. */
  readonly cacheDir?: string | undefined;
  readonly http?: HttpOptions;
  readonly signal?: AbortSignal | undefined;
}

interface Shard {
  readonly file: ByteFile;
  readonly samples: readonly Sample[];
  readonly damage?: string;
}

interface Sample {
  readonly key: string;
  readonly offset: number;
  readonly size: number;
  readonly cls?: string;
}

const REMOTE_WINDOW = 8 * 1024 * 1024;
const MAX_CLS_BYTES = 32;

export const tarKind: SourceKind<'tar'> = {
  kind: 'tar',
  says: '.tar shards',
  labels: '.cls members, else class folders',
  prefixed: true,
  ofFile: (name) => (name.endsWith('.tar') ? 'ends in .tar' : undefined),
  ofFolder: ({ nested }) => (nested.some((name) => name.endsWith('.tar')) ? 'holds .tar shards' : undefined),
  open: async (target, options) =>
    webDatasetSource(await archivesAt(target, '.tar', options.split), {
      ...options,
      cacheDir: options.cacheDir ?? defaultCacheDir(),
    }),
  validation: inSameFolder,
};

/**
 * Opens shards.
 * @param shards paths, URLs (in either, `{000..127}` stands for that range of numbers), or files already open
 * @throws DataError not-found for a shard that is not there, empty-source when no shard holds an image
 */
export async function webDatasetSource(
  shards: readonly (string | ByteFile)[],
  options: WebDatasetOptions = {},
): Promise<ImageSource> {
  const names = shards.flatMap((shard): (string | ByteFile)[] =>
    typeof shard === 'string' ? expandBraces(shard) : [shard],
  );
  const opened: Shard[] = [];
  const inFlight = 2 * availableParallelism();
  for await (const shard of prefetch(names, (shard, stop) => openShard(shard, options, stop), {
    inFlight,
    signal: options.signal,
  })) {
    opened.push(shard);
  }
  const name = shards.map((shard) => (typeof shard === 'string' ? shard : shard.name)).join(' ');
  return shardedSource(`webdataset ${name}`, opened, options.classes);
}

/** `shard-{00..02}.tar` is `shard-00.tar`, `shard-01.tar`, `shard-02.tar`. */
export function expandBraces(pattern: string): string[] {
  const range = /\{(\d+)\.\.(\d+)\}/.exec(pattern);
  if (!range) return [pattern];
  const [whole, from = '', to = ''] = range;
  const count = Number(to) - Number(from) + 1;
  if (count < 1 || count > 1e6) throw new DataError('bad-spec', `${pattern}: ${whole} is not a range of shards`);
  return Array.from({ length: count }, (_, step) => {
    const number = String(Number(from) + step).padStart(from.length, '0');
    return pattern.replace(whole, number);
  }).flatMap(expandBraces);
}

function shardedSource(name: string, shards: readonly Shard[], fixed?: readonly string[]): ImageSource {
  const images = shards.flatMap(({ file, samples }) => samples.map((sample) => ({ file, ...sample })));
  const notes = shards.flatMap(({ damage }) => (damage ? [`${damage}; what comes before it is used`] : []));
  if (images.length === 0) {
    throw new DataError('empty-source', [`${name} holds no image`, ...notes].join('; '));
  }
  const keys = images.map((image) => image.key);
  const labelled = images.some((image) => image.cls !== undefined);
  const found = labelled ? images.map((image) => image.cls) : classFolders(keys, fixed);
  return {
    name,
    length: images.length,
    ...(found ? classLabels(found, fixed ?? sortedClasses(found)) : whyUnlabelled(keys, fixed)),
    ...(notes.length > 0 && { notes }),
    key: (index) => `${path.basename(images[index]!.file.name)}/${images[index]!.key}`,
    read: async (index, signal) => {
      const { file, offset, size } = images[index]!;
      checkImageBytes(size);
      return { encoded: await file.read(offset, size, signal) };
    },
  };
}

async function openShard(shard: string | ByteFile, options: WebDatasetOptions, signal: AbortSignal): Promise<Shard> {
  const file = typeof shard === 'string' ? await openFile(shard, { ...options.http, signal }) : shard;
  const cached = options.cacheDir && indexPath(options.cacheDir, file);
  const known = cached && (await readCachedJson<Omit<Shard, 'file'>>(cached));
  if (known) return { file, ...known };
  const index = await indexTar(file, file.version ? REMOTE_WINDOW : undefined, signal);
  const indexed = { samples: await groupSamples(file, index, signal), ...(index.damage && { damage: index.damage }) };
  if (cached) await writeCachedJson(cached, indexed);
  return { file, ...indexed };
}

/** Only files with a version are remote, and only their index is worth keeping. */
function indexPath(cacheDir: string, file: ByteFile): string | undefined {
  if (!file.version) return undefined;
  const identity = createHash('sha256').update(`${file.name}\n${file.size}\n${file.version}`).digest('hex');
  return path.join(cacheDir, 'tar-index', `${identity}.json`);
}

async function groupSamples(file: ByteFile, { members }: TarIndex, signal: AbortSignal): Promise<Sample[]> {
  const samples = new Map<string, Sample>();
  const labels = new Map<string, string>();
  for (const { name, offset, size } of members) {
    const { key, extension } = splitName(name);
    if (extension === 'cls' && size <= MAX_CLS_BYTES) {
      const value = new TextDecoder().decode(await file.read(offset, size, signal)).trim();
      if (/^\d+$/.test(value)) labels.set(key, String(Number(value)));
    } else if (hasImageExtension(name) && !samples.has(key)) samples.set(key, { key, offset, size });
  }
  return [...samples.values()].map((sample) => {
    const cls = labels.get(sample.key);
    return cls === undefined ? sample : { ...sample, cls };
  });
}

function splitName(name: string): { key: string; extension: string } {
  const base = name.lastIndexOf('/') + 1;
  const dot = name.indexOf('.', base + 1);
  return dot < 0
    ? { key: name, extension: '' }
    : { key: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}
