/**
 * TensorFlow's flower photographs: 3,670 daisies, dandelions, roses, sunflowers and tulips, all CC BY 2.0.
 *
 * The archive is fetched once into the user's cache and unpacked beside it. Size and SHA-256 are those of the checksum list
 * of TensorFlow Datasets (`tensorflow_datasets/datasets/tf_flowers/checksums.tsv`), which names the same file under its
 * older address. Its LICENSE.txt, which credits every photographer, stays with the photographs.
 */

import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { OptionKinds } from '@franca/tensor';
import { extract } from 'tar-stream';
import { checkOptions, DataError } from '../errors';
import { defaultCacheDir } from '../files/cache-dir';
import { downloadFile, httpDownload } from '../files/download';
import { withFileLock } from '../files/file-lock';
import { HTTP_OPTIONS, type HttpOptions } from '../files/http-file';
import type { ImageSource } from '../images/image-source';
import { folderSource } from './folder';
import type { OpenOptions, SourceKind } from './source-kind';

/** An archive of photographs in one folder per class. */
export interface FlowerArchive {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

export const FLOWER_PHOTOS: FlowerArchive = {
  url: 'https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz',
  bytes: 228_813_984,
  sha256: '4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c',
};

export interface FlowerProgress {
  readonly phase: 'download' | 'unpack';
  /** Bytes of the archive fetched or unpacked so far, and in all. */
  readonly done: number;
  readonly total: number;
}

export interface FetchFlowersOptions {
  /** Default: the user's cache folder (`$XDG_CACHE_HOME/franca` or `~/.cache/franca`). */
  readonly cacheDir?: string;
  readonly onProgress?: (progress: FlowerProgress) => void;
  readonly signal?: AbortSignal;
  /** Another archive of the same form, e.g. a mirror. */
  readonly archive?: FlowerArchive;
  readonly http?: Omit<HttpOptions, 'signal'>;
}

const OPTIONS: OptionKinds<FetchFlowersOptions> = {
  cacheDir: 'string',
  onProgress: 'function',
  signal: 'object',
  archive: 'object',
  http: 'object',
};
const ARCHIVE: OptionKinds<FlowerArchive> = { url: 'string', bytes: 'number', sha256: 'string' };

export interface Flowers {
  /** The folder that holds one folder per class, and LICENSE.txt. */
  readonly root: string;
  /** One line that credits the photographers; show it where the photographs are used. */
  readonly attribution: string;
}

export const flowersKind: SourceKind<'flowers'> = {
  kind: 'flowers',
  says: 'flowers',
  labels: 'always',
  prefixed: false,
  builtIn: 'the photographs, from any other folder',
  open: (_, options) => openFlowers(options),
  validation: 'held out',
};

const FOLDER = 'flower_photos';
const MEMBER = /^flower_photos\/(LICENSE\.txt|[a-z]+\/[\w-]+\.jpg)$/;

/**
 * The photographs' folder, fetched on the first call.
 * @throws DataError no-network or http-status when they cannot be had, bad-checksum, disk-full
 */
export async function fetchFlowers(options: FetchFlowersOptions = {}): Promise<Flowers> {
  checkOptions('fetchFlowers', options, OPTIONS);
  if (options.archive) checkOptions('fetchFlowers: archive', options.archive, ARCHIVE);
  if (options.http) checkOptions('fetchFlowers: http', options.http, HTTP_OPTIONS);
  const { cacheDir = defaultCacheDir(), onProgress, signal, archive = FLOWER_PHOTOS } = options;
  const root = path.join(cacheDir, FOLDER);
  const flowers = { root, attribution: attribution(root) };
  if (await exists(root)) return flowers;
  const http = { ...options.http, signal };
  const packed = path.join(cacheDir, `${FOLDER}.tgz`);
  const report = (phase: FlowerProgress['phase'], done: number): void =>
    onProgress?.({ phase, done, total: archive.bytes });
  await withFileLock(
    path.join(cacheDir, `${FOLDER}.lock`),
    async () => {
      if (await exists(root)) return;
      const download = { ...archive, path: packed, name: archive.url, open: httpDownload(archive.url, http) };
      await downloadFile(download, { ...http, onProgress: (done) => report('download', done) });
      await unpack(packed, root, (done) => report('unpack', done), signal);
      await fs.rm(packed);
    },
    { signal },
  );
  return flowers;
}

async function openFlowers({ cacheDir, signal, onProgress, http }: OpenOptions): Promise<ImageSource> {
  const { root, attribution } = await fetchFlowers({
    ...(cacheDir && { cacheDir }),
    ...(signal && { signal }),
    ...(http && { http }),
    onProgress: ({ phase, done, total }) => phase === 'download' && onProgress?.(done, total),
  });
  return { ...(await folderSource(root)), name: 'flower photographs', attribution };
}

const attribution = (root: string): string =>
  'Flower photographs collected by The TensorFlow Team, CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/); ' +
  `the photographers are listed in ${path.join(root, 'LICENSE.txt')}`;

const exists = async (file: string): Promise<boolean> => (await fs.stat(file).catch(() => undefined)) !== undefined;

/** Unpacks into a folder aside and renames it, so that `root` is complete or absent. */
async function unpack(
  packed: string,
  root: string,
  onBytes: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const aside = `${root}.${randomUUID()}.tmp`;
  let done = 0;
  const counter = new Transform({
    transform(piece: Uint8Array, _, pass) {
      done += piece.length;
      onBytes(done);
      pass(null, piece);
    },
  });
  try {
    const tar = extract();
    const members = writeMembers(tar, aside);
    await Promise.all([
      pipeline(createReadStream(packed), counter, createGunzip(), tar, signal ? { signal } : {}),
      members,
    ]);
    await fs.rename(path.join(aside, FOLDER), root);
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw new DataError('disk-full', `no room to unpack ${packed}; free some and try again`, cause);
    }
    await fs.rm(packed, { force: true });
    throw new DataError('damaged-file', `${packed} cannot be unpacked: ${(cause as Error).message}`, cause);
  } finally {
    await fs.rm(aside, { recursive: true, force: true });
  }
}

async function writeMembers(tar: ReturnType<typeof extract>, aside: string): Promise<void> {
  for await (const member of tar) {
    const { name, type } = member.header;
    if (type !== 'file' || !MEMBER.test(name)) {
      member.resume();
      continue;
    }
    const target = path.join(aside, name);
    await fs.mkdir(path.dirname(target), { recursive: true });
    await pipeline(member, createWriteStream(target));
  }
}
