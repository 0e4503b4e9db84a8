/**
 * A folder of one's own pairs: pictures and a `pairs.json`,
 *
 *   { "pairs": [ { "source": "a.jpg", "target": "more/b.jpg",
 *                  "points": [ { "name": "left ear", "source": [31, 40.5], "target": [120, 18] }, ... ],
 *                  "name": "a to b", "category": "cat", "viewpoint": 1, "box": [80, 10, 200, 160] }, ... ] }
 *
 * Paths are relative to the file; positions are pixels from the top left. The last four are optional: `name` is made of the two paths; `category` of the
 * subjects, over which the mean is taken, is one for all; `viewpoint` says how much it changes (0, 1, 2); `box` lies around the subject of the
 * target, by whose longer side errors are measured, else by that of the picture.
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { boxOf, type JsonPlace, listOf, partOf, pointOf, readJson, textOf, viewpointOf } from './pair-json';
import type { ListedPair, ListedPairs } from './pair-set';

export const PAIR_FILE = 'pairs.json';

/** @throws TrainError `data` where an entry is not as it should be, or a name comes twice */
export async function filePairs(tree: FileTree): Promise<ListedPairs> {
  const pairs = listOf(partOf(await readJson(tree, PAIR_FILE), 'pairs')).map(pairOf);
  const names = new Set<string>();
  for (const { name } of pairs) {
    if (names.has(name))
      throw new TrainError('data', `${tree.name}: ${PAIR_FILE} has two pairs named ${name}; name them apart`);
    names.add(name);
  }
  const byName = pairs.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { split: 'all', pairs: byName, notes: [] };
}

function pairOf(entry: JsonPlace): ListedPair {
  const [source, target] = [textOf(partOf(entry, 'source')), textOf(partOf(entry, 'target'))];
  const optional = <T>(name: string, read: (place: JsonPlace) => T): T | undefined => {
    const place = partOf(entry, name);
    return place.value === undefined ? undefined : read(place);
  };
  return {
    name: optional('name', oneLine) ?? `${source}-${target}`,
    category: optional('category', textOf) ?? 'all',
    viewpoint: optional('viewpoint', viewpointOf),
    source,
    target,
    points: listOf(partOf(entry, 'points')).map((point) => ({
      name: textOf(partOf(point, 'name')),
      source: pointOf(partOf(point, 'source')),
      target: pointOf(partOf(point, 'target')),
    })),
    box: optional('box', boxOf),
  };
}

/** Lists of pairs have a line for each. */
function oneLine(place: JsonPlace): string {
  const text = textOf(place);
  if (/[\r\n]/.test(text)) throw new TrainError('data', `${place.where} has more than one line`);
  return text;
}
