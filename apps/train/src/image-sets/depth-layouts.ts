/** Where pictures with depth come from: NYU's own file, lists of pairs, folders of pairs, the generated world; and GeoNet's folder to learn from. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, type FileTree, openFileTree, permutation } from '@franca/data';
import { TrainError } from '../errors';
import { hasDepthFolders, readDepthFolders } from './depth-folders';
import { geonetFrames, isGeonet } from './depth-geonet';
import { type DepthPart, depthOfPairs, type NamedTree } from './depth-layout';
import { hasDepthLists, readDepthLists } from './depth-lists';
import { nyuFileOf, openNyuFile } from './depth-mat';
import type { DepthImages, DepthSet } from './depth-set';
import { worldDepth } from './depth-world';
import { chosenOf, datasetName, type SetLimits } from './image-set';
import { isWorld } from './world-images';

export interface OpenDepthOptions {
  /** The data set's name in records. */
  readonly name?: string | undefined;
  /** Of depth as PNG: units of a metre, default 1000. */
  readonly depthScale?: number | undefined;
  /** `held-out`: a tenth of pairs that nothing parts is tested on. */
  readonly split?: string | undefined;
  /** What to learn from, where it is not the data's own part. */
  readonly trainData?: string | undefined;
  readonly limits?: SetLimits;
  /** Of the pictures of a generated world that does not say; default `WORLD_SIDE`. */
  readonly side?: number | undefined;
}

const GIVE = `give NYU's nyu_depth_v2_labeled.mat, lists of pairs (train.txt and test.txt), or folders of pairs (train/rgb and train/depth, test/rgb and test/depth), or "world"`;
const MILLIMETRES = 1000;

/** Whether data tell at a glance that they have depth. */
export function isDepthData(spec: string): boolean {
  if (isWorld(spec)) return true;
  if (nyuFileOf(spec) !== undefined) return true;
  if (!statSync(spec, { throwIfNoEntry: false })?.isDirectory()) return false;
  const pairs = (part: string): boolean => existsSync(join(spec, part, 'rgb')) && existsSync(join(spec, part, 'depth'));
  return ['', 'test', 'val'].some(pairs);
}

/**
 * Opens pictures with depth.
 * @throws TrainError `data` where there are none or they cannot be right, `usage` where it is open what is tested on; DataError as `openFileTree`
 */
