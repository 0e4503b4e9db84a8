/**
 * Which class a number means, by the files that say so.
 *
 *   map_clsloc.txt    `n02119789 1 kit_fox`, the id behind the class
 *   synsets.txt, synset_words.txt, LOC_synset_mapping.txt, wnids.txt, classes.txt    a class per line, in the order of the numbers
 *   meta.mat          ImageNet's devkit: `synsets` with `ILSVRC2012_ID` and `WNID`, the ids of classes before those of what is above them
 *
 * ILSVRC ids count from 1 and are not in the order of the names: a sorted list says nothing of them.
 */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../errors';
import { readMatFile } from '../formats/mat-file';
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

const META = 'meta.mat';
const MAX_META_BYTES = 64 * 2 ** 20;

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
  for (const place of places) {
    const devkit = ids ? await readMeta(path.join(place, META)) : undefined;
    if (devkit) return devkit;
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
  }
  return undefined;
}

/**
 * The devkit's table of synsets: the 1,000 classes, and behind them the synsets above them in WordNet.
 * @throws DataError damaged-file where there is a file and it is no such table
 */
async function readMeta(file: string): Promise<Meanings | undefined> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile()) return undefined;
  const damaged = (why: string, cause?: unknown): DataError =>
    new DataError('damaged-file', `${file} ${why}; take it anew from ILSVRC2012_devkit_t12.tar.gz`, { cause });
  if (info.size > MAX_META_BYTES) throw damaged(`has ${info.size} bytes, too many for a table of classes`);
  const { synsets } = readMatFile(await readFile(file), file);
  if (synsets?.kind !== 'structs') throw damaged('holds no structures called synsets');
  const names = new Map<number, string>();
  synsets.records.forEach(({ ILSVRC2012_ID: id, WNID: wnid }, at) => {
    const number = id?.kind === 'numbers' && id.values.length === 1 ? id.values[0]! : Number.NaN;
    const name = wnid?.kind === 'text' && wnid.rows.length === 1 ? wnid.rows[0]!.trim() : '';
    if (!Number.isInteger(number) || !/^n\d{8}$/.test(name))
      throw damaged(`has no ILSVRC2012_ID and WNID in record ${at + 1} of its synsets`);
    if (names.has(number)) throw damaged(`has the ILSVRC2012_ID ${number} twice`);
    names.set(number, name);
  });
  return { name: file, names };
}
