/** A folder that appears whole or not at all: it is filled under another name beside its place, then renamed. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TrainError } from '../errors';
import { checkOutputFolder } from '../options/outputs';

/** Refuses a folder that has anything in it, or cannot be made. @throws TrainError `file` */
export async function checkNewFolder(path: string): Promise<void> {
  await checkOutputFolder(path);
  const names = await namesIn(path);
  if (names.length > 0)
    throw new TrainError(
      'file',
      `${path} holds ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}, and nothing is written over; give another --to, or remove it first`,
    );
}

const namesIn = (path: string): Promise<string[]> => readdir(path).catch(() => []);

/**
 * Calls `fill` with a folder beside `path`, which becomes `path` when that is done. Where it fails nothing is left.
 * @throws TrainError `file` as `checkNewFolder`, and what `fill` throws
 */
export async function writeNewFolder<T>(path: string, fill: (folder: string) => Promise<T>): Promise<T> {
  await checkNewFolder(path);
  const whole = resolve(path);
  const aside = join(dirname(whole), `.${basename(whole)}.part-${randomUUID()}`);
  await mkdir(aside, { recursive: true });
  try {
    const made = await fill(aside);
    // an empty folder of that name may be there, which not every system renames over
    await rmdir(whole).catch(() => {});
    await rename(aside, whole);
    return made;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}
