/**
 * Lists the files of a kind below a folder, in an order that does not depend on the file system.
 *
 * Symbolic links to files and folders are followed, as data sets are often assembled from them; each real folder is entered
 * once (known by device and inode), so links that form loops end, and a set of links to each other cannot blow up. Real
 * folders are walked before linked ones, so that a picture reachable both ways keeps its real path. Names that begin with a
 * dot and other traces of systems are passed over (`passed-over.ts`).
 */

import { type Dirent, promises as fs } from 'node:fs';
import path from 'node:path';
import { hasImageExtension } from '../images/image-format';
import { byCodeUnit } from './by-code-unit';
import { isPassedOver } from './passed-over';

export interface FoundFiles {
  /** Paths relative to the root with `/` between parts, sorted by code unit. */
  readonly files: string[];
  /** How many other files of each extension were seen. */
  readonly others: ReadonlyMap<string, number>;
  /** Folders and links that could not be followed, and files whose names are no text. */
  readonly unreadable: string[];
  /** Folders, and files of the kind, that were passed over. */
  readonly passedOver: string[];
}

/** Lists the image files below `root`. */
export const walkImages = (root: string): Promise<FoundFiles> => walkFiles(root, hasImageExtension);

/** Lists the files below `root` whose names are wanted. Folders that cannot be read are reported, not fatal. */
export async function walkFiles(root: string, isWanted: (name: string) => boolean): Promise<FoundFiles> {
  const files: string[] = [];
  const others = new Map<string, number>();
  const unreadable: string[] = [];
  const passedOver: string[] = [];
  const entered = new Set<string>();
  const real: string[] = [''];
  const linked: string[] = [];

  const addFile = (relative: string): void => {
    if (isWanted(relative)) files.push(relative);
    else {
      const extension = path.posix.extname(relative).toLowerCase() || '(no extension)';
      others.set(extension, (others.get(extension) ?? 0) + 1);
    }
  };
  const addEntry = async (folder: string, entry: Dirent): Promise<void> => {
    const relative = folder ? `${folder}/${entry.name}` : entry.name;
    if (isPassedOver(entry.name)) {
      if (entry.isDirectory() || isWanted(entry.name)) passedOver.push(relative);
    } else if (await isUnreachable(root, relative)) unreadable.push(relative);
    else if (entry.isDirectory()) real.push(relative);
    else if (entry.isFile()) addFile(relative);
    else if (entry.isSymbolicLink()) {
      const target = await fs.stat(path.join(root, relative)).catch(() => undefined);
      if (target?.isDirectory()) linked.push(relative);
      else if (target?.isFile()) addFile(relative);
      else unreadable.push(relative);
    }
  };

  for (;;) {
    const folder = real.pop() ?? linked.shift();
    if (folder === undefined) break;
    try {
      const absolute = path.join(root, folder);
      const { dev, ino } = await fs.stat(absolute, { bigint: true });
      const identity = `${dev}:${ino}`;
      if (entered.has(identity)) continue;
      entered.add(identity);
      const entries = await fs.readdir(absolute, { withFileTypes: true });
      for (const entry of entries.sort(byName)) await addEntry(folder, entry);
    } catch {
      unreadable.push(folder || '.');
    }
  }
  return { files: files.sort(byCodeUnit), others, unreadable, passedOver };
}

/** Whether a name is no UTF-8: it is listed with replacement characters, under which there is no file. */
async function isUnreachable(root: string, relative: string): Promise<boolean> {
  return relative.includes('\ufffd') && !(await fs.lstat(path.join(root, relative)).catch(() => undefined));
}

const byName = (a: Dirent, b: Dirent): number => byCodeUnit(a.name, b.name);
