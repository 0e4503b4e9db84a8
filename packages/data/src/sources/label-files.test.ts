import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { splitFolderSource } from './split-folders';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const put = (...files: string[]): void => writeFiles(root, Object.fromEntries(files.map((file) => [file, file])));

const WNIDS = ['n01440764', 'n01443537', 'n02119789'];
/** Three classes, and three flat validation images called as in ImageNet. */
const putImageNet = (): void =>
  put(...WNIDS.map((wnid) => `train/${wnid}/1.JPEG`), ...[1, 2, 3].map((n) => `val/ILSVRC2012_val_0000000${n}.JPEG`));

const openVal = () => splitFolderSource(root, 'val');

describe('labels of a flat validation folder', () => {
  it("are read from Tiny ImageNet's val_annotations.txt", async () => {
    put(
      ...WNIDS.map((wnid) => `train/${wnid}/images/${wnid}_0.JPEG`),
      'val/images/val_0.JPEG',
      'val/images/val_1.JPEG',
    );
    put('test/images/test_0.JPEG');
    writeFiles(root, {
      'val/val_annotations.txt': 'val_1.JPEG\tn01440764\t0\t32\t44\t62\nval_0.JPEG\tn02119789\t52\t55\t57\t59\n',
      'wnids.txt': 'n02119789\nn01440764\nn01443537\n',
    });
    const val = await openVal();
    expect([val.classes, labelsOf(val)]).toEqual([WNIDS, [2, 0]]);
    expect(val.notes).toEqual([expect.stringMatching(/labels are read from .*val_annotations.txt$/)]);
  });

  it.each([
    [
      'LOC_val_solution.csv',
      'ImageId,PredictionString\n1,n02119789 1 2 3 4 \n2,n01440764 1 2 3 4 n01440764 5 6 7 8 \n3,n01443537 1 2 3 4 \n',
      {},
    ],
    ['val_map.txt', '1.JPEG\tn02119789\n2.JPEG\tn01440764\n3.JPEG\tn01443537\n', {}],
    ['val.txt', 'val/1.JPEG n02119789\nval/2.JPEG n01440764\nval/3.JPEG n01443537\n', {}],
    ['val.txt', '1.JPEG 2\n2.JPEG 0\n3.JPEG 1\n', {}],
    ['val.txt', '1.JPEG 0\n2.JPEG 1\n3.JPEG 2\n', { 'synsets.txt': 'n02119789\nn01440764\nn01443537\n' }],
    [
      'ILSVRC2012_validation_ground_truth.txt',
      '1\n449\n2\n',
      { 'map_clsloc.txt': 'n02119789 1 kit_fox\nn01440764 449 tench\nn01443537 2 goldfish\n' },
    ],
    [
      'ILSVRC2012_validation_ground_truth.txt',
      '1\n2\n3\n',
      { 'synsets.txt': 'n02119789 fox\nn01440764 tench\nn01443537 goldfish\n' },
    ],
  ])('are read from %s: %j', async (name, text, more) => {
    putImageNet();
    writeFiles(root, { [name]: text.replace(/^(val\/)?(\d)(?=[.,])/gm, '$1ILSVRC2012_val_0000000$2'), ...more });
    expect(labelsOf(await openVal())).toEqual([2, 0, 1]);
  });

  it.each([
    [
      'ILSVRC ids without their meaning',
      { 'ILSVRC2012_validation_ground_truth.txt': '1\n2\n3\n' },
      /holds ILSVRC ids, .*map_clsloc.txt/,
    ],
    [
      'ILSVRC ids with a sorted list',
      { 'ILSVRC2012_validation_ground_truth.txt': '1\n2\n3\n', 'synsets.txt': WNIDS.join('\n') },
      /holds ILSVRC ids/,
    ],
    [
      'numbers from 1',
      { 'val.txt': '1.JPEG 1\n2.JPEG 2\n3.JPEG 3\n' },
      /holds the numbers 1 to 3, which are not known/,
    ],
    ['numbers of more classes', { 'val.txt': '1.JPEG 0\n2.JPEG 1\n3.JPEG 999\n' }, /numbers 0 to 999/],
    [
      'a file that leaves images out',
      { 'val.txt': '1.JPEG n01440764\n' },
      /says nothing of 2 of 3 images, e.g. ILSVRC2012_val_00000002.JPEG/,
    ],
    [
      'files that differ',
      { 'val.txt': '1.JPEG 2\n2.JPEG 0\n3.JPEG 1\n', 'val_map.txt': '1.JPEG 1\n2.JPEG 0\n3.JPEG 2\n' },
      /differ about the classes/,
    ],
  ])('are none, and it is said why: %s', async (_, files: Record<string, string>, message) => {
    putImageNet();
    for (const [name, text] of Object.entries(files))
      writeFiles(root, {
        [name]: /^\d\.JPEG/.test(text) ? text.replace(/^(\d)(?=\.)/gm, 'ILSVRC2012_val_0000000$1') : text,
      });
    const val = await openVal();
    expect([val.classes, val.whyUnlabelled]).toEqual([undefined, expect.stringMatching(message)]);
  });

  it('name a class that the training part does not have', async () => {
    putImageNet();
    writeFiles(root, { 'val_labels.csv': [1, 2, 3].map((n) => `ILSVRC2012_val_0000000${n}.JPEG,n0${n}`).join('\n') });
    const val = await openVal();
    expect([labelsOf(val), val.unlistedClass?.(1)]).toEqual([[undefined, undefined, undefined], 'n02']);
  });

  it('come from class folders where there are any', async () => {
    put('train/a/1.jpg', 'train/b/2.jpg', 'val/b/3.jpg');
    writeFiles(root, { 'val.txt': '3.jpg a\n' });
    expect(labelsOf(await openVal())).toEqual([1]);
    expect(path.basename((await openVal()).folder!)).toBe('val');
  });
});
