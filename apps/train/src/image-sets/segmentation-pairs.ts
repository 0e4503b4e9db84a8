/** Which pictures of a part have a mask: the picture and the PNG of the same name, told apart by their names alone. */
import { extname } from 'node:path';
import { type FileTree, hasImageExtension } from '@franca/data';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import type { LayoutPart, MaskedPicture } from './segmentation-layout';

/** Where the pictures and masks of one part lie, below the root. */
export interface PartFolders {
  readonly split: string;
  readonly images: string;
  readonly masks: string;
  /** Text file of the names that belong to it; absent: every picture. */
  readonly list?: string;
  /** Path of a mask, without its ending, of that of a picture; default the same. */
  readonly maskOf?: (stem: string) => string;
  /** Files below `masks` that are masks of this part; default all. */
  readonly isMask?: (name: string) => boolean;
}

/** Whether a tree has what a part needs. */
export const hasPart = (tree: FileTree, { images, masks }: Pick<PartFolders, 'images' | 'masks'>): boolean =>
  [images, masks].every((folder) => tree.names(folder).length > 0);

/** @throws TrainError `data` where no picture of the part has a mask, or its list is missing */
export async function findPairs(tree: FileTree, part: PartFolders): Promise<LayoutPart> {
  const { images, masks, split, maskOf = (stem) => stem } = part;
  const files = tree.list(images);
  const all = files.filter(hasImageExtension);
  const maskFiles = masksOf(tree, part);
  const listed = part.list === undefined ? undefined : await namesOfList(tree, part.list);
  const wanted = listed ? all.filter((picture) => listed.has(stemOf(picture))) : all;
  const maskFor = (picture: string): string | undefined => maskFiles.get(maskOf(stemOf(picture)));
  const pictures = wanted.flatMap((picture): MaskedPicture[] => {
    const mask = maskFor(picture);
    return mask === undefined ? [] : [{ key: picture, picture: `${images}/${picture}`, mask: `${masks}/${mask}` }];
  });
  const stems = new Set(all.map(stemOf));
  const unmasked = [
    ...[...(listed ?? [])].filter((name) => !stems.has(name)).map((name) => `${name} (no picture in ${images})`),
    ...wanted
      .filter((picture) => maskFor(picture) === undefined)
      .map((picture) => `${picture} (no ${maskOf(stemOf(picture))}.png in ${masks})`),
  ];
  if (pictures.length === 0)
    throw new TrainError(
      'data',
      `no picture of ${tree.name}/${images}${part.list ? ` in ${part.list}` : ''} has a mask: ${some(unmasked) || 'the list names none'}; ` +
        `${masks} holds ${some(tree.list(masks)) || 'nothing'}; a mask is a PNG with the name of its picture`,
    );
  const wantedMasks = new Set([...stems].map(maskOf));
  return {
    split,
    pictures,
    unmasked,
    notes: [
      ...unusedFormats(files, images),
      ...missingNote(unmasked, split),
      ...sharedNote(pictures, images),
      ...(listed
        ? []
        : unusedNote(
            [...maskFiles.keys()].filter((stem) => !wantedMasks.has(stem)),
            part,
          )),
    ],
  };
}

const stemOf = (name: string): string => name.slice(0, name.length - extname(name).length);

/** Masks below a folder, by name without ending. */
function masksOf(tree: FileTree, { masks, isMask = () => true }: PartFolders): Map<string, string> {
  const names = tree.list(masks).filter((name) => /\.png$/i.test(name) && isMask(name));
  return new Map(names.map((name) => [stemOf(name), name]));
}

/**
 * Names of a list, one a line; of lines that name picture and mask by their paths, as DeepLab's lists do, the picture's.
 * @throws TrainError `data` where there is no such list
 */
export async function namesOfList(tree: FileTree, list: string): Promise<ReadonlySet<string>> {
  if (!tree.has(list))
    throw new TrainError('data', `${tree.name}/${list} is missing; it names the pictures of this part, one a line`);
  const lines = Buffer.from(await tree.read(list))
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => /^\/?JPEGImages\/(\S+)\.\w+\s/.exec(line)?.[1] ?? line.trim());
  return new Set(lines.filter(Boolean));
}

function unusedFormats(files: readonly string[], images: string): string[] {
  const counts = new Map<string, number>();
  for (const file of files.filter((name) => !hasImageExtension(name))) {
    const ending = extname(file).toLowerCase() || '(no extension)';
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return [...counts].map(([ending, count]) => `${images}: ${count} ${ending} files are not used`);
}

const missingNote = (unmasked: readonly string[], split: string): string[] =>
  unmasked.length > 0
    ? [`${unmasked.length} of ${split} are left out for want of a mask or a picture: ${some(unmasked)}`]
    : [];

function sharedNote(pictures: readonly MaskedPicture[], images: string): string[] {
  const byMask = new Map<string, string[]>();
  for (const { key, mask } of pictures) byMask.set(mask, [...(byMask.get(mask) ?? []), key]);
  const shared = [...byMask.values()].filter((same) => same.length > 1).map((same) => same.join(' and '));
  return shared.length > 0
    ? [`pictures of ${images} that differ in their ending only share a mask: ${some(shared)}`]
    : [];
}

const unusedNote = (stems: readonly string[], { masks, images }: PartFolders): string[] =>
  stems.length > 0 ? [`${stems.length} of ${masks} belong to no picture of ${images}: ${some(stems)}`] : [];
