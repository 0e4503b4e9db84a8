/**
 * One tar shard as samples see it: its pictures with their labels, and what of it cannot be used.
 *
 * A member's name is its key and its extension, as in WebDataset, where the key ends at the first dot of the base name
 * (`000017.seg.png` is key `000017`, extension `seg.png`). Unlike there, an extension is made of words only, so that a dot
 * inside a name is no end of the key: `2024.06.01_7.png` is key `2024.06.01_7`, `cat.12.jpg` is `cat.12`. A name that comes
 * again later in the archive replaces what came before, as when tar unpacks. The label of a picture is the whole number in
 * the `.cls` that shares most of its name: of `obj.3.png`, that in `obj.3.cls`, else in `obj.cls`.
 */

import type { ByteFile } from '../files/byte-file';
import type { TarIndex, TarMember } from '../formats/tar-index';
import { hasImageExtension, hasUnusedImageExtension } from '../images/image-format';
import { type LeftOut, leftOut } from './left-out';
import { isPassedOver } from './passed-over';

/** A picture in a shard. */
export interface ShardPicture extends TarMember {
  /** The whole number in its `.cls`. */
  readonly cls?: string;
}

/** What is kept of a shard, as plain JSON. */
export interface ShardIndex {
  /** In the order of the archive, each name once. */
  readonly pictures: readonly ShardPicture[];
  readonly crowded: CrowdedKeys;
  readonly leftOut: { readonly [Reason in LeftOutReason]?: LeftOut | undefined };
  readonly damage?: string | undefined;
}

export type LeftOutReason = 'repeated' | 'badLabels' | 'imageless' | 'unusable' | 'irregular' | 'passedOver';

/** Keys that several pictures share: whether these are samples or files whose names happen to agree shows in them. */
export interface CrowdedKeys {
  readonly keys: number;
  /** How many of them also have a member with a one-word extension (`000017.jpg`, `000017.cls`). */
  readonly plain: number;
  /** In how many of them two pictures have the same extension but for its case, as they never have in a sample. */
  readonly clashing: number;
  /** The distinct extensions of their pictures, in lower case. */
  readonly extensions: readonly string[];
}

const MAX_CLS_BYTES = 32;

/** Reads the labels of a shard and sorts its members. */
export async function indexShard(file: ByteFile, tar: TarIndex, signal?: AbortSignal): Promise<ShardIndex> {
  const { kept, passedOver, repeated } = lastOfEachName(tar.members);
  const { labels, badLabels } = await readLabels(file, kept, signal);
  const pictures: ShardPicture[] = [];
  const used = new Set<string>();
  for (const member of kept) {
    if (!hasImageExtension(member.name)) continue;
    const stem = stemsOf(member.name).find((each) => labels.has(each));
    if (stem !== undefined) used.add(stem);
    pictures.push(stem === undefined ? member : { ...member, cls: labels.get(stem)! });
  }
  const others = kept.map(({ name }) => name).filter((name) => !hasImageExtension(name));
  return {
    pictures,
    crowded: crowdedKeys(pictures, others),
    leftOut: {
      repeated: leftOut(repeated),
      badLabels: leftOut(badLabels),
      imageless: leftOut(imagelessNames(pictures, others, used)),
      unusable: leftOut(others.filter(hasUnusedImageExtension)),
      irregular: leftOut(tar.irregular.filter((name) => hasImageExtension(name) && !isPassedOver(name))),
      passedOver: leftOut(passedOver.filter(hasImageExtension)),
    },
    damage: tar.damage,
  };
}

/** The key of a member, and the words behind it. */
export function splitName(name: string): { key: string; extension: string } {
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  const parts = name.slice(folder.length).split('.');
  let words = parts.length;
  while (words > 1 && /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(parts[words - 1]!)) words--;
  return { key: folder + parts.slice(0, words).join('.'), extension: parts.slice(words).join('.') };
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

async function readLabels(
  file: ByteFile,
  members: readonly TarMember[],
  signal?: AbortSignal,
): Promise<{ labels: Map<string, string>; badLabels: string[] }> {
  const labels = new Map<string, string>();
  const badLabels: string[] = [];
  for (const { name, offset, size } of members) {
    if (!/\.cls$/i.test(name)) continue;
    const readable = size <= MAX_CLS_BYTES;
    const text = readable ? new TextDecoder().decode(await file.read(offset, size, signal)).trim() : `${size} bytes`;
    if (readable && /^\d+$/.test(text)) labels.set(name.slice(0, -4), String(BigInt(text)));
    else badLabels.push(`${name} (${JSON.stringify(text)})`);
  }
  return { labels, badLabels };
}

/** A name for each key without a picture; a label that serves pictures of longer names is not in vain. */
function imagelessNames(
  pictures: readonly TarMember[],
  others: readonly string[],
  usedLabels: ReadonlySet<string>,
): string[] {
  const done = new Set(pictures.map(({ name }) => splitName(name).key));
  return others.filter((name) => {
    const { key } = splitName(name);
    if (done.has(key) || usedLabels.has(key) || hasUnusedImageExtension(name)) return false;
    done.add(key);
    return true;
  });
}

function crowdedKeys(pictures: readonly TarMember[], others: readonly string[]): CrowdedKeys {
  const byKey = new Map<string, string[]>();
  for (const { name } of pictures) {
    const { key, extension } = splitName(name);
    const extensions = byKey.get(key);
    if (extensions) extensions.push(extension.toLowerCase());
    else byKey.set(key, [extension.toLowerCase()]);
  }
  const crowded = [...byKey].filter(([, extensions]) => extensions.length > 1);
  const withPlainOther = new Set<string>();
  if (crowded.length > 0) {
    for (const { key, extension } of others.map(splitName)) if (isPlain(extension)) withPlainOther.add(key);
  }
  return {
    keys: crowded.length,
    plain: crowded.filter(([key, extensions]) => withPlainOther.has(key) || extensions.some(isPlain)).length,
    clashing: crowded.filter(([, extensions]) => new Set(extensions).size < extensions.length).length,
    extensions: [...new Set(crowded.flatMap(([, extensions]) => extensions))],
  };
}

/** Whether an extension is one word. */
export const isPlain = (extension: string): boolean => extension !== '' && !extension.includes('.');
