/** What out-of-distribution detection compares: images of known classes, and foreign sets, each of them whole. */
import { type OpenOod, openOpenOod } from '@franca/data';
import { TrainError } from '../errors';
import { type ImageSet, imageSet, openTestSet, spread } from '../image-sets/image-set';
import { classIdsOf } from './probe-classes';

export interface OodData {
  /** Foreign sets by name. */
  readonly outside?: Readonly<Record<string, string>>;
  /** The folder of OpenOOD v1.5. */
  readonly openood?: string;
  readonly images?: { readonly test?: number | undefined };
}

export type OpenSet = ImageSet & Partial<AsyncDisposable>;

export interface OodSets {
  /** Of known classes; undefined: the tested part of the data. */
  readonly inside: OpenSet | undefined;
  readonly outside: ReadonlyMap<string, OpenSet>;
  /** The foreign sets that are averaged, by the name of the mean. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** How many sets OpenOOD v1.5 has in each group. */
const PUBLISHED = { near: 2, far: 3 } as const;

/**
 * Opens all of them, before anything is computed.
 * @throws DataError as `openOpenOod` and `openTestSet`; TrainError `usage` where a name is used twice
 */
export async function openOodSets({ outside = {}, openood, images }: OodData): Promise<OodSets> {
  const limit = images?.test;
  const opened = new Map<string, OpenSet>();
  const benchmark = openood === undefined ? undefined : await openOpenOod(openood);
  const fromBenchmark = (source: OpenOod['inside'], dataset: string, split: string): OpenSet =>
    spread(imageSet(source, { dataset, split, notes: benchmark!.notes }), limit);
  for (const { name, source } of benchmark?.outside ?? [])
    opened.set(name, fromBenchmark(source, name, 'openood test'));
  for (const [name, data] of Object.entries(outside)) {
    if (opened.has(name))
      throw new TrainError('usage', `${name} is one of OpenOOD's sets; call that of --outside by another name`);
    opened.set(name, await openTestSet(data, { limit, name }));
  }
  const groups = (['near', 'far'] as const).flatMap((group) => {
    const names = benchmark?.outside.filter((each) => each.group === group).map(({ name }) => name) ?? [];
    const all = PUBLISHED[group];
    return names.length > 0 ? [[names.length < all ? `${group} (${names.length} of ${all} sets)` : group, names]] : [];
  });
  return {
    // the sets of OpenOOD are closed together, with this one
    inside: benchmark && {
      ...fromBenchmark(benchmark.inside, 'imagenet-1k', 'openood test'),
      [Symbol.asyncDispose]: benchmark.close,
    },
    outside: opened,
    groups: Object.fromEntries(groups),
  };
}

/**
 * Images of known classes with the numbers that a classifier gives their classes.
 * @throws TrainError `data` where it does not have the class of an image
 */
export function knownSet(set: OpenSet, classes: readonly string[]): OpenSet {
  const ids = classIdsOf(set);
  const places = new Map(classes.map((id, place) => [id, place]));
  const numbers = ids.map((id) => places.get(id));
  const label = (index: number): number => numbers[set.label(index)] ?? -1;
  const stray = Array.from({ length: set.length }, (_, index) => index).filter((index) => label(index) < 0);
  if (stray.length > 0)
    throw new TrainError(
      'data',
      `${stray.length} of ${set.length} images of ${set.dataset} ${set.split} are of classes that the classifier of ${classes.length} does not ` +
        `have, e.g. ${ids[set.label(stray[0]!)] ?? 'none'} of ${set.key(stray[0]!)}; train it on data that have them`,
    );
  return { ...set, label, classes, classIds: classes };
}
