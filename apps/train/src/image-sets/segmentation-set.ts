/** Pictures with a class for every pixel: data of a known layout, in folders or archives, or the generated world, whose masks are exact. */
import {
  DataError,
  decodeImage,
  type FileTree,
  generatedWorld,
  isImageError,
  recogniseSource,
  shuffledOrder,
  worldOptions,
} from '@franca/data';
import sharp from 'sharp';
import { TrainError } from '../errors';
import { chosenOf, datasetName, type ImageSet, type ImageSets, type SetLimits, spread } from './image-set';
import { readMask } from './read-mask';
import { type LayoutPart, type OpenedLayout, refuseTrainList, type SegmentationOptions } from './segmentation-layout';
import { chooseLayout, findLayouts, KNOWN_LAYOUTS } from './segmentation-layouts';
import { worldImages } from './world-images';

export interface OpenSegmentationOptions extends SegmentationOptions {
  readonly limits?: SetLimits;
  /** The data set's name in records, and which is meant where there are several. */
  readonly name?: string | undefined;
}

/** What would be taken for pictures with masks, for messages. */
export const GIVE_MASKS: string = `give a folder or archive with one of: ${KNOWN_LAYOUTS}; or "world"`;

/** Whether `spec` has masks: data of a known layout or the generated world. */
export async function isSegmentationData(spec: string): Promise<boolean> {
  return (await findLayouts(spec)).length > 0 || (await recogniseSource(spec)).kind === 'world';
}

/**
 * Opens both parts; where there is one only, a fifth is held out.
 * @throws TrainError `data` where there are no masks, `usage` where options do not fit them
 */
export async function openSegmentationSets(spec: string, options: OpenSegmentationOptions = {}): Promise<ImageSets> {
  const { limits = {} } = options;
  const found = await findLayouts(spec);
  const { train, test } = found.length > 0 ? await layoutSets(spec, found, options) : await worldSets(spec, options);
  return {
    train: spread(train, limits.train),
    test: spread(test, limits.test),
    close: async () => {},
  };
}

/** Enough for the header of most pictures. */
const HEADER_BYTES = 2 ** 16;

type BothSets = Pick<ImageSets, 'train' | 'test'>;
type Common = Pick<ImageSet, 'dataset' | 'classes' | 'ignore' | 'values'>;

async function layoutSets(
  spec: string,
  found: Awaited<ReturnType<typeof findLayouts>>,
  options: OpenSegmentationOptions,
): Promise<BothSets> {
  const { layout, tree, whole, folder, notes: passed } = chooseLayout(spec, found, options.name);
  if (layout.name !== 'voc-2012') refuseTrainList(options, layout.looks);
  const opened = await layout.open(tree, options, { whole, folder });
  const { dataset, classes, ignore, values, train, val } = opened;
  const common = { dataset: options.name ?? dataset ?? datasetName(spec), classes, ignore, ...(values && { values }) };
  const notes = [...tree.notes, ...passed, ...opened.notes];
  const set = (part: LayoutPart): ImageSet => partSet(tree, { ...part, notes: [...notes, ...part.notes] }, common);
  if (train && val) return { train: shareOf(set(train), options, opened), test: set(val) };
  if (train) {
    const parts = holdOut(tree, train, { ...opened, notes }, common);
    return { ...parts, train: shareOf(parts.train, options, opened) };
  }
  if (!val)
    throw new TrainError(
      'data',
      `${tree.name} has no part of ${layout.looks} whole; ${opened.missing.join(' and ')} lack`,
    );
  const nothing = { split: 'train', pictures: [], unmasked: [], notes: [] };
  return {
    train: { ...partSet(tree, nothing, common), whyEmpty: `there is no ${opened.missing.join(' and no ')}` },
    test: set(val),
  };
}

/** Parts of the only part that there is. */
function holdOut(tree: FileTree, train: LayoutPart, { missing, notes }: OpenedLayout, common: Common): BothSets {
  const { pictures, unmasked, split } = train;
  if (pictures.length < 2)
    throw new TrainError(
      'data',
      `${tree.name} has one picture with a mask; there must be one to hold out, or a part for validation`,
    );
  const order = shuffledOrder(pictures.length, 0, 0);
  const shuffled = pictures.map((_, i) => pictures[order(i)]!);
  const held = Math.max(1, Math.round(pictures.length / 5));
  const told = [
    ...notes,
    ...train.notes,
    `without ${missing.join(' and ')}, ${held} of ${pictures.length} pictures of ${split} are held out (seed 0)`,
  ];
  const part = (chosen: LayoutPart['pictures'], name: string): ImageSet => ({
    ...partSet(
      tree,
      { ...train, notes: told, pictures: chosen, unmasked: [], split: name, published: undefined },
      common,
    ),
    unmasked: { named: unmasked, of: pictures.length + unmasked.length },
  });
  return {
    train: part(shuffled.slice(held), `${split} less a fifth`),
    test: part(shuffled.slice(0, held), 'held-out fifth'),
  };
}

