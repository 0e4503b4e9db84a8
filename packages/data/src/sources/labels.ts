/** From what files say of their classes to labels: a class list, and each image's position in it. */

import { byCodeUnit } from './by-code-unit';

/** The labels of a source, as `ImageSource` has them. */
export interface Labels {
  readonly classes: readonly string[];
  label(index: number): number | undefined;
}

/** Labels by the position of each value in a class list; a value that is not in it is none. */
export function classLabels(values: readonly (string | undefined)[], classes: readonly string[]): Labels {
  const positions = new Map(classes.map((name, position) => [name, position]));
  const label = (index: number): number | undefined => {
    const value = values[index];
    return value === undefined ? undefined : positions.get(value);
  };
  return { classes, label };
}

/** The distinct values in order: by number where all are whole numbers, else by code unit. */
export function sortedClasses(values: readonly (string | undefined)[]): string[] {
  const distinct = [...new Set(values)].filter((value) => value !== undefined);
  const numbers = distinct.every((value) => /^\d+$/.test(value));
  return distinct.sort(numbers ? (a, b) => Number(a) - Number(b) : byCodeUnit);
}

/**
 * Labels by folders: each path's class folder, after the folders that all paths share and that are no class. Undefined unless
 * every path has such a folder; without a class list, unless there are at least two of them.
 * @param fixed the class list; default the folders found, sorted by code unit
 */
export function folderLabels(paths: readonly string[], fixed?: readonly string[]): Labels | undefined {
  const folders = classFolders(paths, fixed);
  return folders && classLabels(folders, fixed ?? [...new Set(folders)].sort(byCodeUnit));
}

/** The folders themselves. */
export function classFolders(paths: readonly string[], fixed: readonly string[] = []): string[] | undefined {
  const parts = paths.map((each) => each.split('/'));
  const first = parts[0] ?? [];
  const isShared = (depth: number): boolean =>
    !fixed.includes(first[depth] ?? '') &&
    parts.every((each) => each.length > depth + 1 && each[depth] === first[depth]);
  let depth = 0;
  while (isShared(depth)) depth++;
  if (!parts.every((each) => each.length > depth + 1)) return undefined;
  return parts.map((each) => each[depth]!);
}
