/** Texts that identify files: a hash of the content, or of names, sizes and times of change. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of a file's content, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Identifies a set of files by their names below `root`, sizes, inodes and times of change, in the order given, without reading
 * them: a file that is added, removed, replaced or edited changes it, also where its time of modification was set back.
 */
export async function fingerprintFiles(root: string, names: Iterable<string>): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) {
    const { size, mtimeNs, ctimeNs, ino } = await stat(join(root, name), { bigint: true });
    hash.update(JSON.stringify([name, ...[size, mtimeNs, ctimeNs, ino].map(String)]));
  }
  return hash.digest('hex');
}
