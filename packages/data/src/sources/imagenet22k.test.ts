import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { tarOf } from '../../test/archives';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../test/scratch';
import { imageNet22kSource } from './imagenet22k';

let root: string;
beforeEach(async () => {
  root = scratchFolder();
  await putTar('n02', { 'n02_1.JPEG': 'two-one' });
  await putTar('n01', { 'n01_9.JPEG': 'one-nine', 'n01_10.JPEG': gzipSync('one-ten'), 'notes.txt': 'no' });
});

async function putTar(wnid: string, members: Record<string, string | Buffer>): Promise<void> {
  writeFileSync(path.join(root, `${wnid}.tar`), await tarOf(members));
}

/** The official index, as NumPy writes it. */
function entriesNpy(
  rows: [classIndex: number, classId: string, start: number, end: number, filename: string][],
): Uint8Array {
  const descr =
    "[('class_index', '<u4'), ('class_id', '<U3'), ('start_offset', '<u4'), ('end_offset', '<u4'), ('filename', '<U10')]";
  const literal = `{'descr': ${descr}, 'fortran_order': False, 'shape': (${rows.length},), }`;
  const header = `${literal.padEnd(Math.ceil((literal.length + 11) / 64) * 64 - 11)}\n`;
  const rowBytes = 12 + 4 * 13;
  const bytes = new Uint8Array(10 + header.length + rows.length * rowBytes);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  const view = new DataView(bytes.buffer, 10 + header.length);
  const putText = (at: number, text: string): void => {
    for (const [place, char] of [...text].entries()) view.setUint32(at + 4 * place, char.codePointAt(0)!, true);
  };
  for (const [row, [classIndex, classId, start, end, filename]] of rows.entries()) {
    const at = row * rowBytes;
    view.setUint32(at, classIndex, true);
    putText(at + 4, classId);
    view.setUint32(at + 16, start, true);
    view.setUint32(at + 20, end, true);
    putText(at + 24, filename);
  }
  return bytes;
}

describe('imageNet22kSource', () => {
  it('indexes the tars, one class each, and unpacks gzipped images', async () => {
    const source = await imageNet22kSource(root);
    expect(source.classes).toEqual(['n01', 'n02']);
    expect([keysOf(source), labelsOf(source)]).toEqual([
      ['n01.tar@0', 'n01.tar@1024', 'n02.tar@0'],
      [0, 0, 1],
    ]);
    expect(await Promise.all([0, 1, 2].map((index) => readText(source, index)))).toEqual([
      'one-nine',
      'one-ten',
      'two-one',
    ]);
  });

  it('follows the official index in its order, padding and all', async () => {
    writeFiles(root, {
      'extra/entries.npy': entriesNpy([
        [1, 'n02', 0, 1024, 'n02_1.JPEG'],
        [0, 'n01', 1024, 2048, 'n01_10.JPE'],
      ]),
    });
    const source = await imageNet22kSource(root, { extra: path.join(root, 'extra') });
    expect([source.classes, labelsOf(source)]).toEqual([
      ['n01', 'n02'],
      [1, 0],
    ]);
    expect([await readText(source, 0), await readText(source, 1)]).toEqual(['two-one', 'one-ten']);
  });

  it('is an image error where the index does not fit the tar', async () => {
    writeFiles(root, {
      'entries.npy': entriesNpy([
        [0, 'n01', 100, 1024, ''],
        [0, 'n01', 0, 4_000_000_000, ''],
        [0, 'n01', 900, 100, ''],
        [3, 'n77', 0, 1024, ''],
      ]),
    });
    const source = await imageNet22kSource(root, { extra: root });
    for (const index of [0, 1, 2, 3]) {
      await expect(source.read(index)).rejects.toMatchObject({ code: expect.stringMatching(/unreadable|too-large/) });
    }
  });

  it('refuses an index that is damaged, or that names files outside', async () => {
    const open = (bytes: Uint8Array): Promise<unknown> => {
      writeFiles(root, { 'entries.npy': bytes });
      return imageNet22kSource(root, { extra: root });
    };
    const good = entriesNpy([[0, 'n01', 0, 1024, '']]);
    await expect(open(good.subarray(0, good.length - 1))).rejects.toMatchObject({
      code: 'damaged-file',
      message: /follow/,
    });
    await expect(open(good.subarray(0, 50))).rejects.toMatchObject({ code: 'damaged-file' });
    await expect(open(new Uint8Array(200))).rejects.toMatchObject({ code: 'damaged-file', message: /not an \.npy/ });
    await expect(open(entriesNpy([[0, '../', 0, 1024, '']]))).rejects.toMatchObject({ message: /not a class id/ });
  });

  it('uses a damaged tar up to the damage', async () => {
    writeFiles(root, { 'n03.tar': 'x'.repeat(2000) });
    expect((await imageNet22kSource(root)).notes?.[0]).toMatch(/n03\.tar: no valid tar header at byte 0/);
  });

  it('takes a tar without images for no class, and passes over what systems leave', async () => {
    writeFiles(root, { '._n01.tar': 'x' });
    await putTar('n00', { 'readme.txt': 'no' });
    await putTar('n03', { '._n03_1.JPEG': 'trace', 'n03_1.JPEG': 'three-one', 'n03_2.bmp': 'no' });
    const source = await imageNet22kSource(root);
    expect([source.classes, labelsOf(source)]).toEqual([
      ['n01', 'n02', 'n03'],
      [0, 0, 1, 2],
    ]);
    expect(await readText(source, 3)).toBe('three-one');
    expect(source.notes).toEqual([
      '1 tars hold no image and are no class, e.g. n00.tar',
      '3 members of tars are no images that can be used, e.g. n00.tar/readme.txt',
      '1 hidden names or traces of a system are passed over, e.g. n03.tar/._n03_1.JPEG',
    ]);
  });

  it('refuses an index that gives a class two names, or a name two classes', async () => {
    const rows = (...classes: [number, string][]): Uint8Array =>
      entriesNpy(classes.map(([at, id]) => [at, id, 0, 1024, '']));
    writeFiles(root, { 'a/entries.npy': rows([0, 'n01'], [0, 'n02']), 'b/entries.npy': rows([0, 'n01'], [1, 'n01']) });
    await expect(imageNet22kSource(root, { extra: path.join(root, 'a') })).rejects.toThrow(
      /class 0 is both n01 and n02/,
    );
    await expect(imageNet22kSource(root, { extra: path.join(root, 'b') })).rejects.toThrow(/several class numbers/);
  });

  it('refuses a folder without tars', async () => {
    await expect(imageNet22kSource(path.join(root, 'none'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
