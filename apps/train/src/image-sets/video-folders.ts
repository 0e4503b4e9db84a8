/**
 * Videos of one's own:
 *
 *   frames/<video>/<frame>.jpg   any kind of picture, in the order of their names, in which numbers count as such
 *   masks/<video>/<frame>.png    of the first frame at least; or beside the frames, where those are no PNGs
 *
 * or one video: `frames/<frame>.jpg` with `masks/<frame>.png`, or a folder of JPEGs with the PNG of the first one's name.
 */
import { basename } from 'node:path';
import { type FileTree, hasImageExtension } from '@franca/data';
import { framesIn } from './video-frames';
import type { ListedSequence, ListedVideos } from './video-listed';

/** Whether there are frames in folders of their own, or JPEGs with a mask of one. */
export const isFrameFolder = (tree: FileTree): boolean => tree.has('frames') || hasMaskBeside(tree.names(''));

/** Whether a PNG among files is called like a JPEG. */
export function hasMaskBeside(files: readonly string[]): boolean {
  const names = new Set(files);
  return files.some(
    (file) => /\.jpe?g$/i.test(file) && ['.png', '.PNG'].some((ending) => names.has(file.replace(/\.[^.]+$/, ending))),
  );
}

/** @throws TrainError `data` where a mask has no frame */
export function folderVideos(tree: FileTree): ListedVideos {
  const root = tree.has('frames') ? 'frames' : '';
  const single = tree.names(root).some((name) => hasImageExtension(name));
  const sequences: ListedSequence[] = single
    ? [{ name: basename(tree.name).replace(/\.tar$/, ''), frames: frames(tree, root, 'masks') }]
    : tree.names(root).map((name) => ({ name, frames: frames(tree, `${root}/${name}`, `masks/${name}`) }));
  return { split: 'all', sequences, scoring: 'davis-2017', notes: [] };
}

/** Masks lie in their own folder, else beside the frames. */
const frames = (tree: FileTree, pictures: string, masks: string) =>
  framesIn(tree, pictures, tree.has(masks) ? masks : pictures);
