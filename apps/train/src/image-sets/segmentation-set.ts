/** Images with a class for every pixel: folders of a known layout, or the generated world, whose masks are exact. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { decodeImage, fileVersion, generatedWorld, recogniseSource, shuffledOrder } from '@franca/data';
import { TrainError } from '../errors';
import { datasetName, type ImageSet, type ImageSets, type SetLimits, spread } from './image-set';
import { readMask } from './read-mask';
import { type Layout, layoutOf, type Part } from './segmentation-layouts';

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
  const { train, test } = layout ? folderSets(spec, layout, name) : await worldSets(spec, name);
  return { train: spread(train, limits.train), test: spread(test, limits.test), close: async () => {} };
}

function folderSets(root: string, layout: Layout, name: string | undefined): { train: ImageSet; test: ImageSet } {
  const dataset = name ?? layout.dataset ?? datasetName(root);
  const classes = layout.classes ?? namesOf(root);
  const set = (part: Part, split: string, keys: readonly string[]): ImageSet => ({
    dataset,
    split,
    total: keys.length,
    length: keys.length,
    classes,
    ignore: layout.ignore ?? 255,
    notes: [],
    key: (index) => keys[index]!,
    label: () => -1,
    read: async (index) => decodeImage(await readFile(join(root, part.images, keys[index]!))),
    mask(index) {
      const key = keys[index]!;
      return readMask(join(root, part.masks, `${key.slice(0, -extname(key).length)}.png`));
    },
    version: (index) => fileVersion(join(root, part.images, keys[index]!)),
  });
  const keys = keysOf(root, layout.train);
  if (existsSync(join(root, layout.val.images)) && existsSync(join(root, layout.val.masks)))
    return {
      train: set(layout.train, layout.train.split, keys),
      test: set(layout.val, layout.val.split, keysOf(root, layout.val)),
    };
  const order = shuffledOrder(keys.length, 0, 0);
  const shuffled = keys.map((_, i) => keys[order(i)]!);
  const held = Math.max(1, Math.round(keys.length / 5));
  return {
    train: set(layout.train, 'train less a fifth', shuffled.slice(held)),
    test: set(layout.train, 'held-out fifth', shuffled.slice(0, held)),
  };
}

function keysOf(root: string, { images, list }: Part): string[] {
  const names = readdirSync(join(root, images)).filter((name) => /\.(jpe?g|png)$/i.test(name));
  if (!list) return names.sort();
  const wanted = new Set(readFileSync(join(root, list), 'utf8').split(/\s+/));
  return names.filter((name) => wanted.has(name.slice(0, -extname(name).length))).sort();
}

/** Names in `annotations.json` (field `classes`) or `classes.json`: a list, first the class of value 0. */
function namesOf(root: string): string[] {
  for (const file of ['annotations.json', 'classes.json']) {
    if (!existsSync(join(root, file))) continue;
    const parsed = JSON.parse(readFileSync(join(root, file), 'utf8')) as unknown;
    const list = Array.isArray(parsed) ? parsed : (parsed as { classes?: unknown }).classes;
    if (Array.isArray(list)) return list.map(String);
  }
  throw new TrainError('data', `${root} names no classes; write a classes.json: a list, first the class of value 0`);
}

async function worldSets(spec: string, name: string | undefined): Promise<{ train: ImageSet; test: ImageSet }> {
  const { kind, target } = await recogniseSource(spec);
  if (kind !== 'world')
    throw new TrainError(
      'data',
      `${spec} has no masks; give a folder with train/images and train/masks, PASCAL VOC, ADE20K, or "world"`,
    );
  const numbers = Object.fromEntries(
    target
      .split(':')
      .filter(Boolean)
      .map((part) => part.split('='))
      .map(([key, value]) => [key, Number(value)]),
  );
  const set = (split: 'train' | 'val'): ImageSet => {
    const world = generatedWorld({ ...numbers, split });
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
      read: async (index) => world.sample(index).image,
      async mask(index) {
        const { image, semantic } = world.sample(index);
        return { data: semantic, height: image.height, width: image.width };
      },
      version: world.version,
    };
  };
  return { train: set('train'), test: set('val') };
}
