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

/** A line for every circle among the folders below `root` (`packages/tensor/src`), tests left out. */
export function folderCircles(root: string): string[] {
  const doors = sourceFiles(root)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      importsOf(file).flatMap(({ target, line }) => (target ? doorBetween(root, file, target, line) : [])),
    );
  const reach = new Map<string, Set<string>>();
  for (const { from } of doors) reach.set(from, reachable(from, doors));
  const closing = doors.filter(({ from, to }) => reach.get(to)?.has(from));
  const name = (folder: string) => folder.slice(root.length + 1);
  return closing.map(
    ({ from, to, where }) => `${where}: ${name(from)}/ imports ${name(to)}/, from which a way leads back`,
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
