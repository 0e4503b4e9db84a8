/**
 * ImageNet-21K/22K in the official layout: one uncompressed tar per class, `root/{wnid}.tar`.
 *
 * With `extra/entries.npy` (the official index: class and byte range of every image) nothing needs to be scanned; without
 * it every tar with images is a class, and is indexed by walking its headers. A byte range of the index spans the member's header and padding, so the
 * header is read with it and checked: an index that does not fit the tars is noticed image by image. Some images of the
 * official set are gzipped inside the tar; they are recognised by their first bytes.
 */

import { promises as fs } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { type ByteFile, bytesInMemory, checkImageBytes, imageReadError, openLocalFile } from '../files/byte-file';
import { listFolder } from '../files/file-system';
import { fileVersion } from '../files/file-version';
import { openNpyRecords } from '../formats/npy-records';
import { indexTar, type TarIndex } from '../formats/tar-index';
import { hasImageExtension } from '../images/image-format';
import type { ImageSource } from '../images/image-source';
import { prefetch } from '../prefetch';
import { byCodeUnit } from './by-code-unit';
import { type LeftOut, leftOut, leftOutNotes, passedOverNotes, repeatedNotes, sumLeftOut } from './left-out';
import { isPassedOver } from './passed-over';
import { lastOfEachName } from './tar-shard';

