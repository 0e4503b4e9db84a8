import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { idxOf } from '../../test/archives';
import { labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { idxSource } from './idx';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

const two = idxOf([2, 2, 3], [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]);

describe('idxSource', () => {
  it('reads gray images as RGB, with the labels beside them', async () => {
    writeFiles(root, { 'train-images-idx3-ubyte': two, 'train-labels-idx1-ubyte': idxOf([2], [4, 0]) });
    const source = await idxSource(root);
    expect([source.length, labelsOf(source), source.classes]).toEqual([2, [4, 0], ['0', '1', '2', '3', '4']]);
    const data = Uint8Array.from([11, 12, 13, 14, 15, 16].flatMap((value) => [value, value, value]));
    expect(await source.read(1)).toEqual({ pixels: { width: 3, height: 2, channels: 3, data } });
  });

  it('reads gzipped files, and the t10k files as the validation part', async () => {
    writeFiles(root, {
      't10k-images-idx3-ubyte.gz': gzipSync(two),
      't10k-labels-idx1-ubyte.gz': gzipSync(idxOf([2], [1, 1])),
    });
    expect(labelsOf(await idxSource(root, 'val'))).toEqual([1, 1]);
    await expect(idxSource(root, 'train')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('reads colour images, and images without labels', async () => {
    writeFiles(root, { 'x-images-idx4-ubyte': idxOf([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]) });
    const source = await idxSource(path.join(root, 'x-images-idx4-ubyte'));
    expect(source.classes).toBeUndefined();
    expect(await source.read(0)).toMatchObject({
      pixels: { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    });
  });

  it('asks which file is meant when a folder has several', async () => {
    writeFiles(root, { 'a-train-images-idx3-ubyte': two, 'b-train-images-idx3-ubyte': two });
    await expect(idxSource(root)).rejects.toMatchObject({ code: 'ambiguous-source', message: /a-train.*b-train/ });
  });

  it.each([
    ['sizes beyond the data', idxOf([1000000, 1000, 1000], [1, 2])],
    ['data beyond the sizes', idxOf([1, 1, 1], [1, 2])],
    ['another type', Uint8Array.from(two).fill(13, 2, 3)],
    ['no images', idxOf([4], [1, 2, 3, 4])],
    ['too few bytes', Uint8Array.of(0, 0, 8)],
    ['two channels', idxOf([1, 1, 1, 2], [1, 2])],
  ])('refuses a file with %s', async (_, bytes) => {
    writeFiles(root, { 'train-images-idx3-ubyte': bytes });
    await expect(idxSource(root)).rejects.toMatchObject({ code: 'damaged-file' });
  });

  it('refuses a damaged gzip, and labels of another length', async () => {
    writeFiles(root, { 'train-images-idx3-ubyte.gz': gzipSync(two).subarray(0, 20) });
    await expect(idxSource(root)).rejects.toMatchObject({ code: 'damaged-file' });
    writeFiles(root, { 'train-images-idx3-ubyte.gz': gzipSync(two), 'train-labels-idx1-ubyte': idxOf([3], [1, 2, 3]) });
    await expect(idxSource(root)).rejects.toMatchObject({ code: 'damaged-file', message: /there are 2/ });
  });
});
