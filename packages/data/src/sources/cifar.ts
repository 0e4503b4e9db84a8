/**
 * CIFAR-10 and CIFAR-100 in their binary form (Krizhevsky 2009).
 *
 * A file is a row of records: the label (CIFAR-100: coarse label, then fine label), then 32 x 32 pixels as three planes
 * red, green, blue. Files are taken as they are found: a missing batch makes the set smaller, not invalid,
 * and the notes say so.
 */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { checkArgument, DataError } from '../errors';
import { type ByteFile, openLocalFile } from '../files/byte-file';
import { listFolder } from '../files/file-system';
import type { PixelImage } from '../images/image';
import type { ImageSource } from '../images/image-source';
import { byCodeUnit } from './by-code-unit';

interface Variant {
  readonly name: string;
  readonly train: RegExp;
  readonly val: RegExp;
  readonly trainFiles: number;
  readonly labelBytes: 1 | 2;
  /** File with one class name per line. */
  readonly titles: string;
  readonly classCount: number;
}

const VARIANTS: readonly Variant[] = [
  {
    name: 'CIFAR-10',
    train: /^data_batch_\d+\.bin$/,
    val: /^test_batch\.bin$/,
    trainFiles: 5,
    labelBytes: 1,
    titles: 'batches.meta.txt',
    classCount: 10,
  },
  {
    name: 'CIFAR-100',
    train: /^train\.bin$/,
    val: /^test\.bin$/,
    trainFiles: 1,
    labelBytes: 2,
    titles: 'fine_label_names.txt',
    classCount: 100,
  },
];
const SIDE = 32;
const PLANE = SIDE * SIDE;
const CHUNK_RECORDS = 1000;

/**
 * Opens the folder of a CIFAR set (the one that holds the `.bin` files); `val` is its test part.
 * @throws DataError not-found without such files, damaged-file when one is not a whole number of records
 */
export async function cifarSource(root: string, split: 'train' | 'val' = 'train'): Promise<ImageSource> {
  checkArgument('cifarSource', 'root', root, 'string');
  checkArgument('cifarSource', 'split', split, ['train', 'val']);
  const names = await listFolder(root);
  const variant = VARIANTS.find((each) => names.some((name) => each[split].test(name)));
  if (!variant) {
    const expected = VARIANTS.map((each) => each[split].source).join(' or ');
    throw new DataError('not-found', `${root} has no CIFAR ${split} files (${expected})`);
  }
  const recordBytes = variant.labelBytes + 3 * PLANE;
  const batches = names.filter((name) => variant[split].test(name)).sort(byCodeUnit);
  const expected = split === 'train' ? variant.trainFiles : 1;
  const records: { file: ByteFile; offset: number; label: number }[] = [];
  for (const name of batches) {
    const file = await openLocalFile(path.join(root, name));
    if (file.size % recordBytes !== 0) {
      throw new DataError('damaged-file', `${file.name}: ${file.size} bytes, not a multiple of ${recordBytes}`);
    }
    const labels = await readLabels(file, recordBytes, variant.labelBytes);
    labels.forEach((label, record) => {
      records.push({ file, offset: record * recordBytes + variant.labelBytes, label });
    });
  }
  if (records.length === 0) throw new DataError('empty-source', `${root}: the CIFAR ${split} files are empty`);
  const classes = await readTitles(root, variant);
  const unlisted = records.filter(({ label }) => label >= classes.length);
  const notes = [
    ...(batches.length === expected
      ? []
      : [`${batches.length} of the ${expected} files of ${variant.name} ${split} are here`]),
    ...(unlisted.length > 0 ? [`${unlisted.length} images have a label that is no class of ${variant.name}`] : []),
  ];
  return {
    name: `${variant.name} ${split} ${root}`,
    length: records.length,
    classes,
    ...(notes.length > 0 && { notes }),
    label: (index) => {
      const { label } = records[index]!;
      return label < classes.length ? label : undefined;
    },
    key: (index) => `${path.basename(records[index]!.file.name)}@${records[index]!.offset}`,
    version: (index) => `${records[index]!.file.version}; record at ${records[index]!.offset}`,
    read: async (index) => {
      const { file, offset } = records[index]!;
      return { pixels: interleave(await file.read(offset, 3 * PLANE)) };
    },
  };
}

/** The last label byte of each record: CIFAR-10's only one, CIFAR-100's fine one. */
async function readLabels(file: ByteFile, recordBytes: number, labelBytes: number): Promise<number[]> {
  const labels: number[] = [];
  const chunk = CHUNK_RECORDS * recordBytes;
  for (let offset = 0; offset < file.size; offset += chunk) {
    const bytes = await file.read(offset, Math.min(chunk, file.size - offset));
    for (let at = labelBytes - 1; at < bytes.length; at += recordBytes) labels.push(bytes[at]!);
  }
  return labels;
}

async function readTitles(root: string, { titles, classCount }: Variant): Promise<string[]> {
  const text = await fs.readFile(path.join(root, titles), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  return Array.from({ length: classCount }, (_, label) => lines[label] || String(label));
}

function interleave(planes: Uint8Array): PixelImage {
  const data = new Uint8Array(3 * PLANE);
  for (let at = 0; at < PLANE; at++) {
    data[3 * at] = planes[at]!;
    data[3 * at + 1] = planes[PLANE + at]!;
    data[3 * at + 2] = planes[2 * PLANE + at]!;
  }
  return { width: SIDE, height: SIDE, channels: 3, data };
}
