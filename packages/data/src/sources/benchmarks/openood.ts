/**
 * OpenOOD v1.5 for ImageNet-1k (Zhang et al. 2023): which images are of known classes, and five sets of images that are of none.
 *
 * Its lists lie in `benchmark_imglist/imagenet`, a line `path label` for an image, with -1 for those of no class; its images below
 * `images_largescale`, and those of Textures below `images_classic`. Inside are 45,000 of ImageNet's 50,000 validation images; the other
 * 5,000 are there to choose settings on. SSB-hard and NINCO are near to ImageNet's classes, iNaturalist, Textures and OpenImage-O far from
 * them. A label is the place of the class in the sorted list of the 1,000.
 *
 * ImageNet's images may lie in class folders too. What is not there is told: a set by its name, images by their number.
 */

import path from 'node:path';
import { checkArgument, DataError } from '../../errors';
import { isFile } from '../../files/is-file';
import { isFolder } from '../../files/is-folder';
import type { ImageSource } from '../../images/image-source';
import { imageFiles } from '../image-files';
import { leftOut, leftOutNotes } from '../left-out';
import { parseLines } from '../list-lines';
import { findWhere } from './find-folder';
import { IMAGENET_CLASSES } from './imagenet-classes';
import { damaged, readList, relativePath } from './list-file';
import { filesPresent, written } from './listed-parts';

/** A set of images of no known class. */
export interface OutsideSet {
  /** As in records, such as `ssb-hard`. */
  readonly name: string;
  /** As people call it, such as `SSB-hard`. */
  readonly title: string;
  readonly group: 'near' | 'far';
  /** How many images it was published with. */
  readonly published: number;
  readonly source: ImageSource;
}

