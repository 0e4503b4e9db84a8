/**
 * Which class a number means, by the files that say so.
 *
 *   map_clsloc.txt    `n02119789 1 kit_fox`, the id behind the class
 *   synsets.txt, synset_words.txt, LOC_synset_mapping.txt, wnids.txt, classes.txt    a class per line, in the order of the numbers
 *   meta.mat          ImageNet's devkit: `synsets` with `ILSVRC2012_ID` and `WNID`
 *
 * ILSVRC ids count from 1 and are not in the order of the names: a sorted list says nothing of them.
 */

import path from 'node:path';
import { byCodeUnit } from './by-code-unit';
import { readSmallText } from './small-text';

const TEXTS = [
  'map_clsloc.txt',
  'synsets.txt',
  'synset_words.txt',
  'LOC_synset_mapping.txt',
  'wnids.txt',
  'classes.txt',
];

export interface Meanings {
  /** The file that says so, for messages. */
  readonly name: string;
  readonly names: ReadonlyMap<number, string>;
}

/**
 * The meaning of numbers, by number where the lines have one, else by line, from 0 or, for ILSVRC ids, from 1.
 * @param places folders to look in, in order
 * @param ids whether the numbers are ILSVRC ids
 */
export async function numberMeanings(
  places: readonly string[],
  ids: boolean,
  classes: readonly string[],
): Promise<Meanings | undefined> {
  const known = new Set(classes);
  for (const place of places)
    for (const each of TEXTS) {
      const name = path.join(place, each);
      const lines = (await readSmallText(name))?.split(/\r\n|\n|\r/).filter((line) => line.trim());
      const rows = lines?.map((line) => line.trim().split(/[\s,]+/));
      if (!rows?.some(([wnid]) => known.has(wnid!))) continue;
      const numbered = each === 'map_clsloc.txt';
      // ILSVRC ids are not in the order of the names.
      const sorted = rows.every(([wnid], at) => at === 0 || byCodeUnit(rows[at - 1]![0]!, wnid!) < 0);
      if (numbered !== ids && numbered) continue;
      if (ids && !numbered && sorted) continue;
      return {
        name,
        names: new Map(rows.map(([wnid, id], at) => [numbered ? Number(id) : at + (ids ? 1 : 0), wnid!])),
      };
    }
  return undefined;
}
