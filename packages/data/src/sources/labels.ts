/**
 * From what files say of their classes to labels: a class list, and each image's position in it.
 *
 * Where folders tell the class, an image's class folder is the first one that images do not all share. That holds only if
 * every image lies in such a folder and the folders are no parts or masks of a data set; else there are no labels, and words
 * that say why.
 */

import type { ClassCounts } from '../images/image-source';
import { byCodeUnit } from './by-code-unit';

/** The labels of a source, as `ImageSource` has them. */
export interface Labels {
  readonly classes: readonly string[];
  label(index: number): number | undefined;
  unlistedClass(index: number): string | undefined;
}

/** Why there are no labels, as `ImageSource` has it. */
export interface Unlabelled {
  readonly whyUnlabelled: string;
}

/** Labels by the position of each value in a class list; a value that is not in it is the name of an unlisted class. */
export const classLabels = (values: readonly (string | undefined)[], classes: readonly string[]): Labels =>
  labelsBy((index) => values[index], classes);

/** The same where values are looked up. */
export function labelsBy(valueAt: (index: number) => string | undefined, classes: readonly string[]): Labels {
  const positions = new Map(classes.map((name, position) => [name, position]));
  const label = (index: number): number | undefined => {
    const value = valueAt(index);
    return value === undefined ? undefined : positions.get(value);
  };
  const unlistedClass = (index: number): string | undefined =>
    label(index) === undefined ? valueAt(index) : undefined;
  return { classes, label, unlistedClass };
}

/** Counts of values as counts of classes. @param images all of them, those without a value too */
export function countsOfClasses(
  values: ReadonlyMap<string, number>,
  classes: readonly string[],
  images: number,
): ClassCounts {
  const known = new Set(classes);
  const labelled = [...values.values()].reduce((sum, count) => sum + count, 0);
  return {
    perClass: classes.map((name) => values.get(name) ?? 0),
    unlisted: new Map([...values].filter(([name]) => !known.has(name))),
    unlabelled: images - labelled,
  };
}

/** The distinct values in order: by number where all are whole numbers, else by code unit. */
export function sortedClasses(values: readonly (string | undefined)[]): string[] {
  const distinct = [...new Set(values)].filter((value) => value !== undefined);
  const numbers = distinct.every((value) => /^\d+$/.test(value));
  return distinct.sort(numbers ? (a, b) => Number(a) - Number(b) : byCodeUnit);
}

/** Names of which a later one that repeats an earlier one carries its position, so that each means one class. */
export function distinctNames(names: readonly string[]): string[] {
  const first = new Map(names.map((name, at) => [name, at] as const).toReversed());
  return names.map((name, at) => (first.get(name) === at ? name : `${name} (${at})`));
}

/**
 * Labels by folders: each path's class folder. Undefined where there are no folders to tell, or, without a class list, a
 * single one.
 * @param fixed the class list; default the folders found, sorted by code unit
 */
export function folderLabels(paths: readonly string[], fixed?: readonly string[]): Labels | Unlabelled | undefined {
  const folders = classFolders(paths, fixed);
  return folders ? classLabels(folders, fixed ?? [...new Set(folders)].sort(byCodeUnit)) : whyUnlabelled(paths, fixed);
}

/** The folders themselves. */
function classFolders(paths: readonly string[], fixed?: readonly string[]): string[] | undefined {
  const depth = classFolderDepth(paths, fixed);
  return depth === undefined ? undefined : paths.map((each) => each.split('/')[depth]!);
}

/** At which depth they are; undefined where there are none. Of paths in one folder, one will do. */
export function classFolderDepth(paths: readonly string[], fixed?: readonly string[]): number | undefined {
  const parts = paths.map((each) => each.split('/'));
  const depth = classDepth(parts, fixed);
  if (!parts.every((each) => each.length > depth + 1)) return undefined;
  const isData = fixed === undefined && noClasses([...new Set(parts.map((each) => each[depth]!))]);
  return isData ? undefined : depth;
}

