/** Packages in a bundle: their files at their places, and a list of their licences. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Part } from './closure';
import { contentsOf } from './contents';
import { copyStripped } from './node-program';

export function copyFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Copies parts to `place` below `folder`. Dawn, by far the largest, goes without its symbols. */
export async function addParts(folder: string, parts: readonly Part[]): Promise<void> {
  for (const part of parts)
    for (const path of contentsOf(part)) {
      const [from, to] = [join(part.folder, path), join(folder, part.place, path)];
      copyFile(from, to);
      if (path.endsWith('dawn.node')) await copyStripped(from, to);
    }
}

/** A notice for what others wrote: `more` has what is no package of npm. */
export function notices(parts: readonly Part[], more: readonly string[]): string {
  const rows = parts.filter(({ published }) => !published).map(noticeOf);
  return [
    '# Third-party notices',
    '',
    'This bundle holds what is listed here, each under its own licence, whose text lies in its folder.',
    '',
    '| what | version | licence | where |',
    '|---|---|---|---|',
    ...more,
    ...rows,
    '',
  ].join('\n');
}

const noticeOf = ({ name, version, licence, place }: Part): string =>
  `| ${name} | ${version} | ${licence} | ${place} |`;
