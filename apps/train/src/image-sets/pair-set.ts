/**
 * Pairs of pictures with key points seen in both, ready to be matched: from a layout's own list of pairs, with the sizes of the pictures as their
 * files have them.
 *
 * What cannot be judged is left out and told (pictures that are missing or damaged, key points outside their pictures); what would make a number
 * wrong in silence is refused: sizes in annotations that are not those of the pictures, boxes without extent, many missing pictures.
 */
import { decodeImage, type FileTree, isImageError, prefetch } from '@franca/data';
import type { KeyPoint, KeyPointPair, Point } from '@franca/evals';
import sharp from 'sharp';
import { TrainError } from '../errors';
import { type ImageSet, MAX_BAD_SHARE } from './image-set';
import { some } from './judge-masks';

/** A pair of a set; `source` and `target` are indices of its pictures. */
export interface SetPair extends KeyPointPair {
  readonly source: number;
  readonly target: number;
}

export interface PairSet {
  /** Every picture of the pairs once. */
  readonly pictures: ImageSet;
  /** In the order of their names. */
  readonly pairs: readonly SetPair[];
  /** Pairs of the part, those included that are left out. */
  readonly total: number;
  /** Names by `category`. */
  readonly classes: readonly string[];
}

/** A pair as a layout lists it. */
export interface ListedPair {
  readonly name: string;
  readonly category: string;
  readonly viewpoint?: number | undefined;
  /** Paths of the pictures in the tree. */
  readonly source: string;
  readonly target: string;
  readonly points: readonly KeyPoint[];
  /** Box of the target's subject; absent: the picture. */
  readonly box?: KeyPointPair['targetBox'] | undefined;
  /** Sizes that the annotation states. */
  readonly sourceSize?: Size | undefined;
  readonly targetSize?: Size | undefined;
}

export type Size = readonly [width: number, height: number];

/** What a layout has found. */
export interface ListedPairs {
  readonly split: string;
  /** In the order of their names. */
  readonly pairs: readonly ListedPair[];
  readonly notes: readonly string[];
}

/** A square of the longer side is made of each picture: as many pixels at most. */
const MAX_SQUARE = 2 ** 28;

/**
 * Pairs whose pictures are there, with the pictures' own sizes.
 * @throws TrainError `data` where there is none, annotations contradict the pictures, or more than a tenth are without pictures
 */
export async function pairSet(tree: FileTree, listed: ListedPairs, dataset: string): Promise<PairSet> {
  const paths = [...new Set(listed.pairs.flatMap(({ source, target }) => [source, target]))].sort();
  const sizes = await sizesOf(tree, paths);
  const isComplete = ({ source, target }: ListedPair): boolean => sizes.has(source) && sizes.has(target);
  const complete = listed.pairs.filter(isComplete);
  const lost = listed.pairs.filter((pair) => !isComplete(pair));
  checkLost(tree.name, lost, listed.pairs.length, sizes);
  const used = paths.filter((path) => sizes.has(path));
  const placeOf = new Map(used.map((path, index) => [path, index]));
  const classes = [...new Set(listed.pairs.map(({ category }) => category))].sort();
  const outside: string[] = [];
  const pairs = complete.map((pair): SetPair => {
    const [sourceSize, targetSize] = [sizes.get(pair.source)!, sizes.get(pair.target)!];
    checkSize(tree, pair.source, sourceSize, pair.sourceSize);
    checkSize(tree, pair.target, targetSize, pair.targetSize);
    const points = pair.points.filter(({ source, target }) => isIn(source, sourceSize) && isIn(target, targetSize));
    for (const { name } of pair.points.filter((point) => !points.includes(point)))
      outside.push(`${name} of ${pair.name}`);
    return {
      name: pair.name,
      category: classes.indexOf(pair.category),
      viewpoint: pair.viewpoint,
      source: placeOf.get(pair.source)!,
      target: placeOf.get(pair.target)!,
      sourceSize,
      targetSize,
      points,
      targetBox: pair.box ?? [0, 0, ...targetSize],
    };
  });
  const boxless = complete.filter(({ box }) => !box).map(({ name }) => name);
  const pointless = pairs.filter(({ points }) => points.length === 0).map(({ name }) => name);
  const notes = [
    ...tree.notes,
    ...listed.notes,
    ...noteOn(
      lost.map(({ name }) => name),
      'pairs are left out, as a picture of theirs is missing or cannot be read',
    ),
    ...noteOn(outside, 'key points lie outside their pictures and are left out'),
    ...noteOn(pointless, 'pairs have no key point that is seen in both pictures'),
    ...noteOn(boxless, 'pairs have no box: errors are measured by the longer side of their target picture'),
  ];
  const pictures = pictureSet(tree, used, { dataset, split: listed.split, notes });
  return { pictures, pairs, total: listed.pairs.length, classes };
}

