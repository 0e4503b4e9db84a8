/**
 * Pictures with boxes around their objects: PASCAL VOC, COCO's form, a `boxes.json`, in folders or in tars, or the generated world, whose boxes are exact.
 *
 * Pictures without a box are not counted, as in the protocols of object discovery; pictures or annotations that cannot be used are, and are told.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, type FileTree, generatedWorld, openFileTree, recogniseSource, worldOptions } from '@franca/data';
import type { Box } from '@franca/evals';
import sharp from 'sharp';
import { TrainError } from '../errors';
import { cocoAnnotations, readCoco } from './box-coco';
import { BOXES_FILE, boxesFile, readBoxesFile } from './box-json';
import type { BoxedPicture, BoxLayout, BoxOptions, PictureSize } from './box-layout';
import { readVoc, vocRoots } from './box-voc';
import { chosenOf, datasetName, type ImageSet, MAX_BAD_SHARE } from './image-set';
import { some } from './judge-masks';
import { isVideoData } from './video-layouts';
import { worldImages } from './world-images';

export interface BoxSet extends ImageSet, AsyncDisposable {
  /** Half-open boxes of a picture in pixels, one at least. */
  boxes(index: number): readonly Box[];
  /** Width and height, as they are written beside the boxes, else as the picture's header says. */
  size(index: number): Promise<PictureSize>;
}

export interface OpenBoxOptions extends BoxOptions {
  /** At most so many pictures, evenly spaced. */
  readonly limit?: number | undefined;
  /** The data set's name in records. */
  readonly name?: string | undefined;
}

const GIVE =
  'give PASCAL VOC (VOCdevkit/VOC2007), annotations of COCO (annotations/instances_*.json), a folder with a boxes.json, or "world"';

/** Whether data tell at a glance that they have boxes; archives are not looked into. */
export async function isBoxData(spec: string): Promise<boolean> {
  if ((await recogniseSource(spec).catch(() => undefined))?.kind === 'world') return true;
  const has = (...parts: string[]): boolean => existsSync(join(spec, ...parts));
  // videos of DAVIS lie in folders that are called alike
  const isVoc = (...parts: string[]): boolean =>
    has(...parts, 'Annotations') && has(...parts, 'JPEGImages') && !isVideoData(join(spec, ...parts));
  const years = [2007, 2008, 2009, 2010, 2011, 2012].map((year) => `VOC${year}`);
  const isCoco =
    has('annotations') && readdirSync(join(spec, 'annotations')).some((name) => /^instances.*\.json$/.test(name));
  return isVoc() || years.some((year) => isVoc(year) || isVoc('VOCdevkit', year)) || isCoco || has(BOXES_FILE);
}

/**
 * Opens data with boxes.
 * @throws TrainError `data` where there are none or they cannot be right, `usage` where it is open what is meant; DataError as `openFileTree`
 */
export async function openBoxSet(spec: string, options: OpenBoxOptions = {}): Promise<BoxSet> {
  const { kind, target } = await recogniseSource(spec).catch(() => ({ kind: undefined, target: spec }));
  if (kind === 'world') refuse(options, ['year', 'part', 'hard', 'annotations', 'list'], 'the generated world');
  const set = kind === 'world' ? worldSet(spec, target, options) : await treeSet(spec, options);
  return limited(set, options.limit);
}

/** The pictures of `set` at `indices`, in that order. */
export const chosenBoxes = (set: BoxSet, indices: readonly number[]): BoxSet => ({
  ...set,
  ...chosenOf(set, indices),
  boxes: (index) => set.boxes(indices[index]!),
  size: (index) => set.size(indices[index]!),
});

function limited(set: BoxSet, limit: number | undefined): BoxSet {
  if (limit === undefined || limit >= set.length) return set;
  const indices = Array.from({ length: limit }, (_, index) => Math.floor((index * set.length) / limit));
  return chosenBoxes(set, indices);
}

