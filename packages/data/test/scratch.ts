/** A folder for one test, removed after it. */

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { ImageSource } from '../src/images/image-source';

/** Makes a folder that goes when the running test is over. */
export function scratchFolder(): string {
  const root = mkdtempSync(path.join(tmpdir(), 'franca-data-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** Writes files below a folder, given as path -> content. */
export function writeFiles(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  }
}

const indices = (source: ImageSource): number[] => Array.from({ length: source.length }, (_, index) => index);

/** Keys of all images, in order. */
export const keysOf = (source: ImageSource): string[] => indices(source).map((index) => source.key(index));

/** Labels of all images, in order. */
export const labelsOf = (source: ImageSource): (number | undefined)[] =>
  indices(source).map((index) => source.label?.(index));

/** Versions of all images, in order. */
export const versionsOf = (source: ImageSource): Promise<string[]> =>
  Promise.all(indices(source).map((index) => source.version(index)));

/** Replaces every file below a folder by one of the same size with the same time of modification. */
export async function rewriteFiles(root: string): Promise<void> {
  // Clocks of file systems tick every few milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(root, name);
    const { atime, mtime } = statSync(file);
    if (!statSync(file).isFile()) continue;
    writeFileSync(file, readFileSync(file));
    utimesSync(file, atime, mtime);
  }
}

/** The bytes of an image as text: test files hold text where nothing decodes them. */
export async function readText(source: ImageSource, index: number): Promise<string> {
  const content = await source.read(index);
  if ('pixels' in content) throw new Error('the source gives pixels');
  return new TextDecoder().decode(content.encoded);
}
