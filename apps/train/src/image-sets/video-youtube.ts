/**
 * YouTube-VOS as it unpacks (Xu et al., 2018), and what is packed like it (MOSE, LVOS):
 *
 *   <split>/JPEGImages/<video>/%05d.jpg
 *   <split>/Annotations/<video>/%05d.png   of every fifth frame, or of those only in which an object is given
 *   <split>/meta.json                      objects of each video with their frames
 *
 * An object that is given in a later frame is not followed: every protocol here begins with the first frame.
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { framesIn } from './video-frames';
import type { ListedVideos } from './video-listed';

/** Whether pictures lie in folders of videos with masks, without lists. */
export const isYoutube = (tree: FileTree): boolean =>
  tree.has('JPEGImages') && tree.has('Annotations') && !tree.has('ImageSets');

const META = 'meta.json';

/** @throws TrainError `data` where a mask has no frame, or `meta.json` is of another form */
export async function youtubeVideos(tree: FileTree, split: string): Promise<ListedVideos> {
  const names = tree.names('JPEGImages').filter((name) => tree.names(`JPEGImages/${name}`).length > 0);
  const sequences = names.map((name) => ({
    name,
    frames: framesIn(tree, `JPEGImages/${name}`, `Annotations/${name}`),
  }));
  const late = tree.has(META)
    ? await lateObjects(tree, new Map(sequences.map(({ name, frames }) => [name, frames[0]?.name])))
    : 0;
  const notes =
    late > 0
      ? [`${late} objects are first given in a later frame than the first: they are not followed and not scored`]
      : [];
  return { split, sequences, notes };
}

/** Objects whose first frame is not that of their video. */
async function lateObjects(tree: FileTree, firstFrames: ReadonlyMap<string, string | undefined>): Promise<number> {
  const refuse = (why: string) => new TrainError('data', `${tree.name}/${META} ${why}`);
  let meta: unknown;
  try {
    meta = JSON.parse(Buffer.from(await tree.read(META)).toString('utf8'));
  } catch (error) {
    throw refuse(`is no JSON: ${(error as Error).message}`);
  }
  const videos = part(meta, 'videos');
  if (videos === undefined) throw refuse('has no videos; it is not that of YouTube-VOS');
  let late = 0;
  for (const [video, first] of firstFrames)
    for (const object of Object.values(part(part(videos, video), 'objects') ?? {})) {
      const frames = part(object, 'frames');
      if (Array.isArray(frames) && frames.length > 0 && first !== undefined && frames[0] !== first) late += 1;
    }
  return late;
}

const part = (value: unknown, name: string): object | undefined => {
  const inner = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return typeof inner === 'object' && inner !== null ? inner : undefined;
};
