/** Texts that identify files: a hash of the content, or of names, sizes and times of change. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { checkArgument, checkOption, EvalsError } from '../errors';

/**
 * SHA-256 of a file's content, in hex.
 *
 * @throws EvalsError `bad-file` when it cannot be read
 */
export async function hashFile(path: string): Promise<string> {
  checkArgument('hashFile', 'path', path, 'string');
  const hash = createHash('sha256');
  await reading(path, () => pipeline(createReadStream(path), hash));
  return hash.digest('hex');
}

/**
 * Identifies a set of files by their names below `root`, sizes, inodes and times of change, in the order given, without reading
 * them: a file that is added, removed, replaced or edited changes it, also where its time of modification was set back.
 *
 * @throws EvalsError `bad-file` for one that is not there
 */
export async function fingerprintFiles(root: string, names: Iterable<string>): Promise<string> {
  checkArgument('fingerprintFiles', 'root', root, 'string');
  checkOption(
    typeof names === 'object' && names !== null && Symbol.iterator in names,
    'fingerprintFiles: names are no series of file names; give an array of them',
  );
  const hash = createHash('sha256');
  for (const name of names) {
    const path = join(root, name);
    const { size, mtimeNs, ctimeNs, ino } = await reading(path, () => stat(path, { bigint: true }));
    hash.update(JSON.stringify([name, ...[size, mtimeNs, ctimeNs, ino].map(String)]));
  }
  return hash.digest('hex');
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new EvalsError('bad-file', `${path} cannot be read (${(cause as NodeJS.ErrnoException).code}); give a file`, {
      cause,
    });
  }
}
