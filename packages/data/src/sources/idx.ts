/**
 * IDX files, the format of MNIST and its relatives (LeCun), plain or gzipped.
 *
 * Bytes 0, 0, type (8 = unsigned byte), number of dimensions; then one big-endian 32-bit size per dimension; then the data.
 * Images are `[count, height, width]` gray or `[count, height, width, 3]`; labels, in a sibling file, are `[count]`.
 */

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkArgument, DataError } from '../errors';
import { type ByteFile, bytesInMemory, openLocalFile } from '../files/byte-file';
import { listFolder } from '../files/file-system';
import type { PixelImage } from '../images/image';
import type { ImageSource } from '../images/image-source';
import { byCodeUnit } from './by-code-unit';
import { isPassedOver } from './passed-over';
import { inSameFolder, type SourceKind } from './source-kind';

const SPLIT_NAMES = { train: /train/, val: /t10k|test/ };
const IMAGES = /images[-.]idx[34]-ubyte(\.gz)?$/;
const MAX_UNPACKED = 2 ** 30;

export const idxKind: SourceKind<'idx'> = {
  kind: 'idx',
  says: 'IDX files',
  labels: 'in a file beside the images',
  prefixed: true,
  ofFile: (name) => (IMAGES.test(name) ? 'is named like IDX images' : undefined),
  ofFolder: ({ names }) => (names.some((name) => IMAGES.test(name)) ? 'holds IDX image files' : undefined),
  open: (target, { split = 'train' }) => idxSource(target, split === 'train' ? 'train' : 'val'),
  validation: inSameFolder,
};

/**
 * Opens an IDX image file, or the one of a folder that belongs to the split.
 * @throws DataError not-found, ambiguous-source when a folder has several, damaged-file when sizes do not agree
 */
export async function idxSource(location: string, split: 'train' | 'val' = 'train'): Promise<ImageSource> {
  checkArgument('idxSource', 'location', location, 'string');
  checkArgument('idxSource', 'split', split, ['train', 'val']);
  const imagesPath = IMAGES.test(location) ? location : await findImages(location, split);
  const images = await openIdx(imagesPath);
  const [count = 0, height = 0, width = 0, channels = 1] = images.dimensions;
  if (images.dimensions.length < 3 || (channels !== 1 && channels !== 3)) {
    throw new DataError('damaged-file', `${imagesPath}: dimensions ${images.dimensions.join(' x ')} are not images`);
  }
  if (count * height * width === 0) throw new DataError('empty-source', `${imagesPath} holds no image`);
  const labels = await openLabels(imagesPath, count);
  const classes =
    labels && Array.from({ length: labels.reduce((a, b) => Math.max(a, b), 0) + 1 }, (_, at) => String(at));
  const bytes = height * width * channels;
  return {
    name: `idx ${imagesPath}`,
    length: count,
    ...(classes && { classes, label: (index: number) => labels[index] }),
    key: (index) => `${path.basename(imagesPath)}@${index}`,
    version: (index) => `${images.file.version}; image ${index} of ${height} x ${width} x ${channels}`,
    read: async (index) => {
      const data = await images.file.read(images.start + index * bytes, bytes);
      return { pixels: { width, height, channels: 3, data: channels === 3 ? data : grayToRgb(data) } };
    },
  };
}

async function findImages(root: string, split: 'train' | 'val'): Promise<string> {
  const names = (await listFolder(root)).filter(
    (name) => IMAGES.test(name) && SPLIT_NAMES[split].test(name) && !isPassedOver(name),
  );
  const [found, another] = names.sort(byCodeUnit);
  if (!found)
    throw new DataError('not-found', `${root} has no IDX images of the ${split} part (train-images-idx3-ubyte)`);
  if (another && another !== `${found}.gz`) {
    throw new DataError('ambiguous-source', `${root} has several IDX image files: name one of ${names.join(', ')}`);
  }
  return path.join(root, found);
}

interface Idx {
  readonly file: ByteFile;
  readonly dimensions: readonly number[];
  /** Where the data begins. */
  readonly start: number;
}

async function openIdx(name: string): Promise<Idx> {
  const packed = await openLocalFile(name);
  const file = name.endsWith('.gz') ? await unpack(packed) : packed;
  const head = await file.read(0, Math.min(20, file.size));
  const rank = head[3] ?? 0;
  const start = 4 + 4 * rank;
  if (head[0] !== 0 || head[1] !== 0 || head[2] !== 8 || rank < 1 || rank > 4 || file.size < start) {
    throw new DataError('damaged-file', `${name} is not an IDX file of unsigned bytes`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const dimensions = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const announced = dimensions.reduce((a, b) => a * b, 1);
  if (announced !== file.size - start) {
    throw new DataError(
      'damaged-file',
      `${name}: ${dimensions.join(' x ')} bytes are announced, ${file.size - start} follow`,
    );
  }
  return { file, dimensions, start };
}

async function unpack(packed: ByteFile): Promise<ByteFile> {
  try {
    const bytes = await promisify(gunzip)(await packed.read(0, packed.size), { maxOutputLength: MAX_UNPACKED });
    return bytesInMemory(packed.name, bytes, packed.version);
  } catch (cause) {
    throw new DataError('damaged-file', `${packed.name} cannot be unpacked: ${(cause as Error).message}`, cause);
  }
}

async function openLabels(imagesPath: string, count: number): Promise<Uint8Array | undefined> {
  const stem = imagesPath.replace(/images([-.])idx[34]/, 'labels$1idx1').replace(/\.gz$/, '');
  for (const name of [stem, `${stem}.gz`]) {
    if (!(await fs.stat(name).catch(() => undefined))) continue;
    const { file, dimensions, start } = await openIdx(name);
    if (dimensions.length !== 1 || dimensions[0] !== count) {
      throw new DataError('damaged-file', `${name} labels ${dimensions.join(' x ')} images, there are ${count}`);
    }
    return file.read(start, count);
  }
  return undefined;
}

function grayToRgb(gray: Uint8Array): PixelImage['data'] {
  const data = new Uint8Array(3 * gray.length);
  gray.forEach((value, at) => {
    data.fill(value, 3 * at, 3 * at + 3);
  });
  return data;
}
