/** One file from an address, kept under a path of the caller's: whole and checked, or not at all. */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions } from '../errors';
import { downloadFile, httpDownload } from './download';
import { withFileLock } from './file-lock';
import { HTTP_OPTIONS, type HttpOptions } from './http-file';

export interface FetchFileOptions extends HttpOptions {
  /** Expected SHA-256 in hex. */
  readonly sha256?: string | undefined;
  /** Called as bytes arrive; `total` where it is known. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
}

const OPTIONS: OptionKinds<FetchFileOptions> = { ...HTTP_OPTIONS, sha256: 'string', onProgress: 'function' };

/**
 * Makes sure that `path` exists, fetching it from `url` if need be; of several processes one fetches. Broken downloads go on where a checksum can prove the result.
 * @throws DataError no-network, http-status, checksum, disk-full
 */
export async function fetchFile(url: string, path: string, options: FetchFileOptions = {}): Promise<void> {
  checkArgument('fetchFile', 'url', url, 'string');
  checkArgument('fetchFile', 'path', path, 'string');
  checkOptions('fetchFile', options, OPTIONS);
  const { sha256, ...http } = options;
  const download = { path, name: url, sha256, open: httpDownload(url, http) };
  await withFileLock(`${path}.lock`, () => downloadFile(download, http), { signal: options.signal });
}
