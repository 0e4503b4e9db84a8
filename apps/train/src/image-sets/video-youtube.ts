/**
 * YouTube-VOS as it unpacks (Xu et al., 2018), and what is packed like it (MOSE):
 *
 *   <split>/JPEGImages/<video>/%05d.jpg
 *   <split>/Annotations/<video>/%05d.png   of every fifth frame, or of those only in which an object is given
 *   <split>/meta.json                      objects of each video with their frames; without it objects are those of the first mask
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import { framesIn } from './video-frames';
import type { ListedSequence, ListedVideos } from './video-listed';

/** Whether pictures lie in folders of videos with masks, without lists. */
export const isYoutube = (tree: FileTree): boolean =>
  tree.has('JPEGImages') &&
  tree.has('Annotations') &&
  !tree.has('ImageSets') &&
  // the pictures of PASCAL VOC lie in this folder directly
  tree.names('JPEGImages').some((name) => tree.names(`JPEGImages/${name}`).length > 0);

const META = 'meta.json';

/** @throws TrainError `data` where a mask has no frame, or `meta.json` is of another form */
export async function youtubeVideos(tree: FileTree, split: string): Promise<ListedVideos> {
  const names = tree.names('JPEGImages').filter((name) => tree.names(`JPEGImages/${name}`).length > 0);
  const objectsOf = tree.has(META) ? await readMeta(tree) : undefined;
  const later: string[] = [];
  const sequences = names.map((name): ListedSequence => {
    const frames = framesIn(tree, `JPEGImages/${name}`, `Annotations/${name}`);
    const begin = Math.max(
      0,
      frames.findIndex(({ mask }) => mask !== undefined),
    );
    if (begin > 0) later.push(name);
    return { name, frames: frames.slice(begin), objects: objectsOf?.(name) };
  });
  const notes =
    later.length > 0
      ? [`${later.length} videos are followed from their first mask on, not from their first frame: ${some(later)}`]
      : [];
  return { split, sequences, scoring: 'youtube-vos', notes };
}

/** Objects of a video by its name; undefined where it is not mentioned. */
async function readMeta(tree: FileTree): Promise<(video: string) => ListedSequence['objects']> {
  const refuse = (why: string) => new TrainError('data', `${tree.name}/${META} ${why}`);
  let meta: unknown;
  try {
    meta = JSON.parse(Buffer.from(await tree.read(META)).toString('utf8'));
  } catch (error) {
    throw refuse(`is no JSON: ${(error as Error).message}`);
  }
  const videos = partOf(meta, 'videos');
  if (videos === undefined) throw refuse('has no videos; it is not that of YouTube-VOS');
  return (video) => {
    const objects = partOf(partOf(videos, video), 'objects');
    if (objects === undefined) return undefined;
    return Object.entries(objects).map(([id, object]) => {
      const frames = partOf(object, 'frames');
      const first: unknown = Array.isArray(frames) ? frames[0] : undefined;
      if (!/^\d{1,3}$/.test(id) || typeof first !== 'string') throw refuse(`has no frames of object ${id} of ${video}`);
      return { id: Number(id), first };
    });
  };
}

/** An object or a list within another one. */
function partOf(value: unknown, name: string): object | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const inner = (value as Record<string, unknown>)[name];
  return typeof inner === 'object' && inner !== null ? inner : undefined;
}
