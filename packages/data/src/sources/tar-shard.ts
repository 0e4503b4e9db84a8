/**
 * One tar shard as samples see it: its pictures with their labels, and what of it cannot be used.
 *
 * A member's name is its key and its extension, as in WebDataset, where the key ends at the first dot of the base name
 * (`000017.seg.png` is key `000017`, extension `seg.png`). Unlike there, an extension is made of words only, so that a dot
 * inside a name is no end of the key: `2024.06.01_7.png` is key `2024.06.01_7`, `cat.12.jpg` is `cat.12`. A name that comes
 * again later in the archive replaces what came before, as when tar unpacks. The label of a picture is the whole number in
 * the `.cls` that shares most of its name: of `obj.3.png`, that in `obj.3.cls`, else in `obj.cls`.
 *
 * Of several pictures of a key one is the sample's image: that with a one-word extension, else the first extension in order.
 */

import { DataError } from '../errors';
import type { ByteFile } from '../files/byte-file';
import { indexTar, type TarIndex, type TarMember } from '../formats/tar-index';
import { hasImageExtension, hasUnusedImageExtension } from '../images/image-format';
import { byCodeUnit } from './by-code-unit';
import { type LeftOut, leftOut } from './left-out';
import { isPassedOver } from './passed-over';
import {
  BLOCK,
  type CrowdedKeys,
  hashOfNames,
  NO_LABEL,
  type ShardColumns,
  type ShardIndex,
  type ValueCount,
} from './shard-index';

/** A picture in a shard. */
interface ShardPicture extends TarMember {
  /** The whole number in its `.cls`. */
  readonly cls?: string;
}

const REMOTE_WINDOW = 8 * 1024 * 1024;
const MAX_CLS_BYTES = 32;
const MOST_BLOCKS = 2 ** 32;
const MOST_BYTES = 2 ** 32 - 1;

/**
 * Reads through a shard, with its labels.
 * @throws DataError unsupported-format above 2 TiB
 */
export async function indexShard(file: ByteFile, signal?: AbortSignal): Promise<ShardIndex> {
  if (file.size > MOST_BLOCKS * BLOCK)
    throw new DataError('unsupported-format', `${file.name} has ${file.size} bytes; split it into shards below 2 TiB`);
  const windowBytes = file.remote ? REMOTE_WINDOW : undefined;
  const withContent = (name: string, size: number): boolean => isLabel(name) && size <= MAX_CLS_BYTES;
  return indexOf(await indexTar(file, { windowBytes, signal, withContent }));
}

function indexOf(tar: TarIndex): ShardIndex {
  const { kept, passedOver, repeated } = lastOfEachName(tar.members);
  const { labels, badLabels } = labelsAmong(kept);
  const pictures: ShardPicture[] = [];
  const others: string[] = [];
  const used = new Set<string>();
  for (const member of kept) {
    if (!hasImageExtension(member.name)) others.push(member.name);
    else {
      const stem = labels.size === 0 ? undefined : stemsOf(member.name).find((each) => labels.has(each));
      if (stem !== undefined) used.add(stem);
      pictures.push(stem === undefined ? member : { ...member, cls: labels.get(stem)! });
    }
  }
  const byKey = picturesByKey(pictures);
  const isCrowded = byKey.size < pictures.length;
  const crowded = isCrowded ? [...byKey].filter(([, same]) => same.length > 1) : [];
  for (const [, same] of crowded) same.sort((a, b) => byRank(pictures[a]!, pictures[b]!));
  const samples = isCrowded ? Uint32Array.from([...byKey.values()], ([first]) => first!) : undefined;
  const [first] = crowded;
  const further = first?.[1].slice(0, 2).map((picture) => pictures[picture]!.name);
  const chosen = samples && [...samples].map((picture) => pictures[picture]!);
  const labelled = countValues(pictures, chosen ?? pictures, ({ cls }) => cls);
  const folders = countValues(pictures, chosen ?? pictures, ({ name }) => name.slice(0, name.lastIndexOf('/') + 1));
  const columns: ShardColumns = {
    blocks: Uint32Array.from(pictures, ({ offset }) => offset / BLOCK),
    sizes: Uint32Array.from(pictures, ({ size }) => Math.min(size, MOST_BYTES)),
    labels: labelled.counts.length > 0 ? labelled.places : undefined,
    folders: folders.counts.length > 1 ? folders.places : undefined,
    samples,
    ...joinNames(pictures),
  };
  const summary = {
    images: { files: pictures.length, samples: samples?.length ?? pictures.length },
    crowded: crowdedKeys(crowded, pictures, others),
    further: further && `${further[1]} beside ${further[0]}`,
    unlabelled: { files: withoutLabel(pictures), samples: withoutLabel(chosen ?? pictures) },
    leftOut: {
      repeated: leftOut(repeated),
      badLabels: leftOut(badLabels),
      imageless: leftOut(imagelessNames(byKey, others, used)),
      unusable: leftOut(others.filter(hasUnusedImageExtension)),
      irregular: leftOut(tar.irregular.filter((name) => hasImageExtension(name) && !isPassedOver(name))),
      passedOver: leftOut(passedOver.filter(hasImageExtension)),
    },
    damage: tar.damage,
    labels: labelled.counts,
    folders: folders.counts,
    names: hashOfNames(columns),
  };
  return { summary, columns };
}