async function treeSet(spec: string, options: OpenBoxOptions): Promise<BoxSet> {
  const tree = await openFileTree(spec);
  const layout = await readLayout(tree, spec, options);
  const { pictures, unusable, notes } = usablePictures(layout);
  const where = `${spec} ${layout.split}`;
  if (pictures.length === 0)
    throw new TrainError('data', `no picture of ${where} has a box: ${some(unusable) || 'no object is marked'}`);
  if (unusable.length > MAX_BAD_SHARE * (pictures.length + unusable.length))
    throw new TrainError(
      'data',
      `${unusable.length} of ${pictures.length + unusable.length} pictures of ${where} cannot be used: ${some(unusable)}; that is more than ` +
        `the share of ${MAX_BAD_SHARE} that may be missing, so the data are not complete`,
    );
  const pathOf = (index: number): string => pictures[index]!.path!;
  return {
    dataset: options.name ?? layout.dataset ?? datasetName(spec),
    split: layout.split,
    total: pictures.length + unusable.length,
    length: pictures.length,
    classes: [],
    ignore: undefined,
    notes: [...tree.notes, ...layout.notes, ...notes],
    key: (index) => pictures[index]!.key,
    label: () => -1,
    boxes: (index) => pictures[index]!.boxes,
    size: async (index) => pictures[index]!.size ?? headerSize(await tree.read(pathOf(index))),
    read: async (index, signal) => decodeImage(await tree.read(pathOf(index), signal)),
    version: (index) => tree.version(pathOf(index)),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function readLayout(tree: FileTree, spec: string, options: BoxOptions): Promise<BoxLayout> {
  const roots = vocRoots(tree);
  if (options.annotations === undefined && roots.length > 0) {
    refuse(options, ['list'], 'PASCAL VOC');
    return readVoc(tree, roots, options);
  }
  if (options.annotations !== undefined || cocoAnnotations(tree).length > 0) {
    refuse(options, ['year', 'part', 'hard'], 'annotations of COCO');
    return readCoco(tree, spec, options);
  }
  const file = boxesFile(tree);
  if (file === undefined) throw new TrainError('data', `${spec} has no boxes; ${GIVE}`);
  refuse(options, ['year', 'part', 'hard', 'list'], file);
  return readBoxesFile(tree, file);
}

/** What the layout has no use for would be left out unnoticed. */
function refuse(options: BoxOptions, names: readonly (keyof BoxOptions)[], layout: string): void {
  const odd = names.find((name) => options[name] !== undefined && !(name === 'hard' && options.hard));
  if (odd !== undefined)
    throw new TrainError('usage', `--${odd === 'hard' ? 'no-hard' : odd} says nothing about ${layout}; leave it out`);
}

/** Pictures that are there and have a box; what is left out, in words. */
function usablePictures({ pictures, unusable, split }: BoxLayout) {
  const lacking = pictures.filter(({ path }) => path === undefined).map(({ key }) => `${key} (no such picture)`);
  const there = pictures.filter(({ path }) => path !== undefined);
  const isEmpty = ([x0, y0, x1, y1]: Box): boolean => !(x1 > x0 && y1 > y0);
  const empty = there.filter(({ boxes }) => boxes.some(isEmpty));
  const solid = there.map(
    (picture): BoxedPicture => ({ ...picture, boxes: picture.boxes.filter((box) => !isEmpty(box)) }),
  );
  const kept = solid.filter(({ boxes }) => boxes.length > 0);
  const bare = solid.length - kept.length;
  const all = [...unusable, ...lacking];
  const of = `of ${pictures.length + unusable.length} pictures of ${split}`;
  return {
    pictures: kept,
    unusable: all,
    notes: [
      ...(bare > 0 ? [`${bare} ${of} have no box and are not counted`] : []),
      ...(empty.length > 0
        ? [`${empty.length} pictures have boxes without a pixel, which are left out, e.g. ${empty[0]!.key}`]
        : []),
      ...(all.length > 0 ? [`${all.length} ${of} cannot be used and count as not evaluated: ${some(all)}`] : []),
    ],
  };
}

/** From the header, as the picture is decoded: not turned. Whoever reads a damaged picture says so. */
async function headerSize(bytes: Uint8Array): Promise<PictureSize> {
  const { width = 0, height = 0 } = await sharp(bytes)
    .metadata()
    .catch(() => ({}) as Partial<PictureSize>);
  return { width, height };
}

/** Toys of the validation part, the subject first: boxes of the pixels that are seen. */
function worldSet(spec: string, target: string, { name }: OpenBoxOptions): BoxSet {
  const world = generatedWorld(worldOptions(target, 'val'));
  const size = worldOptions(target, 'val').size ?? 128;
  // rendered for its boxes once
  const known = new Map<number, readonly Box[]>();
  const boxesOf = (index: number): readonly Box[] =>
    world.sample(index).objects.map(({ box: { x0, y0, x1, y1 } }): Box => [x0, y0, x1, y1]);
  return {
    ...worldImages(world, { dataset: datasetName(spec, name), split: 'val' }),
    boxes(index) {
      const boxes = known.get(index) ?? boxesOf(index);
      known.set(index, boxes);
      return boxes;
    },
    size: async () => ({ width: size, height: size }),
    [Symbol.asyncDispose]: async () => world.close?.(),
  };
}
