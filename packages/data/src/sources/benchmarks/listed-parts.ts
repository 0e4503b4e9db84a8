/**
 * The parts of a data set from the lists of its authors.
 *
 * Which of the listed images are there is found by listing each folder once, not by asking for each of 100,000 files. Those that are not there are left out, counted and
 * named; a list of which none is there is refused. What differs from the published counts, comes twice or is in two parts is told.
 */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../../errors';
import type { ImageSource } from '../../images/image-source';
import { imageFiles } from '../image-files';
import { leftOut, leftOutNotes } from '../left-out';
import type { Split } from '../source-kind';
import type { Benchmark, BenchmarkFacts } from './benchmark';

/** An image of a list: a path below the folder of the data set, with `/` between parts, and its class, or its classes where it may have several. */
export interface ListedImage {
  readonly file: string;
  readonly label?: number;
  readonly labels?: readonly number[];
  /** As `ImageSource.difficult`. */
  readonly difficult?: readonly number[];
}

export interface ListedPart {
  /** The file that lists them, for messages. */
  readonly list: string;
  readonly images: readonly ListedImage[];
}

export type ListedParts = { readonly [Part in Split]?: ListedPart };

export interface Classes {
  readonly classes: readonly string[];
  readonly classTitles?: readonly string[] | undefined;
}

const SPLITS: readonly Split[] = ['train', 'val', 'test'];
/** Folders that are listed at once. */
const AT_ONCE = 16;

/**
 * @param folder what the paths of the images start from
 * @param notes put before what is found here
 * @throws DataError empty-source where a part has no image
 */
export async function listedBenchmark(
  facts: BenchmarkFacts,
  folder: string,
  { classes, classTitles }: Classes,
  listed: ListedParts,
  notes: readonly string[] = [],
): Promise<Benchmark> {
  const names = SPLITS.filter((split) => listed[split]);
  const present = await filesPresent(
    folder,
    names.flatMap((split) => listed[split]!.images.map(({ file }) => file)),
  );
  const parts: { [Part in Split]?: ImageSource } = {};
  const found: string[] = [];
  for (const split of names) {
    const { images, notes: own } = usable(split, folder, listed[split]!, present);
    const files = images.map(({ file }) => file);
    parts[split] = {
      ...imageFiles(`${facts.title} ${split} ${folder}`, folder, files),
      classes,
      ...(classTitles && { classTitles }),
      ...classesOf(images),
    };
    found.push(...own);
  }
  const all = [...notes, ...found, ...countNotes(facts, parts), ...overlapNotes(parts)];
  return { facts, parts, notes: all, close: async () => {} };
}

function classesOf(images: readonly ListedImage[]): Pick<ImageSource, 'label' | 'labels' | 'difficult'> {
  if (images[0]?.labels === undefined) return { label: (index) => images[index]!.label };
  return { labels: (index) => images[index]!.labels!, difficult: (index) => images[index]!.difficult ?? [] };
}

/** The images of a part that are there, once each. */
function usable(split: Split, folder: string, { list, images }: ListedPart, present: ReadonlySet<string>) {
  const [first] = images;
  if (!first) throw new DataError('empty-source', `${list} lists no image`);
  const seen = new Set<string>();
  const [kept, absent, again]: [ListedImage[], string[], string[]] = [[], [], []];
  for (const image of images) {
    if (!present.has(image.file)) absent.push(image.file);
    else if (seen.has(image.file)) again.push(image.file);
    else kept.push(image);
    seen.add(image.file);
  }
  if (kept.length === 0)
    throw new DataError(
      'empty-source',
      `none of the ${written(images.length)} images of ${list} is there; the first was looked for as ${path.join(folder, first.file)}`,
    );
  const notes = [
    ...leftOutNotes(`of the ${written(images.length)} images of ${split} are not there and left out`, leftOut(absent)),
    ...leftOutNotes(`images are listed again for ${split} and count once`, leftOut(again)),
  ];
  return { images: kept, notes };
}

/** Which of some files are there, by the names in their folders. */
export async function filesPresent(root: string, files: readonly string[]): Promise<ReadonlySet<string>> {
  const folders = [...new Set(files.map((file) => path.posix.dirname(file)))];
  const names = new Map<string, ReadonlySet<string>>();
  for (let from = 0; from < folders.length; from += AT_ONCE)
    await Promise.all(
      folders.slice(from, from + AT_ONCE).map(async (folder) => {
        names.set(folder, new Set(await readdir(path.join(root, folder)).catch(() => [])));
      }),
    );
  return new Set(files.filter((file) => names.get(path.posix.dirname(file))!.has(path.posix.basename(file))));
}

/** What differs from what was published. */
export function countNotes({ published }: BenchmarkFacts, parts: Benchmark['parts']): string[] {
  const notes: string[] = [];
  const classes = Object.values(parts)[0]?.classes?.length;
  if (classes !== undefined && classes !== published.classes)
    notes.push(`there are ${differing(classes, published.classes)} classes`);
  for (const split of SPLITS) {
    const [has, should] = [parts[split]?.length, published[split]];
    if (has !== undefined && should !== undefined && has !== should)
      notes.push(`${split} has ${differing(has, should)} images`);
  }
  return notes;
}

const differing = (has: number, should: number): string =>
  `${written(has)} ${has < should ? 'of the' : 'in place of the'} published ${written(should)}`;

/** Images that are learnt from and scored make a number that means little. */
function overlapNotes(parts: Benchmark['parts']): string[] {
  const where = new Map<string, Split>();
  const twice: string[] = [];
  for (const split of SPLITS) {
    const source = parts[split];
    for (let index = 0; index < (source?.length ?? 0); index++) {
      const key = source!.key(index);
      const before = where.get(key);
      if (before) twice.push(`${key} (${before} and ${split})`);
      else where.set(key, split);
    }
  }
  return leftOutNotes('images are in two parts', leftOut(twice));
}

/** 75750 as 75,750. */
export const written = (count: number): string => count.toLocaleString('en-US');