export async function openDepthSet(spec: string, options: OpenDepthOptions = {}): Promise<DepthSet> {
  const own = await openOwn(spec, options);
  try {
    const { trainData, limits = {} } = options;
    const { train: there, ...rest } = own;
    const foreign = trainData === undefined ? undefined : await openTraining(trainData, options);
    const train = foreign?.train ?? there;
    return {
      ...rest,
      ...(train && { train: limited(train, limits.train) }),
      test: limited(own.test, limits.test),
      async [Symbol.asyncDispose]() {
        await foreign?.close();
        await own[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

async function openOwn(spec: string, options: OpenDepthOptions): Promise<DepthSet> {
  const { name, split, depthScale } = options;
  const dataset = datasetName(spec, name);
  if (isWorld(spec)) {
    refuse(split !== undefined, `--split says nothing about the generated world; leave it out`);
    refuse(depthScale !== undefined, `--depth-scale says nothing about the generated world; leave it out`);
    return worldDepth(spec, dataset, options.side);
  }
  const file = nyuFileOf(spec);
  if (file !== undefined) {
    refuse(
      split !== undefined && split !== 'test',
      `--split ${split} says nothing about ${spec}: it has parts of its own; leave it out`,
    );
    refuse(
      depthScale !== undefined,
      `--depth-scale says nothing about ${spec}, whose depth is in metres; leave it out`,
    );
    return openNyuFile(file, name ?? 'nyuv2');
  }
  const tree = await openFileTree(spec);
  const named: NamedTree = { tree, dataset, unitsPerMetre: depthScale ?? MILLIMETRES };
  const { train, test, whole } = await layoutOf(tree, spec);
  const close = { [Symbol.asyncDispose]: async () => {} };
  if (test) {
    refuse(
      split !== undefined && split !== test.split,
      `${spec} has no part ${split} to test on; it has ${test.split}: leave --split out`,
    );
    return { ...(train && { train: depthOfPairs(named, train) }), test: depthOfPairs(named, test), ...close };
  }
  if (!whole) throw new TrainError('data', `${spec} has pairs to learn from and none to test on; ${GIVE}`);
  refuse(
    split !== 'held-out',
    `${spec} has no part of its own to test on; with --split held-out a tenth of it, drawn by seed 0, is tested on and the rest is for training`,
  );
  const parts = heldOut(whole);
  return { train: depthOfPairs(named, parts.train), test: depthOfPairs(named, parts.test), ...close };
}

function refuse(wrong: boolean, message: string): void {
  if (wrong) throw new TrainError('usage', message);
}

async function layoutOf(tree: FileTree, spec: string) {
  if (hasDepthLists(tree)) return readDepthLists(tree);
  if (hasDepthFolders(tree)) return readDepthFolders(tree);
  throw new TrainError('data', `${spec} has no pairs of picture and depth; ${GIVE}`);
}

const HELD_SHARE = 0.1;
const SEED = 0;

/** A tenth of the pairs, drawn by a seed, and the rest, both in their order. */
function heldOut(whole: DepthPart): { train: DepthPart; test: DepthPart } {
  const { pairs, notes } = whole;
  if (pairs.length < 2) throw new TrainError('data', `of ${pairs.length} pairs none can be held out`);
  const order = permutation(pairs.length, createRandom({ seed: SEED, position: 0, stream: 0 }));
  const held = new Set(order.slice(0, Math.max(1, Math.round(HELD_SHARE * pairs.length))));
  const told = [
    ...notes,
    `tested on ${held.size} of ${pairs.length} pairs, held out by seed ${SEED}; the rest is learnt from`,
  ];
  const part = (split: string, wanted: boolean): DepthPart => ({
    split,
    pairs: pairs.filter((_, index) => held.has(index) === wanted),
    notes: told,
  });
  return { train: part('train', false), test: part('held-out', true) };
}

interface Training {
  readonly train: DepthImages;
  close(): Promise<void>;
}

/** What to learn from in other data: their part for training, a heap of pairs, or GeoNet's frames. */
async function openTraining(spec: string, { depthScale }: OpenDepthOptions): Promise<Training> {
  const dataset = datasetName(spec);
  const file = nyuFileOf(spec);
  const nothing = () => new TrainError('data', `${spec} has no part to learn from`);
  if (file !== undefined) {
    const set = await openNyuFile(file, dataset);
    const close = async (): Promise<void> => set[Symbol.asyncDispose]();
    if (set.train) return { train: set.train, close };
    await close();
    throw nothing();
  }
  const tree = await openFileTree(spec);
  const close = async (): Promise<void> => {};
  if (isGeonet(tree)) return { train: geonetFrames(tree, dataset), close };
  const { train, whole } = await layoutOf(tree, spec);
  const part = train ?? (whole && { ...whole, split: 'train' });
  if (!part) throw nothing();
  return { train: depthOfPairs({ tree, dataset, unitsPerMetre: depthScale ?? MILLIMETRES }, part), close };
}

function limited(set: DepthImages, limit: number | undefined): DepthImages {
  if (limit === undefined || limit >= set.length) return set;
  const indices = Array.from({ length: limit }, (_, index) => Math.floor((index * set.length) / limit));
  return {
    ...set,
    ...chosenOf(set, indices),
    isGeonet: false,
    depth: (index, signal) => set.depth(indices[index]!, signal),
    depthVersion: (index) => set.depthVersion(indices[index]!),
  };
}
