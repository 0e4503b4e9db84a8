/** What the file system refuses, as errors of this package that name the file and say what to do. */

import { readdir } from 'node:fs/promises';
import { DataError } from '../errors';

const LASTING = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'EISDIR',
  'ENAMETOOLONG',
  'ERR_INVALID_ARG_VALUE',
]);

/** Whether a failure to open a file is due to the file, and not to a device, a network or a full table of files. */
export const isLasting = (error: unknown): boolean => LASTING.has((error as NodeJS.ErrnoException)?.code ?? '');

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;

/** A failed reading as `file-system`: what cannot be read is not for that reason absent. Other errors stay as they are. */
export function readError(file: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const advice = isLasting(error) ? 'check the path and its permissions' : 'try again';
  return new DataError('file-system', `${file} cannot be read (${code}); ${advice}`, error);
}

/** A failed writing below a folder that was given or is the default; other errors as they are. */
export function writeError(file: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  return new DataError('file-system', `${file} cannot be written (${code}); give a cacheDir that can be`, error);
}

/**
 * The names in a folder that somebody gave.
 * @throws DataError not-found where it is none, file-system where it may not be read
 */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw readError(folder, error);
    throw new DataError('not-found', `${folder} is not a folder that can be read (${code}); check the path`, error);
  }
}
