import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sharedData } from '../../../../test/support/shared';
import { keysOf, labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { decodeImage } from '../images/decode';
import { openSource } from './open-source';
import { findSplitFolders, splitFolderSource } from './split-folders';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));

describe('splitFolderSource', () => {
  it('opens each part, with one class list for all', async () => {
    put('train/n01/n01_1.JPEG', 'train/n02/n02_1.JPEG', 'train/n03/n03_1.JPEG');
    put('val/n03/ILSVRC2012_val_00000001.JPEG', 'val/n01/ILSVRC2012_val_00000002.JPEG');
    const train = await splitFolderSource(root, 'train');
    const val = await splitFolderSource(root, 'val');
    expect([train.classes, labelsOf(train)]).toEqual([
      ['n01', 'n02', 'n03'],
      [0, 1, 2],
    ]);
    expect([val.classes, keysOf(val), labelsOf(val)]).toEqual([
      ['n01', 'n02', 'n03'],
      ['n01/ILSVRC2012_val_00000002.JPEG', 'n03/ILSVRC2012_val_00000001.JPEG'],
      [0, 2],
    ]);
  });

  it('says of a flat validation part without a file of labels what would give it classes', async () => {
    put('train/n01/1.JPEG', 'train/n02/2.JPEG', 'val/ILSVRC2012_val_00000001.JPEG');
    const val = await splitFolderSource(root, 'val');
    expect(val.classes).toBeUndefined();
    expect(val.whyUnlabelled).toMatch(/lie in no class folders.*put one there \(val_annotations.txt/);
  });

  it('numbers classes by the folders that hold images, so that empty ones count for nothing', async () => {
    put('train/a/1.jpg', 'train/b/2.jpg', 'train/1-text/notes.txt', 'train/__MACOSX/a/._1.jpg', 'val/b/3.jpg');
    mkdirSync(path.join(root, 'train/0-empty'));
    for (const part of ['train', 'val'] as const)
      expect((await splitFolderSource(root, part)).classes).toEqual(['a', 'b']);
    const official = await openSource(`ImageNet:split=VAL:root=${root}`);
    expect([official.classes, labelsOf(official)]).toEqual([['a', 'b'], [1]]);
  });

  it('names the class of an image that the training part does not have', async () => {
    put('train/a/1.jpg', 'train/b/2.jpg', 'val/d/3.jpg');
    const val = await splitFolderSource(root, 'val');
    expect([labelsOf(val), val.unlistedClass?.(0)]).toEqual([[undefined], 'd']);
  });

  it('takes no folders for classes where images lie beside them, nor parts and masks, and says why', async () => {
    put('x/train/a/1.jpg', 'x/train/b/2.jpg', 'x/train/stray.jpg', 'y/train/images/1.jpg', 'y/train/masks/1.png');
    const stray = await splitFolderSource(path.join(root, 'x'), 'train');
    expect([stray.classes, stray.whyUnlabelled]).toEqual([
      undefined,
      expect.stringMatching(/1 image .*\(stray\.jpg\)/),
    ]);
    const masks = await splitFolderSource(path.join(root, 'y'), 'train');
    expect([masks.classes, masks.whyUnlabelled]).toEqual([
      undefined,
      expect.stringMatching(/images and masks are images and what belongs to them/),
    ]);
  });

  it('refuses two folders that could be the same part', async () => {
    put('train/a/1.jpg', 'val/a/2.jpg', 'validation/a/3.jpg');
    await expect(splitFolderSource(root, 'val')).rejects.toMatchObject({
      code: 'ambiguous-source',
      message: expect.stringMatching(/val and .*validation could both be the val part/),
    });
  });

  it('reads class names from labels.txt, commas included', async () => {
    put('train/n01/1.jpg', 'train/n02/2.jpg');
    writeFiles(root, { 'labels.txt': 'n02,great white shark, white shark\r\nn01,tench\n' });
    const source = await splitFolderSource(root, 'train');
    expect(source.classTitles).toEqual(['tench', 'great white shark, white shark']);
  });

  it('reads class names from classes.json, and ignores a damaged one', async () => {
    put('train/a/1.jpg', 'train/b/2.jpg');
    writeFiles(root, { 'classes.json': '{"b": "bee", "a": 5}' });
    expect((await splitFolderSource(root, 'train')).classTitles).toEqual(['a', 'bee']);
    writeFiles(root, { 'classes.json': '{"b": ' });
    expect((await splitFolderSource(root, 'train')).classTitles).toBeUndefined();
  });

  it('knows other names of the parts, and lets test stand in for a missing val', async () => {
    put('Training/a/1.jpg', 'test/2.jpg');
    expect(Object.keys(await findSplitFolders(root)).sort()).toEqual(['test', 'train', 'val']);
    put('validation/3.jpg');
    expect(keysOf(await splitFolderSource(root, 'val'))).toEqual(['3.jpg']);
  });

  it('says which parts there are when one is missing', async () => {
    put('train/1.jpg');
    await expect(splitFolderSource(root, 'val')).rejects.toMatchObject({ code: 'not-found', message: /found: train/ });
  });
});

const imagenette = sharedData('imagenette-128');
describe.skipIf(!imagenette)('splitFolderSource on imagenette-128 (needs shared/data/imagenette-128)', () => {
  it('finds 6,000 training and 2,000 validation photographs of ten classes', async () => {
    const [train, val] = await Promise.all([
      splitFolderSource(imagenette!, 'train'),
      splitFolderSource(imagenette!, 'val'),
    ]);
    expect([train.length, val.length]).toEqual([6000, 2000]);
    expect(val.classes).toEqual(train.classes);
    expect(train.classTitles?.slice(0, 3)).toEqual(['tench', 'english_springer', 'cassette_player']);
    const content = await val.read(1234);
    expect('encoded' in content && (await decodeImage(content.encoded))).toMatchObject({ width: 128, height: 128 });
  });
});
