/**
 * Files of a repository on the Hugging Face hub, of a data set or a model, through `@huggingface/hub`.
 *
 * A file can be read by ranges where it is, or kept in the cache folder under the hash of its content (checked against it,
 * where the hub gives a SHA-256). The list of a repository's files is kept too, so that what was fetched once works offline.
 */

import path from 'node:path';
import { HubApiError, downloadFile as hubDownload, listFiles } from '@huggingface/hub';
import { DataError } from '../errors';
import { type ByteFile, checkRange, openLocalFile } from './byte-file';
import { readCachedJson, writeCachedJson } from './cached-json';
import { downloadFile } from './download';
import { withFileLock } from './file-lock';
import { type HttpOptions, networkError, retrying } from './http-file';
import { proxiedFetch } from './proxied-fetch';

export interface HubOptions {
  /** Where fetched files are kept. */
  readonly cacheDir: string;
  /** Another hub. Default `$HF_ENDPOINT`, else https://huggingface.co. */
  readonly hubUrl?: string | undefined;
  /** Access token for private or gated data. Default `$HF_TOKEN`. */
  readonly token?: string | undefined;
  readonly http?: Omit<HttpOptions, 'signal'> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One file of a repository; plain JSON. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Git's hash of the file, or of its pointer. */
  readonly oid: string;
  /** SHA-256 of the content, for files in large-file storage. */
  readonly sha256?: string;
}

/** Hash of a file's content, which the hub knows. */
export const contentOf = ({ sha256, oid }: HubFile): string => sha256 ?? oid;

const DEFAULT_HUB = 'https://huggingface.co';

export interface Repository {
  /** `owner/name`. */
  readonly repo: string;
  readonly revision: string;
  /** What it is of; default a data set. */
  readonly type?: 'dataset' | 'model';
}

/** The files of a repository. */
export interface HubListing {
  readonly files: readonly HubFile[];
  /** Whether it is that of last time, as there is no network. */
  readonly fromCache: boolean;
}

/**
 * Lists the files of a repository; without a network, those that the same hub listed last time.
 * @throws DataError no-network, http-status (no such repository, or no access)
 */
export async function listHubFiles(repository: Repository, options: HubOptions): Promise<HubListing> {
  const kept = listingPath(repository, options);
  try {
    const files = await retrying(httpOptions(options), () => listNow(repository, options));
    await writeCachedJson(kept, files);
    return { files, fromCache: false };
  } catch (error) {
    const known = error instanceof DataError && error.code === 'no-network' && (await readCachedJson<HubFile[]>(kept));
    if (known) return { files: known, fromCache: true };
    throw error;
  }
}

/** Another hub may have a repository of the same name: its address is part of the name of the listing. */
function listingPath(repository: Repository, options: HubOptions): string {
  const hub = hubUrlOf(options);
  const at = hub && hub !== DEFAULT_HUB ? `@${encodeURIComponent(hub)}` : '';
  return path.join(repoFolder(repository, options), `files-${encodeURIComponent(repository.revision)}${at}.json`);
}

async function listNow(repository: Repository, options: HubOptions): Promise<HubFile[]> {
  const files: HubFile[] = [];
  try {
    // The listing, unlike the download, does not escape a revision such as refs/convert/parquet.
    const request = {
      ...credentials(repository, options),
      revision: encodeURIComponent(repository.revision),
      recursive: true,
    };
    for await (const { type, path: name, size, oid, lfs } of listFiles(request)) {
      if (type !== 'file' || !oid || !/^[0-9a-f]+$/.test(oid)) continue;
      const sha256 = lfs && /^[0-9a-f]{64}$/.test(lfs.oid) ? lfs.oid : undefined;
      files.push({ path: name, size: lfs?.size ?? size, oid, ...(sha256 && { sha256 }) });
    }
  } catch (error) {
    throw hubError(`hf://${repository.repo}`, error, options.signal);
  }
  return files;
}

