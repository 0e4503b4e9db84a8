/**
 * SPair-71k as it unpacks (Min et al., 2019):
 *
 *   PairAnnotation/{trn,val,test}/<number>-<source>-<target>:<class>.json   category, pictures and their sizes, trg_bndbox, viewpoint_variation
 *   ImageAnnotation/<class>/<picture>.json                                  kps: positions by number, null where a point is not seen
 *   JPEGImages/<class>/<picture>.jpg
 *
 * Key points count where both pictures have them. The pairs stand in the order of their file names.
 */
import { type FileTree, prefetch } from '@franca/data';
import type { KeyPoint, Point } from '@franca/evals';
import { TrainError } from '../errors';
import { boxOf, type JsonPlace, numbersOf, partOf, pointOf, readJson, textOf, viewpointOf } from './pair-json';
import type { ListedPair, ListedPairs, Size } from './pair-set';

const FOLDERS = ['PairAnnotation', 'ImageAnnotation', 'JPEGImages'] as const;

/** Whether these are the folders of a SPair-71k. */
export const isSpair = (tree: FileTree): boolean => FOLDERS.every((folder) => tree.has(folder));

/** @throws TrainError `data` where there is no such part, or an annotation is not as it should be */
export async function spairPairs(tree: FileTree, split: string): Promise<ListedPairs> {
  const folder = `PairAnnotation/${split}`;
  const files = tree.names(folder).filter((name) => name.endsWith('.json'));
  if (files.length === 0) {
    const parts = tree.names('PairAnnotation').filter((name) => tree.names(`PairAnnotation/${name}`).length > 0);
    throw new TrainError(
      'data',
      `${tree.name} has no pairs in ${folder}; --split is one of ${parts.join(', ') || 'none'}`,
    );
  }
  const pointsOf = keyPoints(tree);
  const load = async (file: string): Promise<ListedPair | string> => {
    const annotation = await readJson(tree, `${folder}/${file}`);
    const category = nameIn(partOf(annotation, 'category'));
    const [source, target] = [nameIn(partOf(annotation, 'src_imname')), nameIn(partOf(annotation, 'trg_imname'))];
    const [from, to] = [await pointsOf(category, source), await pointsOf(category, target)];
    const name = file.replace(/\.json$/, '');
    if (!from || !to) return name;
    return {
      name,
      category,
      viewpoint: viewpointOf(partOf(annotation, 'viewpoint_variation')),
      source: `JPEGImages/${category}/${source}`,
      target: `JPEGImages/${category}/${target}`,
      points: commonPoints(from, to),
      box: boxOf(partOf(annotation, 'trg_bndbox')),
      sourceSize: sizeOf(partOf(annotation, 'src_imsize')),
      targetSize: sizeOf(partOf(annotation, 'trg_imsize')),
    };
  };
  const pairs: ListedPair[] = [];
  for await (const pair of prefetch(files, load, { inFlight: 32 })) {
    if (typeof pair === 'string')
      throw new TrainError(
        'data',
        `${tree.name}: ${folder}/${pair}.json is of a picture without a file in ImageAnnotation`,
      );
    pairs.push(pair);
  }
  return { split, pairs, notes: [] };
}

/** Positions by number of every picture that is asked for, each file read once; undefined where there is none. */
function keyPoints(tree: FileTree): (category: string, picture: string) => Promise<Map<string, Point> | undefined> {
  const known = new Map<string, Promise<Map<string, Point> | undefined>>();
  const read = async (path: string): Promise<Map<string, Point> | undefined> => {
    if (!tree.has(path)) return undefined;
    const kps = partOf(await readJson(tree, path), 'kps');
    const names = Object.keys((kps.value ?? {}) as object);
    const seen = names.map((name) => [name, partOf(kps, name)] as const).filter(([, { value }]) => value !== undefined);
    return new Map(seen.map(([name, place]) => [name, pointOf(place)]));
  };
  return (category, picture) => {
    const path = `ImageAnnotation/${category}/${picture.replace(/\.\w+$/, '')}.json`;
    const points = known.get(path) ?? read(path);
    known.set(path, points);
    return points;
  };
}

/** In the order of the source's file. */
const commonPoints = (from: ReadonlyMap<string, Point>, to: ReadonlyMap<string, Point>): KeyPoint[] =>
  [...from].flatMap(([name, source]) => {
    const target = to.get(name);
    return target ? [{ name, source, target }] : [];
  });

/** Width, height and depth, where they are stated. */
function sizeOf(place: JsonPlace): Size | undefined {
  if (place.value === undefined) return undefined;
  const [width, height] = numbersOf(place, 3);
  return [width!, height!];
}

/** A name that stays in its folder. */
function nameIn(place: JsonPlace): string {
  const name = textOf(place);
  if (/[/\\]|^\.\.?$/.test(name))
    throw new TrainError('data', `${place.where} is ${JSON.stringify(name)}; it must be a name without folders`);
  return name;
}
