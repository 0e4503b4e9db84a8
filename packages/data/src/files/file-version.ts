/**
 * What tells one content of a file from another without reading it: size, times of change and inode.
 *
 * The time of modification alone can be set back, and is when an archive is unpacked or a copy keeps it; the time of change of the inode
 * cannot. The inode tells apart files that were written in one tick of the clock and changed places. A file that was only renamed, or
 * whose folder was, keeps them.
 */

import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { checkArgument } from '../errors';
import { isLasting, readError } from './file-system';

/** A file as it is now. */
export const describeVersion = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string =>
  `${size} B, modified ${mtimeNs}, changed ${ctimeNs}, inode ${ino}`;

/**
 * The version of the file at `path`; in place of it why there is none, so that a file that appears is another version.
 * @throws DataError file-system where another attempt may succeed
 */
export async function fileVersion(path: string): Promise<string> {
  checkArgument('fileVersion', 'path', path, 'string');
  const info = await regularFile(path).catch((error) => {
    throw readError(path, error);
  });
  return typeof info === 'string' ? info : describeVersion(info);
}

/**
 * A regular file, or why there is none; a pipe or a device is none: opening those could block.
 * @throws the system's error where another attempt may succeed
 */
export async function regularFile(path: string): Promise<BigIntStats | string> {
  try {
    const info = await stat(path, { bigint: true });
    return info.isFile() ? info : 'no regular file';
  } catch (error) {
    if (isLasting(error)) return (error as NodeJS.ErrnoException).code!;
    throw error;
  }
}