/** Opens a file where it is, by ranges. */
export function openHubFile(repository: Repository, file: HubFile, options: HubOptions): ByteFile {
  const described = { name: `hf://${repository.repo}/${file.path}`, size: file.size };
  let blob: Promise<Blob> | undefined;
  return {
    ...described,
    version: contentOf(file),
    remote: true,
    read: (offset, length, signal) => {
      checkRange(described, offset, length);
      return retrying({ ...httpOptions(options), signal }, async () => {
        blob ??= openBlob(repository, file, options);
        try {
          const bytes = new Uint8Array(await (await blob).slice(offset, offset + length).arrayBuffer());
          if (bytes.length !== length) throw new TypeError(`${bytes.length} of ${length} bytes came`);
          return bytes;
        } catch (error) {
          // Download addresses expire: the next attempt asks for a new one.
          blob = undefined;
          throw hubError(described.name, error, signal);
        }
      });
    },
  };
}

/** Path of the file in the cache folder, fetched there if need be; `place`: under this name, and not under the hash of its content. */
export async function cacheHubFile(
  repository: Repository,
  file: HubFile,
  options: HubOptions,
  { onProgress, place }: { readonly onProgress?: (done: number) => void; readonly place?: string } = {},
): Promise<string> {
  const target = path.join(repoFolder(repository, options), place ?? `${contentOf(file)}${path.extname(file.path)}`);
  const name = `hf://${repository.repo}/${file.path}`;
  const kept = await openLocalFile(target).catch(() => undefined);
  if (kept?.size === file.size) return target;
  const open = async (offset: number): Promise<{ offset: number; body: AsyncIterable<Uint8Array> }> => {
    const blob = await openBlob(repository, file, options);
    return { offset, body: streamBlob(blob.slice(offset), name, options.signal) };
  };
  const download = { path: target, name, bytes: file.size, sha256: file.sha256, open };
  await withFileLock(`${target}.lock`, () => downloadFile(download, { ...httpOptions(options), onProgress }), {
    signal: options.signal,
  });
  return target;
}

async function openBlob(repository: Repository, file: HubFile, options: HubOptions): Promise<Blob> {
  const name = `hf://${repository.repo}/${file.path}`;
  try {
    const { revision } = repository;
    const blob = await hubDownload({ ...credentials(repository, options), revision, path: file.path });
    if (blob) return blob;
  } catch (error) {
    throw hubError(name, error, options.signal);
  }
  throw new DataError('http-status', `${name} is listed but not there`, { cause: 404 });
}

async function* streamBlob(blob: Blob, name: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of blob.stream()) {
      signal?.throwIfAborted();
      yield piece;
    }
  } catch (error) {
    throw hubError(name, error, signal);
  }
}

const repoFolder = ({ repo, type = 'dataset' }: Repository, { cacheDir }: HubOptions): string =>
  path.join(cacheDir, type === 'dataset' ? 'hub' : 'hub-models', repo.replaceAll('/', '--'));

const hubUrlOf = ({ hubUrl = process.env.HF_ENDPOINT }: HubOptions): string | undefined => hubUrl?.replace(/\/$/, '');

const httpOptions = ({ http, signal }: HubOptions): HttpOptions => ({ ...http, signal });

function credentials(
  { repo, type = 'dataset' }: Repository,
  options: HubOptions,
): { repo: { type: 'dataset' | 'model'; name: string }; hubUrl?: string } {
  const { token = process.env.HF_TOKEN, signal } = options;
  const hubUrl = hubUrlOf(options);
  const abortable: typeof fetch = (input, init) => {
    const signals = [signal, init?.signal].filter((each) => each instanceof AbortSignal);
    return proxiedFetch(input, { ...init, signal: AbortSignal.any(signals) });
  };
  return {
    repo: { type, name: repo },
    ...{ fetch: abortable },
    ...(hubUrl && { hubUrl }),
    ...(token && { accessToken: token }),
  };
}

function hubError(name: string, error: unknown, signal: AbortSignal | undefined): unknown {
  signal?.throwIfAborted();
  if (error instanceof DataError) return error;
  if (!(error instanceof HubApiError)) return networkError(name, error);
  const hint = [401, 403, 404].includes(error.statusCode)
    ? '; check the name, and set HF_TOKEN if it is private or gated'
    : '';
  return new DataError('http-status', `${name}: the hub answers ${error.statusCode}${hint}`, {
    cause: error.statusCode,
  });
}