/** Images that some paths stand for: how many, and the first few. */
export interface NamedImages {
  readonly count: number;
  readonly first: readonly string[];
}

/**
 * Why paths have no class folders, where there are folders that look as if they could be.
 * @param imagesOf what paths stand for, where it is not one image each
 */
export function whyUnlabelled(
  paths: readonly string[],
  fixed?: readonly string[],
  imagesOf = (some: readonly string[]): NamedImages => ({ count: some.length, first: some.slice(0, SHOWN) }),
): Unlabelled | undefined {
  const parts = paths.map((each) => each.split('/'));
  const depth = classDepth(parts, fixed);
  const strays = paths.filter((_, at) => parts[at]!.length <= depth + 1);
  if (strays.length === paths.length) return undefined;
  if (strays.length > 0) {
    const images = imagesOf(strays);
    return {
      whyUnlabelled:
        `folders are not taken for classes because ${count(images.count, 'image lies', 'images lie')} beside them ` +
        `(${firstOf(images)}); move ${images.count === 1 ? 'it' : 'them'} into a class folder or away`,
    };
  }
  const folders = [...new Set(parts.map((each) => each[depth]!))].sort(byCodeUnit);
  const are = fixed === undefined ? noClasses(folders) : undefined;
  return are === undefined ? undefined : { whyUnlabelled: `the folders ${folders.join(' and ')} ${are}` };
}

/**
 * At which depth the class folders are. With a class list: the first at which a path has one of its names; where there is none,
 * the first folder, so that a foreign class is one and not a folder to pass through.
 */
function classDepth(parts: readonly (readonly string[])[], fixed?: readonly string[]): number {
  if (fixed) {
    const names = new Set(fixed);
    const deepest = parts.reduce((most, each) => Math.max(most, each.length - 1), 0);
    for (let depth = 0; depth < deepest; depth++)
      if (parts.some((each) => each.length > depth + 1 && names.has(each[depth]!))) return depth;
  }
  const first = parts[0] ?? [];
  let depth = 0;
  while (parts.every((each) => each.length > depth + 1 && each[depth] === first[depth])) depth++;
  const flat = parts.every((each) => each.length === depth + 1);
  return fixed && flat ? 0 : depth;
}

/** Names that folders have side by side when they are no classes, and what they are then. */
const NO_CLASSES: readonly { readonly names: readonly string[]; readonly are: string }[] = [
  {
    names: ['train', 'training', 'val', 'valid', 'validation', 'dev', 'test', 'testing'],
    are: 'are parts of a data set, not classes; give the folder that holds the classes',
  },
  {
    names: [
      ...[
        'images',
        'image',
        'imgs',
        'img',
        'jpegimages',
        'rgb',
        'color',
        'masks',
        'mask',
        'annotations',
        'annotation',
        'labels',
      ],
      ...['label', 'segmentationclass', 'segmentationobject', 'depth', 'normals', 'gt', 'groundtruth', 'ground_truth'],
    ],
    are: 'are images and what belongs to them, not classes; give the folder of the images alone',
  },
];

/** What folders are, in words, where they are parts of a data set, or its images and masks. */
const noClasses = (folders: readonly string[]): string | undefined =>
  folders.length < 2
    ? undefined
    : NO_CLASSES.find(({ names }) => folders.every((folder) => names.includes(folder.toLowerCase())))?.are;

/** `3 images`, `1 image`. */
export const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** How many of a list are shown. */
export const SHOWN = 5;

/** The first few of a list, and that there are more. */
export const some = (texts: readonly string[]): string =>
  firstOf({ count: texts.length, first: texts.slice(0, SHOWN) });

const firstOf = ({ count, first }: NamedImages): string =>
  first.join(', ') + (count > first.length ? ` and ${count - first.length} more` : '');
