/** Where the files lie that name the classes of a flat folder of images: in it, beside it, and where ImageNet's own downloads put them. */

import path from 'node:path';

const DEVKIT = 'ILSVRC2012_devkit_t12/data';

/** `root` for `root/ILSVRC/Data/CLS-LOC`: Kaggle's lists lie beside `ILSVRC`. */
export const aboveKaggle = (folder: string): string[] =>
  path.basename(path.resolve(folder)) === 'CLS-LOC' ? [path.resolve(folder, '../../..')] : [];

/**
 * Folders of text files, the nearest first: those of the images, the folder itself, the one above, and there the devkit's.
 * @param folder the flat folder
 * @param inner folders of images in it, relative to it
 */
export function labelPlaces(
  folder: string,
  inner: readonly string[],
): { own: readonly string[]; above: readonly string[] } {
  const own = [...new Set([...inner.map((each) => path.resolve(folder, each)), path.resolve(folder)])];
  const beside = path.dirname(path.resolve(folder));
  const roots = [beside, ...aboveKaggle(beside)];
  return { own, above: roots.flatMap((root) => [root, path.join(root, DEVKIT)]) };
}

/** Folders where an XML file for each image may lie: Kaggle's `Annotations` and the download of the boxes. */
export function boxPlaces(folder: string): string[] {
  const part = path.basename(path.resolve(folder));
  const beside = path.dirname(path.resolve(folder));
  const ilsvrc = path.basename(beside) === 'CLS-LOC' ? [path.resolve(beside, '../..')] : [];
  const roots = [...ilsvrc, beside];
  return [
    ...roots.flatMap((root) => [path.join(root, 'Annotations/CLS-LOC', part), path.join(root, 'Annotations', part)]),
    path.resolve(folder),
  ];
}
