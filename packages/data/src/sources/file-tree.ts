/**
 * The files of a data set by their paths, whether they lie in folders or inside tar archives.
 *
 * Readers of a layout (PASCAL VOC, COCO, SPair-71k ...) ask for names and bytes here and need not know which it is: a folder, an archive as it was
 * downloaded, or a folder that holds archives and at most notes beside them, whose files then count as unpacked side by side.
 */

import path from 'node:path';
import { checkArgument, DataError } from '../errors';
import { type ByteFile, checkImageBytes, checkRange, openLocalFile, readImageFile } from '../files/byte-file';
import { fileVersion } from '../files/file-version';
import { isFolder } from '../files/is-folder';
import { indexTar } from '../formats/tar-index';
import { byCodeUnit } from './by-code-unit';
import { leftOut, leftOutNotes, repeatedNotes } from './left-out';
import { lastOfEachName } from './tar-shard';
import { walkFiles } from './walk-images';

export interface FileTree {
  /** Path of the folder or archive, for messages. */
  readonly name: string;
  /** What was passed over or is damaged, in words. */
  readonly notes: readonly string[];
  /** Whether there is a file, or a folder with files, of this path; `/` stands between parts. */
  has(path: string): boolean;
  /** Paths of all files below a folder, relative to it, sorted by code unit; empty where there is no such folder. */
  list(folder: string): readonly string[];
  /** Names in a folder: those of files and of folders with files. */
  names(folder: string): readonly string[];
  /**
   * Reads one file whole.
   * @throws DataError with an image code (see `isImageError`) when this file is missing or cannot be read
   */
  read(path: string, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * One file to be read in pieces, however large it is.
   * @throws DataError not-found where there is none, unreadable-image where the archive holds none
   */
  open(path: string): Promise<ByteFile>;
  /** Tells the content of a file without reading it, as `ImageSource.version`. */
  version(path: string): string | Promise<string>;
}

/**
 * Opens a folder or a tar archive.
 * @throws DataError not-found where there is neither, empty-source where it holds no file
 */
export async function openFileTree(target: string): Promise<FileTree> {
  checkArgument('openFileTree', 'target', target, 'string');
  if (!(await isFolder(target))) return archiveTree(target, [target]);
  const { files, unreadable } = await walkFiles(target, () => true);
  if (files.length === 0) throw new DataError('empty-source', `${target} holds no file`);
  const archives = files.filter(isTar);
  if (archives.length > 0 && files.every((file) => isTar(file) || NOTES.test(file)))
    return archiveTree(
      target,
      archives.map((file) => path.join(target, file)),
    );
  return {
    ...treeOf(target, files),
    notes: leftOutNotes('folders or links cannot be followed', leftOut(unreadable)),
    read: (file) => readImageFile(path.join(target, file)),
    open: (file) => openLocalFile(path.join(target, file)),
    version: (file) => fileVersion(path.join(target, file)),
  };
}

/** The part of a tree below a folder of it. */
export function subtree(tree: FileTree, folder: string): FileTree {
  checkArgument('subtree', 'tree', tree, 'object');
  checkArgument('subtree', 'folder', folder, 'string');
  if (folder === '') return tree;
  const inside = (relative: string): string => (relative === '' ? folder : `${folder}/${relative}`);
  return {
    name: `${tree.name}/${folder}`,
    notes: tree.notes,
    has: (relative) => tree.has(inside(relative)),
    list: (relative) => tree.list(inside(relative)),
    names: (relative) => tree.names(inside(relative)),
    read: (relative, signal) => tree.read(inside(relative), signal),
    open: (relative) => tree.open(inside(relative)),
    version: (relative) => tree.version(inside(relative)),
  };
}

/** What may lie beside archives without being data. */
const NOTES = /(^|\/)[^./]+$|\.(md|txt|md5|sha1|sha256)$/i;

const isTar = (file: string): boolean => file.toLowerCase().endsWith('.tar');

interface Place {
  readonly archive: ByteFile;
  readonly offset: number;
  readonly size: number;
}

const versionOf = ({ archive, offset, size }: Place): string => `${archive.version}; ${size} B at ${offset}`;

async function archiveTree(name: string, archives: readonly string[]): Promise<FileTree> {
  const places = new Map<string, Place>();
  const again: string[] = [];
  const notes: string[] = [];
  for (const each of archives) {
    const archive = await openLocalFile(each);
    const tar = await indexTar(archive);
    if (tar.members.length === 0)
      throw new DataError(
        'empty-source',
        `${each} is no folder and no tar archive with files${tar.damage ? ` (${tar.damage})` : ''}; unpack compressed archives`,
      );
    const { kept, repeated } = lastOfEachName(tar.members);
    for (const { name: member, offset, size } of kept) {
      if (places.has(member)) again.push(member);
      places.set(member, { archive, offset, size });
    }
    for (const member of repeated) again.push(member);
    if (tar.damage) notes.push(`${tar.damage}; what came before is used`);
  }
  const placeOf = (file: string): Place => {
    const place = places.get(file);
    if (place) return place;
    throw new DataError('unreadable-image', `${name} holds no ${file}`);
  };
  return {
    ...treeOf(name, [...places.keys()].sort(byCodeUnit)),
    notes: [...notes, ...repeatedNotes(leftOut(again))],
    async read(file, signal) {
      const { archive, offset, size } = placeOf(file);
      checkImageBytes(size);
      return archive.read(offset, size, signal);
    },
    async open(file) {
      const place = placeOf(file);
      const member = { name: `${place.archive.name}: ${file}`, size: place.size, version: versionOf(place) };
      return {
        ...member,
        async read(offset, length, signal) {
          checkRange(member, offset, length);
          return place.archive.read(place.offset + offset, length, signal);
        },
      };
    },
    version: (file) => versionOf(placeOf(file)),
  };
}

/** What can be told of files by their sorted paths alone. */
function treeOf(name: string, files: readonly string[]): Pick<FileTree, 'name' | 'has' | 'list' | 'names'> {
  const known = new Set(files);
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  for (const file of files) {
    let [child, at] = [file, file.lastIndexOf('/')];
    for (;;) {
      const folder = at < 0 ? '' : child.slice(0, at);
      const names = folders.get(folder);
      const own = child.slice(at + 1);
      if (names) names.add(own);
      else folders.set(folder, new Set([own]));
      // the folders above know a folder that was there before
      if (names || at < 0) break;
      child = folder;
      at = child.lastIndexOf('/');
    }
  }
  return {
    name,
    has: (file) => known.has(file) || folders.has(file),
    names: (folder) => [...(folders.get(folder) ?? [])].sort(byCodeUnit),
    list: (folder) => (folder === '' ? files : below(files, `${folder}/`)),
  };
}

/** Files that begin with `prefix`, without it: sorted names lie side by side. */
function below(files: readonly string[], prefix: string): string[] {
  let [low, high] = [0, files.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (files[middle]! < prefix) low = middle + 1;
    else high = middle;
  }
  const found: string[] = [];
  for (let i = low; i < files.length && files[i]!.startsWith(prefix); i++) found.push(files[i]!.slice(prefix.length));
  return found;
}
