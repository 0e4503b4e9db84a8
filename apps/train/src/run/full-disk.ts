/** A full disk, in terms of the program. */
import { TrainError } from '../errors';

/** `error`, or where the disk of `out` is full, one that says so. */
export function explainFullDisk(error: unknown, out: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new TrainError('run', `the disk of ${out} is full; free some space`, { cause: error })
    : error;
}
