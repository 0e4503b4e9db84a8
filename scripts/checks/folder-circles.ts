/**
 * Folders are rooms with doors that open one way: where files of one folder import from the folder beside it, nothing goes back. Types
 * count. Looked at are the folders of each folder, with all that lies below them; files at the top of a package belong to no room.
 */
import { importsOf, sourceFiles } from './source-imports';

/** An import from one folder into another below the same parent, with the place that does it. */
interface Door {
  readonly from: string;
  readonly to: string;
  readonly where: string;
}

/** A line for every import that closes a circle among the folders below `root` (`packages/tensor/src`). */
export function folderCircles(root: string): string[] {
  const reach = reachableFolders(root);
  const name = (folder: string) => folder.slice(root.length + 1);
  return doorsOf(root)
    .filter(({ from, to }) => reach.get(to)?.has(from))
    .map(({ from, to, where }) => `${where}: ${name(from)}/ imports ${name(to)}/, from which a way leads back`);
}

/** For each folder below `root` that imports others beside it: all that it comes to, directly or through others. */
export function reachableFolders(root: string): ReadonlyMap<string, ReadonlySet<string>> {
  const doors = doorsOf(root);
  return new Map(doors.map(({ from }) => [from, reachable(from, doors)]));
}

/** Tests may import what they like. */
function doorsOf(root: string): Door[] {
  return sourceFiles(root)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      importsOf(file).flatMap(({ target, line }) => (target ? doorBetween(root, file, target, line) : [])),
    );
}

/** The two folders in which the paths of importer and imported part, if each lies in one. */
function doorBetween(root: string, file: string, target: string, line: number): Door[] {
  if (!target.startsWith(`${root}/`)) return [];
  const [own, other] = [file, target].map((path) => path.split('/').slice(0, -1));
  const at = own!.findIndex((part, i) => part !== other![i]);
  if (at < 0 || other!.length <= at) return [];
  return [{ from: own!.slice(0, at + 1).join('/'), to: other!.slice(0, at + 1).join('/'), where: `${file}:${line}` }];
}

function reachable(start: string, doors: readonly Door[]): Set<string> {
  const found = new Set<string>();
  const waiting = [start];
  for (const folder of waiting) {
    for (const { from, to } of doors) {
      if (from !== folder || found.has(to)) continue;
      found.add(to);
      waiting.push(to);
    }
  }
  return found;
}
