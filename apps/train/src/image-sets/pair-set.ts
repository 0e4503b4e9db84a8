/**
 * Pairs of pictures with key points seen in both, ready to be matched: from a layout's own list of pairs, with the sizes of the pictures as their
 * files have them.
 *
 * What cannot be judged is left out and told: pictures that are missing, damaged or of another size than their annotation states, key points outside
 * their pictures. More than a tenth of such pairs is refused, and so are annotations that mean nothing.
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
  const isThere = ({ source, target }: ListedPair): boolean => sizes.has(source) && sizes.has(target);
  const there = listed.pairs.filter(isThere);
  const lost = listed.pairs.filter((pair) => !isThere(pair));
  const otherSize = there.filter((pair) => contradiction(pair, sizes) !== undefined);
  const complete = there.filter((pair) => contradiction(pair, sizes) === undefined);
  checkLost(tree.name, listed.pairs, complete.length, sizes);
  const used = paths.filter((path) => sizes.has(path));
  const placeOf = new Map(used.map((path, index) => [path, index]));
  const classes = [...new Set(listed.pairs.map(({ category }) => category))].sort();
  const outside: string[] = [];
  const pairs = complete.map((pair): SetPair => {
    const [sourceSize, targetSize] = [sizes.get(pair.source)!, sizes.get(pair.target)!];
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
    ...noteOn(
      otherSize.map(({ name }) => name),
      'pairs are left out, as their annotation states another size than a picture of theirs has',
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

/** Where an annotation states another size than the picture has: its key points would be wrong places. */
function contradiction(pair: ListedPair, sizes: ReadonlyMap<string, Size>): string | undefined {
  for (const [path, stated] of [[pair.source, pair.sourceSize] as const, [pair.target, pair.targetSize] as const]) {
    const own = sizes.get(path)!;
    if (stated && own.join() !== stated.join())
      return `${path} is ${own.join(' x ')}, its annotation says ${stated.join(' x ')}`;
  }
  return undefined;
}

function checkLost(
  where: string,
  pairs: readonly ListedPair[],
  usable: number,
  sizes: ReadonlyMap<string, Size>,
): void {
  const of = pairs.length;
  if (of === 0) throw new TrainError('data', `${where} lists no pair`);
  if (usable > 0 && of - usable <= MAX_BAD_SHARE * of) return;
  const paths = new Set(pairs.flatMap(({ source, target }) => [source, target]));
  const missing = [...paths].filter((path) => !sizes.has(path)).map((path) => `${path} is missing or cannot be read`);
  const there = pairs.filter(({ source, target }) => sizes.has(source) && sizes.has(target));
  const wrong = there.map((pair) => contradiction(pair, sizes)).filter((reason) => reason !== undefined);
  throw new TrainError(
    'data',
    `${of - usable} of ${of} pairs of ${where} cannot be used: ${some([...missing, ...new Set(wrong)])}; put pictures and annotations in step`,
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
