/** What the file system refuses, as errors of this package that name the file and say what to do. */

import { readdir } from 'node:fs/promises';
import { DataError } from '../errors';

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;

/** A failed reading: `not-found` where the file itself is at fault, `file-system` where another attempt may succeed; other errors as they are. */
export function readError(file: string, error: unknown, lasting: boolean): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  return lasting
    ? new DataError('not-found', `${file} cannot be read (${code}); check the path and its permissions`, error)
    : new DataError('file-system', `${file} cannot be read now (${code}); try again`, error);
}

/** A failed writing below a folder that was given or is the default; other errors as they are. */
export function writeError(file: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  return new DataError('file-system', `${file} cannot be written (${code}); give a cacheDir that can be`, error);
}

/**
 * The names in a folder that somebody gave.
 * @throws DataError not-found where it is none, or may not be read
 */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw readError(folder, error, true);
  }
}