export interface OpenOod {
  /** The validation images of ImageNet that the sets are told from: 45,000 as published. */
  readonly inside: ImageSource;
  /** Those to choose settings on: 5,000 as published. */
  readonly validation?: ImageSource;
  /** Those of the five that are there. */
  readonly outside: readonly OutsideSet[];
  /** What is not there, and what differs from what was published, in words. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

interface List {
  readonly title: string;
  readonly file: string;
  readonly published: number;
}

const INSIDE: List = { title: 'ImageNet-1k', file: 'test_imagenet.txt', published: 45_000 };
const VALIDATION: List = { title: 'ImageNet-1k to choose settings on', file: 'val_imagenet.txt', published: 5_000 };
const OUTSIDE: readonly (List & Pick<OutsideSet, 'name' | 'group'>)[] = [
  { name: 'ssb-hard', title: 'SSB-hard', group: 'near', file: 'test_ssb_hard.txt', published: 49_000 },
  { name: 'ninco', title: 'NINCO', group: 'near', file: 'test_ninco.txt', published: 5_879 },
  { name: 'inaturalist', title: 'iNaturalist', group: 'far', file: 'test_inaturalist.txt', published: 10_000 },
  { name: 'textures', title: 'Textures', group: 'far', file: 'test_textures.txt', published: 5_160 },
  { name: 'openimage-o', title: 'OpenImage-O', group: 'far', file: 'test_openimage_o.txt', published: 15_869 },
];

const LISTS = 'benchmark_imglist/imagenet';
/** Where the paths of lists start. */
const IMAGES = ['images_largescale', 'images_classic', '.'];
const LIES =
  'data/benchmark_imglist/imagenet/*.txt, data/images_largescale/{imagenet_1k/val,ssb_hard,ninco,inaturalist,openimage_o} and ' +
  'data/images_classic/texture, as scripts/download of github.com/Jingkang50/OpenOOD lays them';

/**
 * Opens the benchmark.
 * @param root the folder that holds `benchmark_imglist`, or `data` with it
 * @throws DataError not-found where there are no lists; empty-source where none of ImageNet's images, or no other set, is there; damaged-file
 * with the line of a list that is not understood
 */
export async function openOpenOod(root: string): Promise<OpenOod> {
  checkArgument('openOpenOod', 'root', root, 'string');
  const folder = await findWhere(root, ['data'], (each) => isFile(path.join(each, LISTS, INSIDE.file)));
  if (folder === undefined)
    throw new DataError('not-found', `${root} has no ${LISTS}/${INSIDE.file}; OpenOOD v1.5 lies as ${LIES}`);
  const inside = await openList(folder, INSIDE, true);
  if (!inside.source) throw new DataError('empty-source', inside.notes.join('; '));
  const validation = await openList(folder, VALIDATION, true);
  const notes = [...inside.notes, ...validation.notes];
  const outside: OutsideSet[] = [];
  for (const list of OUTSIDE) {
    const { name, title, group, published } = list;
    const opened = await openList(folder, list, false);
    if (opened.source) outside.push({ name, title, group, published, source: opened.source });
    notes.push(...opened.notes);
  }
  if (outside.length === 0) throw new DataError('empty-source', `${folder}: ${notes.join('; ')}`);
  return {
    inside: inside.source,
    ...(validation.source && { validation: validation.source }),
    outside,
    notes,
    close: async () => {},
  };
}

interface Listed {
  readonly file: string;
  /** The place of its class. */
  readonly label: number | undefined;
}

/** The images of a list that are there, and what to tell of it. */
async function openList(
  folder: string,
  list: List,
  known: boolean,
): Promise<{ readonly source?: ImageSource; readonly notes: readonly string[] }> {
  const { title, file, published } = list;
  const name = path.join(folder, LISTS, file);
  if (!(await isFile(name))) return { notes: [`there are no images of ${title}: ${name} is not there`] };
  const listed = await imagesOf(name, known);
  const { base, images } = await locate(folder, listed);
  const count = `${written(listed.length)} images of ${title}`;
  if (images.length === 0) {
    const first = path.join(folder, base, listed[0]!.file);
    return {
      notes: [
        `there are no images of ${title}: none of the ${written(listed.length)} listed is there; the first was looked for as ${first}`,
      ],
    };
  }
  const there = new Set(images.map(({ at }) => at));
  const absent = listed.filter((_, at) => !there.has(at)).map((each) => each.file);
  const notes = [
    ...(listed.length === published
      ? []
      : [`${file} lists ${written(listed.length)} images of ${title}, of which ${written(published)} were published`]),
    ...leftOutNotes(`of the ${count} are not there and left out`, leftOut(absent)),
  ];
  const files = images.map((each) => each.file);
  const source: ImageSource = {
    ...imageFiles(`OpenOOD v1.5 ${title} (${file} in ${folder})`, path.join(folder, base), files),
    ...(known && { classes: IMAGENET_CLASSES, label: (index: number) => images[index]!.label }),
  };
  return { source, notes };
}

/** The lines of a list, each image once. @throws DataError with the line where a class is not as it should be */
async function imagesOf(name: string, known: boolean): Promise<Listed[]> {
  const lines = parseLines(await readList(name), name);
  if (lines.length === 0) throw new DataError('empty-source', `${name} lists no image`);
  const seen = new Set<string>();
  return lines.map(({ line, file, label }) => {
    const at = { where: `${name} line ${line}`, text: `${file} ${label ?? -1}` };
    if (seen.has(file)) throw damaged(at, 'is listed before');
    seen.add(file);
    if (!known && label !== undefined) throw damaged(at, 'has a class, where -1 stands for images of none');
    if (known && !(label !== undefined && /^\d{1,3}$/.test(label)))
      throw damaged(at, 'has no class from 0 to 999, the place in the sorted list of the 1,000');
    return { file: relativePath(at, file), label: label === undefined ? undefined : Number(label) };
  });
}

/** Where a list's images lie, and those that are there, with their places in the list. */
async function locate(
  folder: string,
  listed: readonly Listed[],
): Promise<{ readonly base: string; readonly images: readonly (Listed & { readonly at: number })[] }> {
  const [top] = listed[0]!.file.split('/');
  const bases: string[] = [];
  for (const base of IMAGES) if (await isFolder(path.join(folder, base, top!))) bases.push(base);
  for (const base of bases)
    for (const form of [(each: Listed) => each.file, inClassFolder]) {
      const all = listed.map((each, at) => ({ ...each, file: form(each), at }));
      const present = await filesPresent(
        path.join(folder, base),
        all.map(({ file }) => file),
      );
      const images = all.filter(({ file }) => present.has(file));
      if (images.length > 0) return { base, images };
    }
  return { base: bases[0] ?? IMAGES[0]!, images: [] };
}

/** `imagenet_1k/val/n01440764/name.JPEG` for `imagenet_1k/val/name.JPEG`. */
const inClassFolder = ({ file, label }: Listed): string =>
  label === undefined
    ? file
    : path.posix.join(path.posix.dirname(file), IMAGENET_CLASSES[label]!, path.posix.basename(file));
