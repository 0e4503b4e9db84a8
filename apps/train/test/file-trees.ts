/** Trees of files for tests, as plain objects: contents by path. */
import { join } from 'node:path';
import { writeAt } from './mask-files';

export type Files = Readonly<Record<string, string | Buffer>>;

/** Writes them below `root`, which is returned. */
export async function writeFiles(root: string, files: Files): Promise<string> {
  for (const [path, body] of Object.entries(files)) await writeAt(join(root, path), body);
  return root;
}

/** The same in a folder. */
export const below = (name: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([path, body]) => [`${name}/${path}`, body]));

export const without = (files: Files, ...paths: string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));