/** The key of a member, and the words behind it. */
export function splitName(name: string): { key: string; extension: string } {
  const base = name.lastIndexOf('/') + 1;
  let end = name.length;
  while (end > base) {
    const dot = name.lastIndexOf('.', end - 1);
    if (dot < base || !/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name.slice(dot + 1, end))) break;
    end = dot;
  }
  return { key: name.slice(0, end), extension: name.slice(end + 1) };
}

/** What a name is without its last part, its last two, and so on. */
function stemsOf(name: string): string[] {
  const stems: string[] = [];
  const base = name.lastIndexOf('/') + 1;
  for (let dot = name.lastIndexOf('.'); dot > base; dot = name.lastIndexOf('.', dot - 1))
    stems.push(name.slice(0, dot));
  return stems;
}

/** The members of an archive as tar would unpack them, less what is passed over. */
export function lastOfEachName(members: readonly TarMember[]): {
  kept: TarMember[];
  passedOver: string[];
  repeated: string[];
} {
  const byName = new Map<string, TarMember>();
  const passedOver: string[] = [];
  const repeated: string[] = [];
  for (const member of members) {
    if (isPassedOver(member.name)) passedOver.push(member.name);
    else {
      if (byName.delete(member.name)) repeated.push(member.name);
      byName.set(member.name, member);
    }
  }
  return { kept: [...byName.values()], passedOver, repeated };
}

const isLabel = (name: string): boolean => /\.cls$/i.test(name);

function labelsAmong(members: readonly TarMember[]): { labels: Map<string, string>; badLabels: string[] } {
  const labels = new Map<string, string>();
  const badLabels: string[] = [];
  for (const { name, size, content } of members) {
    if (!isLabel(name)) continue;
    const text = content ? new TextDecoder().decode(content).trim() : `${size} bytes`;
    if (content && /^\d+$/.test(text)) labels.set(name.slice(0, -4), String(BigInt(text)));
    else badLabels.push(`${name} (${JSON.stringify(text)})`);
  }
  return { labels, badLabels };
}

/** Places of the pictures of each key, in the order in which keys come. */
function picturesByKey(pictures: readonly TarMember[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  pictures.forEach(({ name }, at) => {
    const { key } = splitName(name);
    const same = found.get(key);
    if (same) same.push(at);
    else found.set(key, [at]);
  });
  return found;
}

function byRank(a: TarMember, b: TarMember): number {
  const [left, right] = [splitName(a.name).extension, splitName(b.name).extension];
  return Number(isPlain(right)) - Number(isPlain(left)) || byCodeUnit(left, right);
}

/** A name for each key without a picture; a label that serves pictures of longer names is not in vain. */
function imagelessNames(
  byKey: ReadonlyMap<string, unknown>,
  others: readonly string[],
  usedLabels: ReadonlySet<string>,
): string[] {
  const done = new Set<string>();
  return others.filter((name) => {
    const { key } = splitName(name);
    if (byKey.has(key) || done.has(key) || usedLabels.has(key) || hasUnusedImageExtension(name)) return false;
    done.add(key);
    return true;
  });
}

function crowdedKeys(
  crowded: readonly (readonly [key: string, places: readonly number[]])[],
  pictures: readonly TarMember[],
  others: readonly string[],
): CrowdedKeys {
  if (crowded.length === 0) return { keys: 0, plain: 0, clashing: 0, extensions: [] };
  const withPlainOther = new Set<string>();
  for (const { key, extension } of others.map(splitName)) if (isPlain(extension)) withPlainOther.add(key);
  const found = crowded.map(([key, places]) => ({
    key,
    extensions: places.map((at) => splitName(pictures[at]!.name).extension.toLowerCase()),
  }));
  return {
    keys: found.length,
    plain: found.filter(({ key, extensions }) => withPlainOther.has(key) || extensions.some(isPlain)).length,
    clashing: found.filter(({ extensions }) => new Set(extensions).size < extensions.length).length,
    extensions: [...new Set(found.flatMap(({ extensions }) => extensions))],
  };
}

/** Whether an extension is one word. */
const isPlain = (extension: string): boolean => extension !== '' && !extension.includes('.');

/** The distinct values of all pictures, how many of them and of the `chosen` ones have each, and the place of that of each picture. */
function countValues(
  pictures: readonly ShardPicture[],
  chosen: readonly ShardPicture[],
  valueIn: (picture: ShardPicture) => string | undefined,
): { readonly counts: readonly ValueCount[]; readonly places: Uint32Array } {
  const counts = new Map<string, { place: number; files: number; samples: number }>();
  const places = new Uint32Array(pictures.length).fill(NO_LABEL);
  pictures.forEach((picture, at) => {
    const value = valueIn(picture);
    if (value === undefined) return;
    const known = counts.get(value) ?? { place: counts.size, files: 0, samples: 0 };
    if (known.files++ === 0) counts.set(value, known);
    places[at] = known.place;
  });
  for (const picture of chosen) {
    const known = counts.get(valueIn(picture) ?? '');
    if (known && valueIn(picture) !== undefined) known.samples++;
  }
  return { counts: [...counts].map(([value, { files, samples }]) => ({ value, files, samples })), places };
}

const withoutLabel = (pictures: readonly ShardPicture[]): LeftOut | undefined =>
  leftOut(pictures.filter(({ cls }) => cls === undefined).map(({ name }) => name));

function joinNames(pictures: readonly TarMember[]): Pick<ShardColumns, 'nameEnds' | 'names'> {
  const names = Buffer.from(pictures.map(({ name }) => name).join(''));
  let end = 0;
  const nameEnds = Uint32Array.from(pictures, ({ name }) => {
    end += Buffer.byteLength(name);
    return end;
  });
  return { nameEnds, names };
}
