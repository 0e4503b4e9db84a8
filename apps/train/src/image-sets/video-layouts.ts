/** Where videos come from: DAVIS, YouTube-VOS or folders of frames, each layout inside archives too; or the generated world. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type FileTree, openFileTree, subtree } from '@franca/data';
import { TrainError } from '../errors';
import { datasetName } from './image-set';
import { some } from './judge-masks';
import { rootsIn, unpackFirst } from './tree-roots';
import { davisVideos, isDavis } from './video-davis';
import { folderVideos, hasMaskBeside, isFrameFolder } from './video-folders';
import { type ChosenSequences, type ListedVideos, videoSet } from './video-listed';
import type { VideoSet } from './video-set';
import { worldVideos } from './video-world';
import { isYoutube, youtubeVideos } from './video-youtube';
import { isWorld } from './world-images';

export interface OpenVideosOptions {
  /** A list of DAVIS, or a folder of YouTube-VOS; default `val`, or `valid`. */
  readonly split?: string | undefined;
  /** Of DAVIS; default `480p`. */
  readonly resolution?: string | undefined;
  readonly sequences?: ChosenSequences | undefined;
  /** The data set's name in records. */
  readonly name?: string | undefined;
  /** Of the pictures of a generated world that does not say; default `WORLD_SIDE`. */
  readonly side?: number | undefined;
}

/**
 * Opens the videos of a folder, an archive or the generated world.
 * @throws TrainError `data` where there are none, or they cannot be right, `usage` where there is no such part; DataError as `openFileTree`
 */
export async function openVideos(spec: string, options: OpenVideosOptions = {}): Promise<VideoSet> {
  if (isWorld(spec)) {
    const given = (['split', 'resolution'] as const).find((name) => options[name] !== undefined);
    if (given !== undefined)
      throw new TrainError('usage', `--${given} says nothing about the generated world; leave it out`);
    const { side, sequences } = options;
    return worldVideos(spec, options.name ?? datasetName(spec), {
      ...(side !== undefined && { side }),
      ...(sequences !== undefined && { sequences }),
    });
  }
  const { root, part } = rootOf(await openFileTree(spec), options.split);
  const listed = await listedVideos(root, part, options);
  return videoSet(root, listed, {
    dataset: options.name ?? listed.dataset ?? datasetName(spec),
    chosen: options.sequences,
  });
}

/** Whether `spec` is the generated world or a folder with videos, by names alone: archives are not looked into. */
export function isVideoData(spec: string): boolean {
  if (isWorld(spec)) return true;
  if (!statSync(spec, { throwIfNoEntry: false })?.isDirectory()) return false;
  const inside = readdirSync(spec, { withFileTypes: true });
  const folders = ['', ...inside.filter((entry) => entry.isDirectory()).map(({ name }) => name)];
  const has = (folder: string, name: string): boolean => existsSync(join(spec, folder, name));
  const isVideos = (folder: string): boolean =>
    has(folder, 'JPEGImages') &&
    has(folder, 'Annotations') &&
    !has(folder, 'SegmentationClass') &&
    readdirSync(join(spec, folder, 'JPEGImages'), { withFileTypes: true }).some((entry) => entry.isDirectory());
  return folders.some(isVideos) || has('', 'frames') || hasMaskBeside(inside.map(({ name }) => name));
}

async function listedVideos(root: FileTree, part: string, options: OpenVideosOptions): Promise<ListedVideos> {
  const { split, resolution } = options;
  if (isDavis(root)) return davisVideos(root, { split, resolution });
  if (resolution !== undefined)
    throw new TrainError('usage', `--resolution says nothing about ${root.name}; it is for DAVIS: leave it out`);
  if (isYoutube(root)) return youtubeVideos(root, part);
  if (split !== undefined) throw new TrainError('usage', `--split says nothing about frames in folders; leave it out`);
  return folderVideos(root);
}

interface Root {
  readonly root: FileTree;
  /** What the folder is called. */
  readonly part: string;
}

/**
 * The folder of the one set of videos in a tree: the tree itself, or a folder up to two steps below it. Of several the one that is called like `split`.
 * @throws TrainError `data` where there is none, `usage` where it is open which is meant
 */
function rootOf(tree: FileTree, split: string | undefined): Root {
  const found = rootsIn(tree, isRoot);
  if (found.length === 0)
    throw new TrainError(
      'data',
      `${tree.name} has no videos; ${unpackFirst(tree)}give DAVIS (ImageSets, JPEGImages, Annotations), YouTube-VOS (JPEGImages, Annotations), or frames/<video>/*.jpg with masks/<video>/*.png, or "world"`,
    );
  const meant = found.length === 1 ? found : found.filter((folder) => isPart(basename(folder), split));
  if (meant.length !== 1)
    throw new TrainError('usage', `${tree.name} has several parts, ${some(found)}; name one with --split`);
  const root = subtree(tree, meant[0]!);
  const part = basename(resolve(root.name)).replace(/\.tar$/, '');
  // a part that stands alone must be the one that is asked for
  if (split !== undefined && isYoutube(root) && part !== split)
    throw new TrainError('usage', `${tree.name} has no part ${split}; it has ${part}`);
  return { root, part };
}

const isPart = (name: string, split: string | undefined): boolean =>
  split === undefined ? name === 'valid' || name === 'val' : name === split;

const isRoot = (tree: FileTree): boolean => isDavis(tree) || isYoutube(tree) || isFrameFolder(tree);