export interface ImageNet22kOptions {
  /** Folder of the official index files. */
  readonly extra?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<ImageNet22kOptions> = { extra: 'string', signal: 'object' };

/** Class, and the byte range of header, image and padding, of every image; plain arrays, as there are 13 million. */
interface Entries {
  readonly classes: readonly string[];
  readonly label: number[];
  readonly start: number[];
  readonly end: number[];
  readonly notes: readonly string[];
}

interface NamedTar {
  readonly name: string;
  readonly tar: TarIndex;
}

const BLOCK = 512;
const ROWS_AT_ONCE = 50_000;
const MAX_UNPACKED = 256 * 1024 * 1024;

/**
 * Opens the set.
 * @throws DataError not-found without tars, damaged-file for an index that cannot be read, empty-source
 */
export async function imageNet22kSource(root: string, options: ImageNet22kOptions = {}): Promise<ImageSource> {
  checkArgument('imageNet22kSource', 'root', root, 'string');
  checkOptions('imageNet22kSource', options, OPTIONS);
  const index = options.extra && path.join(options.extra, 'entries.npy');
  const official = index && (await fs.stat(index).catch(() => undefined));
  const entries = official ? await readEntries(index) : await scanTars(root, options.signal);
  const { classes, label, start, end, notes } = entries;
  if (label.length === 0) throw new DataError('empty-source', `the tars of ${root} hold no image`);
  const tarOf = (at: number): string => path.join(root, `${classes[label[at]!]}.tar`);
  return {
    name: `ImageNet-22k ${root}`,
    length: label.length,
    classes,
    ...(notes.length > 0 && { notes }),
    label: (at) => label[at],
    key: (at) => `${classes[label[at]!]}.tar@${start[at]}`,
    version: async (at) => `${await fileVersion(tarOf(at))}; bytes ${start[at]} to ${end[at]}`,
    read: async (at) => {
      const file = await openLocalFile(tarOf(at)).catch((error) => {
        throw imageReadError(error);
      });
      return { encoded: await readMember(file, start[at]!, end[at]!) };
    },
  };
}

async function readEntries(index: string): Promise<Entries> {
  const records = await openNpyRecords(await openLocalFile(index), [
    'class_index',
    'class_id',
    'start_offset',
    'end_offset',
  ]);
  const classOf = new Map<number, string>();
  const entries = { label: [] as number[], start: [] as number[], end: [] as number[] };
  for (let from = 0; from < records.length; from += ROWS_AT_ONCE) {
    for (const row of await records.rows(from, Math.min(ROWS_AT_ONCE, records.length - from))) {
      const id = String(row.class_id);
      // A class id becomes a file name.
      if (!/^\w+$/.test(id)) throw new DataError('damaged-file', `${index}: ${JSON.stringify(id)} is not a class id`);
      const known = classOf.get(Number(row.class_index)) ?? id;
      if (known !== id) {
        throw new DataError(
          'damaged-file',
          `${index}: class ${row.class_index} is both ${known} and ${id}; rebuild it`,
        );
      }
      classOf.set(Number(row.class_index), id);
      entries.label.push(Number(row.class_index));
      entries.start.push(Number(row.start_offset));
      entries.end.push(Number(row.end_offset));
    }
  }
  if (new Set(classOf.values()).size < classOf.size) {
    throw new DataError('damaged-file', `${index} gives several class numbers to one class id; rebuild it`);
  }
  const used = [...classOf.keys()].sort((a, b) => a - b);
  const position = new Map(used.map((classIndex, at) => [classIndex, at]));
  entries.label.forEach((classIndex, at) => {
    entries.label[at] = position.get(classIndex)!;
  });
  return { ...entries, classes: used.map((classIndex) => classOf.get(classIndex)!), notes: [] };
}

async function scanTars(root: string, signal?: AbortSignal): Promise<Entries> {
  const names = (await listFolder(root))
    .filter((name) => name.endsWith('.tar') && !isPassedOver(name))
    .sort(byCodeUnit);
  if (names.length === 0) throw new DataError('not-found', `${root} has no {wnid}.tar`);
  const classes: string[] = [];
  const entries = { label: [] as number[], start: [] as number[], end: [] as number[] };
  const damage: string[] = [];
  const empty: string[] = [];
  const others: (LeftOut | undefined)[] = [];
  const again: (LeftOut | undefined)[] = [];
  const traces: (LeftOut | undefined)[] = [];
  const load = async (name: string, stop: AbortSignal): Promise<NamedTar> => ({
    name,
    tar: await indexTar(await openLocalFile(path.join(root, name)), { signal: stop }),
  });
  for await (const { name, tar } of prefetch(names, load, { inFlight: 2 * availableParallelism(), signal })) {
    if (tar.damage) damage.push(`${tar.damage}; what comes before it is used`);
    const { kept, passedOver, repeated } = lastOfEachName(tar.members);
    const images = kept.filter((member) => hasImageExtension(member.name));
    const unused = [...kept.map((member) => member.name).filter((each) => !hasImageExtension(each)), ...tar.irregular];
    const within = (found: readonly string[]): LeftOut | undefined => leftOut(found.map((each) => `${name}/${each}`));
    others.push(within(unused));
    again.push(within(repeated));
    traces.push(within(passedOver.filter(hasImageExtension)));
    if (images.length === 0) empty.push(name);
    else classes.push(name.slice(0, -4));
    for (const { offset, size } of images) {
      entries.label.push(classes.length - 1);
      entries.start.push(offset - BLOCK);
      entries.end.push(offset + size);
    }
  }
  const notes = [
    ...damage,
    ...leftOutNotes('tars hold no image and are no class', leftOut(empty)),
    ...leftOutNotes('members of tars are no images that can be used', sumLeftOut(others)),
    ...repeatedNotes(sumLeftOut(again)),
    ...passedOverNotes(sumLeftOut(traces)),
  ];
  return { ...entries, classes, notes };
}

async function readMember(file: ByteFile, start: number, end: number): Promise<Uint8Array> {
  checkImageBytes(end - start);
  let range: Uint8Array;
  try {
    range = await file.read(start, end - start);
  } catch (error) {
    throw imageReadError(error);
  }
  const [member] = (await indexTar(bytesInMemory(`${file.name}@${start}`, range, file.version))).members;
  if (!member) throw new DataError('unreadable-image', 'the index does not point at an image of the tar; rebuild it');
  const bytes = range.subarray(member.offset, member.offset + member.size);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? unpack(bytes) : bytes;
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch (cause) {
    throw new DataError('corrupt-image', `a gzipped image cannot be unpacked: ${(cause as Error).message}`, { cause });
  }
}
