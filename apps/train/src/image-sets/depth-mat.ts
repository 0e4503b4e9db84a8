/**
 * NYU Depth v2's labelled frames as they are published: `nyu_depth_v2_labeled.mat`, MATLAB's version 7.3, read frame by frame.
 *
 * `images` [n, 3, columns, rows] are bytes, `rawDepths` [n, columns, rows] the sensor's readings in metres: MATLAB stores columns first. `depths`, whose gaps somebody filled in, are read
 * only where there are no others. Which frames are for training says `splits.mat` beside the file, else the standard split of 795 and 654.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type PixelImage, readMatFile } from '@franca/data';
import { TrainError } from '../errors';
import type { DepthImages, DepthMap, DepthSet } from './depth-set';
import { type Hdf5Array, openHdf5 } from './hdf5-file';
import { NYU_FRAMES, nyuSplit } from './nyu-split';

const NYU_FILE = 'nyu_depth_v2_labeled.mat';
const SPLITS_FILE = 'splits.mat';
const MAX_SPLITS_BYTES = 2 ** 20;

/** The labelled frames that a path means: the file, or the folder that it lies in. */
export function nyuFileOf(spec: string): string | undefined {
  if (/\.mat$/i.test(spec)) return spec;
  const inside = join(spec, NYU_FILE);
  return existsSync(inside) ? inside : undefined;
}

/** @throws TrainError `data` where the file has no frames or nothing says how they are split; DataError `damaged-file`, `not-found` */
export async function openNyuFile(path: string, dataset: string): Promise<DepthSet> {
  const file = await openHdf5(path);
  try {
    const images = requireArray(path, 'images', file.array('images'), 4);
    const raw = file.array('rawDepths');
    const depths = requireArray(path, 'rawDepths', raw ?? file.array('depths'), 3);
    const [frames, channels, width, height] = images.sizes as [number, number, number, number];
    if (channels !== 3 || depths.sizes.join() !== [frames, width, height].join())
      throw no(
        path,
        `has images of ${images.sizes.join(' x ')} and depths of ${depths.sizes.join(' x ')}; they are to be n x 3 x columns x rows and n x columns x rows`,
      );
    const { train, test, note } = await splitOf(path, frames);
    const notes = [note, ...(raw ? [] : ['depths are those whose gaps were filled in: the file has no rawDepths'])];
    const part = (split: string, chosen: readonly number[]): DepthImages =>
      framesOf({ images, depths, width, height, version: versionOf(path) }, { dataset, split, notes, chosen });
    return {
      ...(train.length > 0 && { train: part('train', train) }),
      test: part('test', test),
      [Symbol.asyncDispose]: async () => file[Symbol.dispose](),
    };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

const no = (path: string, why: string): TrainError => new TrainError('data', `${path} ${why}`);

function requireArray(path: string, name: string, array: Hdf5Array | undefined, rank: number): Hdf5Array {
  if (array?.sizes.length === rank) return array;
  throw no(
    path,
    `${array ? `has ${name} of ${array.sizes.join(' x ')}` : `has no ${name}`}; give ${NYU_FILE} as it is published`,
  );
}

interface FramesFile {
  readonly images: Hdf5Array;
  readonly depths: Hdf5Array;
  readonly width: number;
  readonly height: number;
  /** Of the whole file. */
  readonly version: string;
}

interface ChosenFrames {
  readonly dataset: string;
  readonly split: string;
  readonly notes: readonly string[];
  readonly chosen: readonly number[];
}

function framesOf(
  { images, depths, width, height, version }: FramesFile,
  { dataset, split, notes, chosen }: ChosenFrames,
): DepthImages {
  return {
    dataset,
    split,
    total: chosen.length,
    length: chosen.length,
    classes: [],
    ignore: undefined,
    notes,
    key: (index) => String(chosen[index]!).padStart(5, '0'),
    label: () => -1,
    read: async (index) => pictureOf(images.read(chosen[index]!), width, height),
    depth: async (index) => mapOf(depths.read(chosen[index]!), width, height),
    version: (index) => `${version}#${chosen[index]}`,
    depthVersion: (index) => `${version}#${chosen[index]}`,
  };
}

/** From [3, columns, rows]. */
function pictureOf(values: ArrayLike<number>, width: number, height: number): PixelImage {
  const data = new Uint8Array(3 * width * height);
  for (let c = 0, i = 0; c < 3; c++)
    for (let x = 0; x < width; x++) for (let y = 0; y < height; y++, i++) data[(y * width + x) * 3 + c] = values[i]!;
  return { width, height, channels: 3, data };
}

/** From [columns, rows]; what is no distance is no reading. */
function mapOf(values: ArrayLike<number>, width: number, height: number): DepthMap {
  const data = new Float32Array(width * height);
  for (let x = 0, i = 0; x < width; x++)
    for (let y = 0; y < height; y++, i++)
      data[y * width + x] = values[i]! > 0 && values[i]! < Number.MAX_VALUE ? values[i]! : 0;
  return { width, height, data };
}

/** Told without reading gigabytes: size and time of writing. */
function versionOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return createHash('sha256').update(`${size} ${mtimeMs}`).digest('hex');
}

interface FrameSplit {
  readonly train: readonly number[];
  readonly test: readonly number[];
  readonly note: string;
}

async function splitOf(path: string, frames: number): Promise<FrameSplit> {
  const beside = join(dirname(path), SPLITS_FILE);
  if (existsSync(beside)) return readSplits(beside, frames);
  if (frames !== NYU_FRAMES)
    throw no(
      path,
      `has ${frames} frames, the published set ${NYU_FRAMES}; put a ${SPLITS_FILE} with trainNdxs and testNdxs beside it`,
    );
  return {
    train: nyuSplit('train'),
    test: nyuSplit('test'),
    note: 'the standard split: 795 frames to learn from, 654 to test on',
  };
}

/** `trainNdxs` and `testNdxs`, numbers of frames from 1. */
async function readSplits(path: string, frames: number): Promise<FrameSplit> {
  if (statSync(path).size > MAX_SPLITS_BYTES) throw no(path, 'is too large for two lists of frames');
  const variables = readMatFile(await readFile(path), path);
  const list = (name: string): number[] => {
    const value = variables[name];
    if (value?.kind !== 'numbers') throw no(path, `has no list ${name}`);
    const numbers = Array.from(value.values, (number) => number - 1);
    const odd = numbers.find((number) => !Number.isInteger(number) || number < 0 || number >= frames);
    if (odd !== undefined) throw no(path, `names frame ${odd + 1} in ${name}; they are 1 to ${frames}`);
    return [...new Set(numbers)].sort((a, b) => a - b);
  };
  const [train, test] = [list('trainNdxs'), list('testNdxs')];
  if (test.length === 0) throw no(path, 'names no frame to test on');
  const learnt = new Set(train);
  const both = test.find((frame) => learnt.has(frame));
  if (both !== undefined) throw no(path, `has frame ${both + 1} in both parts`);
  return {
    train,
    test,
    note: `split by ${SPLITS_FILE}: ${train.length} frames to learn from, ${test.length} to test on`,
  };
}
