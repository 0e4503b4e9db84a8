/** The frames of one folder with the masks that are called like them. */
import { type FileTree, hasImageExtension } from '@franca/data';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import type { ListedFrame } from './video-listed';

/** Numbers count as such: frame 10 comes after frame 9. */
const BY_NUMBER = new Intl.Collator('en', { numeric: true });

const stem = (file: string): string => file.replace(/\.[^.]+$/, '');

/**
 * Pictures of a folder in the order of time. Where masks lie beside the frames, PNGs of the same name as another picture are the masks.
 * @param pictures folder
 * @param masks folder
 * @throws TrainError `data` where a mask has no frame
 */
export function framesIn(tree: FileTree, pictures: string, masks: string): ListedFrame[] {
  const beside = pictures === masks;
  const files = tree.names(pictures).filter((file) => hasImageExtension(file));
  const frames = files.filter((file) => !beside || !/\.png$/i.test(file));
  const maskOf = new Map(
    tree
      .names(masks)
      .filter((file) => /\.png$/i.test(file))
      .map((file) => [stem(file), file]),
  );
  const known = new Set(frames.map(stem));
  if (known.size < frames.length)
    throw new TrainError('data', `${tree.name}/${pictures} has several pictures of one name; each frame has one`);
  const lost = [...maskOf.keys()].filter((name) => !known.has(name));
  if (lost.length > 0)
    throw new TrainError(
      'data',
      `${lost.length} masks in ${tree.name}/${masks} have no frame in ${pictures}: ${some(lost)}; frames are missing`,
    );
  const listed = frames.map((file): ListedFrame => {
    const mask = maskOf.get(stem(file));
    return {
      name: stem(file),
      picture: within(pictures, file),
      mask: mask === undefined ? undefined : within(masks, mask),
    };
  });
  return listed.sort((a, b) => BY_NUMBER.compare(a.name, b.name));
}

const within = (folder: string, file: string): string => (folder === '' ? file : `${folder}/${file}`);
