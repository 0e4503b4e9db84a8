/** Images with a class for every pixel: folders of a known layout, or the generated world, whose masks are exact. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decodeImage,
  fileVersion,
  generatedWorld,
  readImage,
  recogniseSource,
  shuffledOrder,
  worldOptions,
} from '@franca/data';
import sharp from 'sharp';
import { TrainError } from '../errors';
import { datasetName, type ImageSet, type ImageSets, type SetLimits, spread } from './image-set';
import { readMask } from './read-mask';
import { type Layout, layoutOf, type Part } from './segmentation-layouts';
import { findPairs, hasPart, type Pairs } from './segmentation-pairs';

/** Whether `spec` has masks: a folder of a known layout or the generated world. */
export async function isSegmentationData(spec: string): Promise<boolean> {
  return layoutOf(spec) !== undefined || (await recogniseSource(spec)).kind === 'world';
}

/**
 * Opens both parts; where there is one only, a fifth is held out.
 * @throws TrainError `data` where there are no masks
 */
export async function openSegmentationSets(spec: string, limits: SetLimits, name?: string): Promise<ImageSets> {
  const layout = layoutOf(spec);
  const { train, test } = layout ? await folderSets(spec, layout, name) : await worldSets(spec, name);
  return { train: spread(train, limits.train), test: spread(test, limits.test), close: async () => {} };
}

type BothSets = Pick<ImageSets, 'train' | 'test'>;

async function folderSets(root: string, layout: Layout, name: string | undefined): Promise<BothSets> {
  const common = {
    dataset: name ?? layout.dataset ?? datasetName(root),
    classes: layout.classes ?? namesOf(root),
    ignore: layout.ignore ?? 255,
  };
  const train = await findPairs(root, layout.train);
  if (hasPart(root, layout.val)) {
    const val = await findPairs(root, layout.val);
    return {
      train: pairSet(root, layout.train, train, common),
      test: pairSet(root, layout.val, val, common),
    };
  }
  const { pictures, notes } = train;
  if (pictures.length < 2)
    throw new TrainError(
      'data',
      `${root} has one picture with a mask; there must be one to hold out, or a part for validation`,
    );
  const order = shuffledOrder(pictures.length, 0, 0);
  const shuffled = pictures.map((_, i) => pictures[order(i)]!);
  const held = Math.max(1, Math.round(pictures.length / 5));
  const missing = [layout.val.images, layout.val.masks].filter((folder) => !existsSync(join(root, folder)));
  const of = pictures.length + train.unmasked.length;
  const told = [
    ...notes,
    `without ${missing.join(' and ')}, ${held} of ${pictures.length} pictures of ${layout.train.images} are held out (seed 0)`,
  ];
  const part = (chosen: readonly string[], split: string): ImageSet => ({
    ...pairSet(root, { ...layout.train, split }, { ...train, notes: told, pictures: chosen }, common),
    total: chosen.length,
    unmasked: { named: train.unmasked, of },
  });
  return {
    train: part(shuffled.slice(held), 'train less a fifth'),
    test: part(shuffled.slice(0, held), 'held-out fifth'),
  };
}

function pairSet(
  root: string,
  { images, split }: Part,
  { pictures, unmasked, notes, maskOf }: Pairs,
  common: Pick<ImageSet, 'dataset' | 'classes' | 'ignore'>,
): ImageSet {
  const total = pictures.length + unmasked.length;
  const pathOf = (index: number): string => join(root, images, pictures[index]!);
  return {
    ...common,
    split,
    total,
    length: pictures.length,
    notes,
    unmasked: { named: unmasked, of: total },
    key: (index) => pictures[index]!,
    label: () => -1,
    read: async (index) => decodeImage(await readFile(pathOf(index))),
    mask: async (index) => ({ ...(await readMask(maskOf(pictures[index]!))), picture: await sizeOf(pathOf(index)) }),
    version: (index) => fileVersion(join(root, images, pictures[index]!)),
  };
}

/** From the header, as the picture is decoded: not turned. A damaged picture has none; whoever reads it says so. */
async function sizeOf(path: string): Promise<{ width: number; height: number } | undefined> {
  const { width, height } = await sharp(path)
    .metadata()
    .catch(() => ({ width: undefined, height: undefined }));
  return width && height ? { width, height } : undefined;
}

/**
 * Names in `annotations.json` (field `classes`) or `classes.json`: a list, first the class of value 0.
 * @throws TrainError `data` where there is no such list of different names
 */
function namesOf(root: string): string[] {
  for (const file of ['annotations.json', 'classes.json']) {
    const path = join(root, file);
    if (!existsSync(path)) continue;
    const parsed = parseJson(path);
    const list = Array.isArray(parsed) ? parsed : (parsed as { classes?: unknown } | null)?.classes;
    if (!Array.isArray(list)) continue;
    const odd = list.findIndex((name, at) => typeof name !== 'string' || name === '' || list.indexOf(name) !== at);
    if (odd >= 0 || list.length === 0)
      throw new TrainError(
        'data',
        `${path}: class ${Math.max(0, odd)} is ${JSON.stringify(list[odd]) ?? 'missing'}; classes are a list of different names, first that of value 0`,
      );
    return list as string[];
  }
  throw new TrainError('data', `${root} names no classes; write a classes.json: a list, first the class of value 0`);
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new TrainError('data', `${path} is no JSON: ${(error as Error).message}`);
  }
}

async function worldSets(spec: string, name: string | undefined): Promise<BothSets> {
  const { kind, target } = await recogniseSource(spec);
  if (kind !== 'world')
    throw new TrainError(
      'data',
      `${spec} has no masks; give a folder with train/images and train/masks, PASCAL VOC, ADE20K, or "world"`,
    );
  const set = (split: 'train' | 'val'): ImageSet => {
    const options = worldOptions(target, split);
    const world = generatedWorld(options);
    return {
      dataset: datasetName(spec, name),
      split,
      total: world.length,
      length: world.length,
      classes: ['background', ...world.classes],
      ignore: 255,
      notes: [],
      key: world.key,
      label: world.label,
      // kept in memory, where a mask is rendered every time
      read: (index, signal) => readImage(world, index, {}, signal),
      async mask(index) {
        const { image, semantic } = world.sample(index);
        return { data: semantic, height: image.height, width: image.width };
      },
      version: world.version,
    };
  };
  return { train: set('train'), test: set('val') };
}
