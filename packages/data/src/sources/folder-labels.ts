/** Reads classes off paths: the folders that hold the images, where the images lie in folders at all. */

/**
 * The class folder of each path, after the folders that all paths share. Undefined unless every path has such a folder and
 * there are at least two of them.
 */
export function folderLabels(paths: readonly string[]): string[] | undefined {
  const parts = paths.map((each) => each.split('/'));
  const first = parts[0] ?? [];
  let depth = 0;
  while (parts.every((each) => each.length > depth + 1 && each[depth] === first[depth])) depth++;
  if (!parts.every((each) => each.length > depth + 1)) return undefined;
  return parts.map((each) => each[depth]!);
}
