/** Small JSON files in the cache folder: written aside and renamed, made anew when they cannot be read. */

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** The value, or undefined when there is none or it is damaged. */
export async function readCachedJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Keeps a value. A cache that cannot be written (full disk, read-only home) is no reason to stop. */
export async function writeCachedJson(file: string, value: unknown): Promise<void> {
  const aside = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(aside, JSON.stringify(value));
    await rename(aside, file);
  } catch {
    await rm(aside, { force: true }).catch(() => {});
  }
}
