/** Which pictures of a part have a mask: the picture and the PNG of the same name, told apart by their names alone. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { folderSource } from '@franca/data';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import type { Part } from './segmentation-layouts';

export interface Pairs {
  /** Pictures with masks, below `images` of the part, in order. */
  readonly pictures: readonly string[];
  /** Pictures or listed names that lack a mask or a picture, in words. */
  readonly unmasked: readonly string[];
  readonly notes: readonly string[];
  /** Path of the mask of a picture. */
  maskOf(picture: string): string;
}

/** Whether a folder has what a part needs. */
export const hasPart = (root: string, { images, masks }: Part): boolean =>
  [images, masks].every((folder) => statSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory());

/** @throws TrainError `data` where no picture of the part has a mask; DataError where it has no pictures */
export async function findPairs(root: string, part: Part): Promise<Pairs> {
  const source = await folderSource(join(root, part.images), { labels: 'none' });
  const all = Array.from({ length: source.length }, (_, index) => source.key(index));
  const masks = masksOf(join(root, part.masks));
  const listed = part.list === undefined ? undefined : namesOfList(join(root, part.list));
  const wanted = listed ? all.filter((picture) => listed.has(stemOf(picture))) : all;
  const pictures = wanted.filter((picture) => masks.has(stemOf(picture)));
  const stems = new Set(all.map(stemOf));
  const unmasked = [
    ...[...(listed ?? [])].filter((name) => !stems.has(name)).map((name) => `${name} (no picture in ${part.images})`),
    ...wanted
      .filter((picture) => !masks.has(stemOf(picture)))
      .map((picture) => `${picture} (no ${stemOf(picture)}.png in ${part.masks})`),
  ];
  const where = join(root, part.images);
  if (pictures.length === 0)
    throw new TrainError(
      'data',
      `no picture of ${where}${part.list ? ` in ${part.list}` : ''} has a mask: ${some(unmasked) || 'the list names none'}; ${part.masks} holds ` +
        `${some(readdirSync(join(root, part.masks))) || 'nothing'}; a mask is a PNG with the name of its picture`,
    );
  return {
    pictures,
    unmasked,
    notes: [
      ...(source.notes ?? []).map((note) => `${part.images}: ${note}`),
      ...missingNote(unmasked, part),
      ...sharedNote(pictures, part),
      ...(listed
        ? []
        : unusedNote(
            [...masks.keys()].filter((stem) => !stems.has(stem)),
            part,
          )),
    ],
    maskOf: (picture) => join(root, part.masks, masks.get(stemOf(picture))!),
  };
}

const stemOf = (name: string): string => name.slice(0, name.length - extname(name).length);

/** Masks below a folder, by name without ending. */
function masksOf(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  return new Map(
    names
      .filter((name) => /\.png$/i.test(name))
      .sort()
      .map((name) => [stemOf(name), name]),
  );
}

function namesOfList(path: string): ReadonlySet<string> {
  if (!existsSync(path))
    throw new TrainError('data', `${path} is missing; it names the pictures of this part, one a line`);
  const names = readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim());
  return new Set(names.filter(Boolean));
}

const missingNote = (unmasked: readonly string[], { split }: Part): string[] =>
  unmasked.length > 0
    ? [`${unmasked.length} of ${split} are left out for want of a mask or a picture: ${some(unmasked)}`]
    : [];

function sharedNote(pictures: readonly string[], { images }: Part): string[] {
  const byStem = new Map<string, string[]>();
  for (const picture of pictures) byStem.set(stemOf(picture), [...(byStem.get(stemOf(picture)) ?? []), picture]);
  const shared = [...byStem.values()].filter((same) => same.length > 1).map((same) => same.join(' and '));
  return shared.length > 0
    ? [`pictures of ${images} that differ in their ending only share a mask: ${some(shared)}`]
    : [];
}

const unusedNote = (stems: readonly string[], { masks, images }: Part): string[] =>
  stems.length > 0 ? [`${stems.length} of ${masks} belong to no picture of ${images}: ${some(stems)}`] : [];