function partSet(root: FileTree, part: LayoutPart, common: Common): ImageSet {
  const { tree = root, split, pictures, unmasked, notes, published } = part;
  const total = pictures.length + unmasked.length;
  const pictureOf = (index: number): string => pictures[index]!.picture;
  return {
    ...common,
    split,
    total,
    length: pictures.length,
    notes: [...notes, ...publishedNotes(pictures.length, published, `${common.dataset} ${split}`)],
    unmasked: { named: unmasked, of: total },
    key: (index) => pictures[index]!.key,
    label: () => -1,
    read: async (index, signal) => decodeImage(await tree.read(pictureOf(index), signal)),
    async mask(index, signal) {
      const { mask, picture } = pictures[index]!;
      const stored = (part.readMask ?? readMask)(await readNamed(tree, mask, signal), mask);
      return { ...stored, picture: await sizeOf(tree, picture) };
    },
    version: (index) => tree.version(pictureOf(index)),
  };
}

const publishedNotes = (there: number, published: number | undefined, where: string): string[] =>
  published === undefined || there === published
    ? []
    : [`${there} of the published ${published} pictures of ${where} are there`];

/** Says of a file that cannot be read which it is. */
async function readNamed(tree: FileTree, path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await tree.read(path, signal);
  } catch (error) {
    if (isImageError(error)) throw new DataError(error.code, `${path} ${error.message}`, { cause: error });
    throw error;
  }
}

/** From the header, as the picture is decoded: not turned. A damaged picture has none; whoever reads it says so. */
async function sizeOf(tree: FileTree, path: string): Promise<{ width: number; height: number } | undefined> {
  const file = await tree.open(path).catch(() => undefined);
  if (!file) return undefined;
  const sizeIn = async (bytes: number) => {
    const { width, height } = await sharp(await file.read(0, Math.min(bytes, file.size))).metadata();
    return { width, height };
  };
  return sizeIn(HEADER_BYTES)
    .catch(() => sizeIn(file.size))
    .catch(() => undefined);
}

/** A drawn share of the pictures that are learnt from. */
function shareOf(set: ImageSet, { trainShare, protocol }: SegmentationOptions, opened?: OpenedLayout): ImageSet {
  const share = trainShare ?? (protocol === 'paper' ? opened?.paperShare : undefined);
  if (share === undefined || share >= 1)
    return opened?.paperShare === undefined ? set : noted(set, [wholeNote(set, opened.paperShare)]);
  const drawn = Math.max(1, Math.round(share * set.length));
  const order = shuffledOrder(set.length, 0, 0);
  const indices = Array.from({ length: drawn }, (_, i) => order(i)).sort((a, b) => a - b);
  return noted(chosenOf(set, indices), [
    `${drawn} of ${set.length} pictures of ${set.dataset} ${set.split} are drawn for training: a share of ${share} (seed 0)`,
  ]);
}

const noted = (set: ImageSet, notes: readonly string[]): ImageSet => ({ ...set, notes: [...set.notes, ...notes] });

const wholeNote = ({ dataset, split }: ImageSet, share: number): string =>
  `train is all of ${dataset} ${split}; the published protocols draw a share of ${share}, as --train-share ${share} does`;

async function worldSets(spec: string, { name, ...options }: OpenSegmentationOptions): Promise<BothSets> {
  const { kind, target } = await recogniseSource(spec);
  if (kind !== 'world') throw new TrainError('data', `${spec} has no masks; ${GIVE_MASKS}`);
  refuseTrainList(options, 'the generated world');
  const set = (split: 'train' | 'val'): ImageSet => {
    const options = worldOptions(target, split);
    const world = generatedWorld(options);
    return {
      ...worldImages(world, { dataset: datasetName(spec, name), split }),
      classes: ['background', ...world.classes],
      ignore: 255,
      async mask(index) {
        const { image, semantic } = world.sample(index);
        return { data: semantic, height: image.height, width: image.width };
      },
    };
  };
  return { train: shareOf(set('train'), options), test: set('val') };
}
