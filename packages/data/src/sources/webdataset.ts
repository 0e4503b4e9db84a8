/**
 * WebDataset: images in tar shards, on disk or behind HTTP.
 *
 * Members whose names agree in the key belong to one sample (`000017.jpg`, `000017.cls`, `000017.json`): `tar-shard.ts` says
 * where a key ends, `tar-samples.ts` when shards are samples and when plain files, and what is told of the rest. The label
 * is the whole number in the `.cls`. Without any, the folders inside the archive are the classes where they look like it, as
 * for a folder of images.
 *
 * Shards are indexed once, when the source is opened; after that each image is one read, so shuffling is exact. The index of
 * a remote shard is kept in the cache folder, because making it means reading through the shard.
 */

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { type ByteFile, checkImageBytes } from '../files/byte-file';
import { defaultCacheDir } from '../files/cache-dir';
import { readCachedJson, writeCachedJson } from '../files/cached-json';
import { HTTP_OPTIONS, type HttpOptions } from '../files/http-file';
import { openFile } from '../files/open-file';
import { indexTar } from '../formats/tar-index';
import type { ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import { archivesAt } from './archives';
import { classFolders, classLabels, sortedClasses, whyUnlabelled } from './labels';
import { withNotes } from './left-out';
import { shortFileNames } from './short-file-names';
import { inSameFolder, type SourceKind } from './source-kind';
import { groupSamples } from './tar-samples';
import { indexShard, type ShardIndex } from './tar-shard';

export interface WebDatasetOptions {
  /** Fixes the class list (values of `.cls`, or folder names), e.g. to the one of the training shards. */
  readonly classes?: readonly string[] | undefined;
  /** Where indices of remote shards are kept. None are kept without it. */
  readonly cacheDir?: string | undefined;
  readonly http?: HttpOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<WebDatasetOptions> = {
  classes: 'strings',
  cacheDir: 'string',
  http: 'object',
  signal: 'object',
};

interface Shard {
  readonly file: ByteFile;
  readonly index: ShardIndex;
}

const REMOTE_WINDOW = 8 * 1024 * 1024;
/** Another one whenever the rules of `tar-index.ts` or `tar-shard.ts` change, so that no older index is served. */
const INDEX_VERSION = 'index 2';

export const tarKind: SourceKind<'tar'> = {
  kind: 'tar',
  says: '.tar shards',
  labels: '.cls members, else class folders',
  prefixed: true,
  ofFile: (name) => (name.endsWith('.tar') ? 'ends in .tar' : undefined),
  ofFolder: ({ nested }) => (nested.some((name) => name.endsWith('.tar')) ? 'holds .tar shards' : undefined),
  open: async (target, options) => {
    const { files, notes } = await archivesAt(target, '.tar', options.split);
    const { classes, http, signal, cacheDir = defaultCacheDir() } = options;
    return withNotes(await webDatasetSource(files, { classes, http, signal, cacheDir }), notes);
  },
  validation: inSameFolder,
};

/**
 * Opens shards.
 * @param shards paths, URLs (in either, `{000..127}` stands for that range of numbers), or files already open
 * @throws DataError not-found for a shard that is not there, bad-spec for one given twice, empty-source when none holds an image
 */
export async function webDatasetSource(
  shards: readonly (string | ByteFile)[],
  options: WebDatasetOptions = {},
): Promise<ImageSource> {
  checkArgument('webDatasetSource', 'shards', shards, 'list');
  checkOptions('webDatasetSource', options, OPTIONS);
  if (options.http) checkOptions('webDatasetSource: http', options.http, HTTP_OPTIONS);
  for (const shard of shards) {
    const given = typeof shard === 'string' || (typeof shard === 'object' && shard !== null && 'read' in shard);
    if (!given)
      throw new DataError('bad-argument', `webDatasetSource: ${String(shard)} is no shard; give paths or addresses`);
  }
  const files = shards.flatMap((shard): (string | ByteFile)[] =>
    typeof shard === 'string' ? expandBraces(shard) : [shard],
  );
  const names = shortFileNames(files.map((file) => (typeof file === 'string' ? file : file.name)));
  const opened: Shard[] = [];
  const inFlight = 2 * availableParallelism();
  for await (const shard of prefetch(files, (shard, stop) => openShard(shard, options, stop), {
    inFlight,
    signal: options.signal,
  })) {
    opened.push(shard);
  }
  const name = shards.map((shard) => (typeof shard === 'string' ? shard : shard.name)).join(' ');
  return shardedSource(`webdataset ${name}`, opened, names, options.classes);
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

function shardedSource(
  name: string,
  shards: readonly Shard[],
  names: readonly string[],
  fixed?: readonly string[],
): ImageSource {
  const { samples, notes } = groupSamples(shards.map(({ index }, at) => ({ ...index, name: names[at]! })));
  if (samples.length === 0) {
    throw new DataError('empty-source', [`${name} holds no image`, ...notes].join('; '));
  }
  const keys = samples.map(({ key }) => key);
  const labelled = samples.some(({ cls }) => cls !== undefined);
  const found = labelled ? samples.map(({ cls }) => cls) : classFolders(keys, fixed);
  return {
    name,
    length: samples.length,
    ...(found ? classLabels(found, fixed ?? sortedClasses(found)) : whyUnlabelled(keys, fixed)),
    ...(notes.length > 0 && { notes }),
    key: (index) => `${names[samples[index]!.shard]}/${samples[index]!.key}`,
    version: (index) => {
      const { shard, offset, size } = samples[index]!;
      return `${shards[shard]!.file.version}; ${size} B at ${offset}`;
    },
    read: async (index, signal) => {
      const { shard, offset, size } = samples[index]!;
      checkImageBytes(size);
      return { encoded: await shards[shard]!.file.read(offset, size, signal) };
    },
  };
}

async function openShard(shard: string | ByteFile, options: WebDatasetOptions, signal: AbortSignal): Promise<Shard> {
  const file = typeof shard === 'string' ? await openFile(shard, { ...options.http, signal }) : shard;
  const cached = options.cacheDir && indexPath(options.cacheDir, file);
  const known = cached && (await readCachedJson<ShardIndex>(cached));
  if (known) return { file, index: known };
  const tar = await indexTar(file, file.remote ? REMOTE_WINDOW : undefined, signal);
  const index = await indexShard(file, tar, signal);
  if (cached) await writeCachedJson(cached, index);
  return { file, index };
}

/** Only the index of a remote file is worth keeping. */
function indexPath(cacheDir: string, file: ByteFile): string | undefined {
  if (!file.remote) return undefined;
  const identity = [INDEX_VERSION, file.name, file.size, file.version].join('\n');
  return path.join(cacheDir, 'tar-index', `${createHash('sha256').update(identity).digest('hex')}.json`);
}
