/** Errors of the file system as errors of this package, saying what to do. */
import { CheckpointError, type CheckpointErrorCode } from './errors';

/** What was being done to a file or folder. */
export type FileWork = 'open' | 'read' | 'write';

type Explanation = readonly [CheckpointErrorCode, what: string, wayOut: string];

const FORBIDDEN: Explanation = ['inaccessible', 'this user may not', 'check its permissions and those of its folder'];
const TOO_MANY: Explanation = ['inaccessible', 'too many files are open', 'close those that are not needed'];
const UNTOUCHED = 'what was saved before is untouched; free some space, or keep fewer checkpoints, and run again';

const EXPLAINED: Readonly<Record<string, Explanation>> = {
  ENOENT: ['not-found', 'there is no such file or folder', 'check the path'],
  ENOTDIR: ['not-found', 'a part of the path is no folder', 'check the path'],
  EISDIR: ['argument', 'it is a folder', 'name a file in it'],
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: ['inaccessible', 'the file system is read-only', 'choose another folder'],
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  EBADF: ['closed', 'it is closed', 'read its tensors before that, or open it again'],
  ENOSPC: ['disk-full', 'the disk is full', UNTOUCHED],
  EDQUOT: ['disk-full', 'the disk quota is used up', UNTOUCHED],
};

/** Runs `work` on `path`. @throws CheckpointError in place of an error of the file system; what else `work` throws */
export async function explained<T>(doing: FileWork, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainFileError(doing, path, error);
  }
}

/** An error of the file system, explained; any other as it is. */
export function explainFileError(doing: FileWork, path: string, error: unknown): unknown {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: string };
  if (error instanceof CheckpointError || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  const [kind, what, wayOut] = EXPLAINED[code] ?? ['inaccessible', message, 'check path and disk'];
  return new CheckpointError(kind, `cannot ${doing} ${path}: ${what} (${code}); ${wayOut}`, { cause: error });
}

/** The errors of a full disk or quota, explained, whoever met them; any other as it is. */
export function explainFullDisk(path: string, error: unknown): unknown {
  const { code } = Object(error) as { readonly code?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' ? explainFileError('write', path, error) : error;
}