/** At most `limit` pairs, evenly spaced, which a note tells. */
export function spreadPairs(set: PairSet, limit: number | undefined): PairSet {
  const { pairs, pictures } = set;
  if (limit === undefined || limit >= pairs.length) return set;
  const note = `${limit} of ${pairs.length} pairs are used, evenly spaced`;
  return {
    ...set,
    pictures: { ...pictures, notes: [...pictures.notes, note] },
    pairs: Array.from({ length: limit }, (_, i) => pairs[Math.floor((i * pairs.length) / limit)]!),
  };
}

const noteOn = (names: readonly string[], what: string): string[] =>
  names.length > 0 ? [`${names.length} ${what}: ${some(names)}`] : [];

const isIn = ([x, y]: Point, [width, height]: Size): boolean => x >= 0 && y >= 0 && x <= width && y <= height;

/** From the headers; those without a readable one are absent. */
async function sizesOf(tree: FileTree, paths: readonly string[]): Promise<Map<string, Size>> {
  const sizes = new Map<string, Size>();
  const load = async (path: string): Promise<Size | undefined> => {
    if (!tree.has(path)) return undefined;
    const bytes = await tree.read(path).catch((error: unknown) => {
      if (!isImageError(error)) throw error;
    });
    if (!bytes) return undefined;
    const { width, height } = await sharp(bytes)
      .metadata()
      .catch(() => ({ width: 0, height: 0 }));
    return width > 0 && height > 0 && Math.max(width, height) ** 2 <= MAX_SQUARE ? [width, height] : undefined;
  };
  let at = 0;
  for await (const size of prefetch(paths, load, { inFlight: 16 })) {
    const path = paths[at++]!;
    if (size) sizes.set(path, size);
  }
  return sizes;
}

function checkLost(where: string, lost: readonly ListedPair[], of: number, sizes: ReadonlyMap<string, Size>): void {
  if (of === 0) throw new TrainError('data', `${where} lists no pair`);
  if (lost.length < of && lost.length <= MAX_BAD_SHARE * of) return;
  const missing = [
    ...new Set(lost.flatMap(({ source, target }) => [source, target]).filter((path) => !sizes.has(path))),
  ];
  throw new TrainError(
    'data',
    `${lost.length} of ${of} pairs of ${where} are of pictures that are missing or cannot be read: ${some(missing)}; put the pictures where the pairs say`,
  );
}

function checkSize(tree: FileTree, path: string, [width, height]: Size, stated: Size | undefined): void {
  if (!stated || (stated[0] === width && stated[1] === height)) return;
  throw new TrainError(
    'data',
    `${tree.name}: ${path} is ${width} x ${height}, its annotation says ${stated.join(' x ')}; key points of another size would be wrong places`,
  );
}

function pictureSet(
  tree: FileTree,
  paths: readonly string[],
  names: Pick<ImageSet, 'dataset' | 'split' | 'notes'>,
): ImageSet {
  return {
    ...names,
    total: paths.length,
    length: paths.length,
    classes: [],
    ignore: undefined,
    key: (index) => paths[index]!,
    label: () => -1,
    read: async (index, signal) => decodeImage(await tree.read(paths[index]!, signal)),
    version: (index) => tree.version(paths[index]!),
  };
}
