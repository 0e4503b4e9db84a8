import { beforeEach, describe, expect, it } from 'vitest';
import { sharedData } from '../../../../test/support/shared';
import { keysOf, labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { decodeImage } from '../images/decode';
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
