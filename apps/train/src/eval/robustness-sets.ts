/**
 * The test sets of the paper's robustness columns, as they lie below a folder or are given one by one.
 *
 * ImageNet-ReaL is a file of other labels for the images of ImageNet's own validation part; ImageNetV2 and -Sketch have all classes;
 * ImageNet-A and -R have 200 each, among which alone their images are told.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findBenchmarks } from '@franca/data';
import { TrainError } from '../errors';
import type { ScoreOptions } from './probe-classes';

/** How images of a set are told, by its name in records. */
const SETS: Readonly<Record<string, Pick<ScoreOptions, 'among' | 'naming'>>> = {
  'imagenet-v2': { among: 'all', naming: 'imagenet-number' },
  'imagenet-a': { among: 'own' },
  'imagenet-r': { among: 'own' },
  'imagenet-sketch': { among: 'all' },
};
export const REAL = 'imagenet-real';

/** Where the sets are looked for. */
export interface SetPlaces {
  /** What is tested on, where it is a folder. */
  readonly data?: string | undefined;
  /** A folder with all of them; default the one that `data` lies in. */
  readonly sets?: string | undefined;
  /** Single ones by their names. */
  readonly set?: Readonly<Record<string, string>> | undefined;
}

/** Paths by the names of the sets, in the order of the paper's table. */
export async function findSets({ data, sets, set = {} }: SetPlaces): Promise<ReadonlyMap<string, string>> {
  const folder = data !== undefined && isFolder(data) ? resolve(data) : undefined;
  const root = sets ?? (folder && dirname(folder));
  const found = new Map<string, string>();
  for (const { layout, folder: path } of root === undefined ? [] : await findBenchmarks(root)) {
    const { name, title } = layout.facts;
    if (!Object.hasOwn(SETS, name) || Object.hasOwn(set, name)) continue;
    const other = found.get(name);
    if (other) throw new TrainError('usage', `${title} lies in ${other} and in ${path}; choose by --set ${name}=<one>`);
    found.set(name, path);
  }
  const labels = [root, folder].flatMap((place) => (place ? REAL_PLACES.map((file) => join(place, file)) : []));
  const real = labels.find((file) => existsSync(file));
  if (real) found.set(REAL, real);
  for (const [name, path] of Object.entries(set)) found.set(name, path);
  const order = [REAL, ...Object.keys(SETS)];
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return new Map([...found].toSorted(([a], [b]) => place(a) - place(b)));
}

/** In the folder, or in what is cloned from github.com/google-research/reassessed-imagenet. */
const REAL_PLACES = ['real.json', 'reassessed-imagenet/real.json', 'imagenet-real/real.json'];

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** Of a set that is none of these, all classes of the probe are candidates. */
export const howToScore = (name: string): Pick<ScoreOptions, 'among' | 'naming'> =>
  Object.hasOwn(SETS, name) ? SETS[name]! : { among: 'all' };

/** The columns of the paper's table that are not there. */
export const missingSets = (found: ReadonlyMap<string, string>): string[] =>
  [REAL, ...Object.keys(SETS)].filter((name) => !found.has(name));
