/**
 * From tar shards to samples: which pictures are one sample, the key of each, and what is to be said about the rest.
 *
 * In a WebDataset several pictures may share a key (`000017.jpg`, `000017.seg.png`); one of them is the sample's image: that
 * with a one-word extension, else the first extension in order. In a plain tar of files names may agree by chance, and every
 * picture counts. Which of the two it is shows in the keys that are shared, over all shards together. They are samples where
 * the same extensions come back (there are at least twice as many such keys as extensions), or where most of the keys have
 * a member with a one-word extension and there are few extensions (`MAX_EXTENSIONS`); they are not where most of them have
 * two pictures with the same extension. Where names agree by chance, the whole name is the key.
 */

import { byCodeUnit } from './by-code-unit';
import {
  type LeftOut,
  leftOut,
  leftOutNotes,
  passedOverNotes,
  repeatedNotes,
  sumLeftOut,
  unusableNotes,
} from './left-out';
import {
  type CrowdedKeys,
  isPlain,
  type LeftOutReason,
  type ShardIndex,
  type ShardPicture,
  splitName,
} from './tar-shard';

/** A shard under the name that tells it apart from the others. */
export interface NamedShard extends ShardIndex {
  readonly name: string;
}

/** One image. Keys are unique within the shard. */
export interface TarSample extends ShardPicture {
  readonly shard: number;
  readonly key: string;
}

export interface TarSamples {
  /** By shard, in the order of the archives. */
  readonly samples: readonly TarSample[];
  readonly notes: readonly string[];
}

const MAX_EXTENSIONS = 8;

/** Groups the pictures of all shards. */
export function groupSamples(shards: readonly NamedShard[]): TarSamples {
  const grouped = isWebDataset(shards.map(({ crowded }) => crowded));
  const samples: TarSample[] = [];
  const further: string[] = [];
  shards.forEach(({ name, pictures }, shard) => {
    if (!grouped) for (const picture of pictures) samples.push({ ...picture, shard, key: picture.name });
    else {
      for (const [key, [image, ...others]] of byKey(pictures)) {
        samples.push({ ...image!, shard, key });
        for (const other of others) further.push(`${name}/${other.name} beside ${image!.name}`);
      }
    }
  });
  return { samples, notes: notesOn(shards, samples, further, grouped) };
}

function isWebDataset(shards: readonly CrowdedKeys[]): boolean {
  const sum = (field: 'keys' | 'plain' | 'clashing'): number => shards.reduce((total, each) => total + each[field], 0);
  const keys = sum('keys');
  const extensions = new Set(shards.flatMap((each) => each.extensions)).size;
  const comeBack = 2 * extensions <= keys;
  const belongTogether = 2 * sum('plain') > keys && extensions <= MAX_EXTENSIONS;
  return keys === 0 || (2 * sum('clashing') <= keys && (comeBack || belongTogether));
}

/** The pictures of each key, the image of the sample first. */
function byKey(pictures: readonly ShardPicture[]): Map<string, ShardPicture[]> {
  const found = new Map<string, ShardPicture[]>();
  for (const picture of pictures) {
    const { key } = splitName(picture.name);
    const same = found.get(key);
    if (same) same.push(picture);
    else found.set(key, [picture]);
  }
  for (const same of found.values()) if (same.length > 1) same.sort(byRank);
  return found;
}

function byRank(a: ShardPicture, b: ShardPicture): number {
  const [left, right] = [splitName(a.name).extension, splitName(b.name).extension];
  return Number(isPlain(right)) - Number(isPlain(left)) || byCodeUnit(left, right);
}

function notesOn(
  shards: readonly NamedShard[],
  samples: readonly TarSample[],
  further: readonly string[],
  grouped: boolean,
): string[] {
  const of = (reason: LeftOutReason): LeftOut | undefined =>
    sumLeftOut(
      shards.map(
        ({ name, leftOut: { [reason]: found } }) => found && { ...found, example: `${name}/${found.example}` },
      ),
    );
  const crowded = shards.flatMap(({ crowded: { keys } }) => keys).reduce((sum, keys) => sum + keys, 0);
  const unlabelled = samples.some(({ cls }) => cls !== undefined) ? samples.filter(({ cls }) => cls === undefined) : [];
  const named = (of: readonly TarSample[]): LeftOut | undefined =>
    of[0] && { count: of.length, example: `${shards[of[0].shard]!.name}/${of[0].name}` };
  return [
    ...shards.flatMap(({ damage }) => (damage ? [`${damage}; what comes before it is used`] : [])),
    ...(grouped
      ? []
      : [
          `these are files and no WebDataset samples: ${crowded} names agree up to an extension, and each image counts`,
        ]),
    ...leftOutNotes('further images of samples are not used', leftOut(further)),
    ...repeatedNotes(of('repeated')),
    ...unusableNotes(of('unusable')),
    ...leftOutNotes('images are links or sparse files in the archive and are not used', of('irregular')),
    ...leftOutNotes('samples or other files have no image', of('imageless')),
    ...leftOutNotes('.cls members hold no whole number and label nothing', of('badLabels')),
    ...leftOutNotes('images have no label, as others have', named(unlabelled)),
    ...passedOverNotes(of('passedOver')),
  ];
}
