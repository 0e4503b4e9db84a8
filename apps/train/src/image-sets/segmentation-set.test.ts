import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maskPng, pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder } from '../../test/tiny-model';
import { squashMask } from './mask-pixels';
import { isSegmentationData, openSegmentationSets } from './segmentation-set';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

/** A 3 x 2 picture and its mask. */
async function writePair(images: string, masks: string, name: string, values: readonly number[]): Promise<void> {
  await writeAt(join(images, `${name}.jpg`), await pictureOf(values, 3, 0));
  await writeAt(join(masks, `${name}.png`), maskPng(values, 3, { colour: 0, depth: 8 }));
}

const VALUES = [0, 1, 1, 0, 1, 0];

test('train/images and train/masks: a fifth is held out, class names come from annotations.json', async () => {
  const root = join(folder, 'pairs');
  for (let i = 0; i < 10; i++)
    await writePair(join(root, 'train/images'), join(root, 'train/masks'), `p${i}`, [0, 1, 255, i, 1, 0]);
  await writeFile(join(root, 'annotations.json'), JSON.stringify({ classes: ['background', 'cat'] }));
  expect(await isSegmentationData(root)).toBe(true);
  const { train, test: held } = await openSegmentationSets(root, { limits: { train: 4 } });
  expect([train.dataset, train.length, train.total, held.length]).toEqual(['pairs', 4, 8, 2]);
  expect([train.classes, train.ignore]).toEqual([['background', 'cat'], 255]);
  const [image, mask] = [await held.read(0), await held.mask!(0)];
  expect([image.width, image.height, mask.width, mask.height]).toEqual([3, 2, 3, 2]);
  expect([...mask.data].slice(0, 3)).toEqual([0, 1, 255]);
});

test('PASCAL VOC: its lists, its name, its classes', async () => {
  const root = join(folder, 'VOC2012');
  for (const name of ['a', 'b', 'c'])
    await writePair(join(root, 'JPEGImages'), join(root, 'SegmentationClass'), name, [0, 0, 0, 0, 0, 20]);
  await mkdir(join(root, 'ImageSets/Segmentation'), { recursive: true });
  await writeFile(join(root, 'ImageSets/Segmentation/train.txt'), 'a\nc\n');
  await writeFile(join(root, 'ImageSets/Segmentation/val.txt'), 'b\n');
  const { train, test: val } = await openSegmentationSets(root);
  expect([train.dataset, train.length, val.length, train.classes.length]).toEqual(['voc-2012', 2, 1, 21]);
  expect([train.key(1), val.key(0)]).toEqual(['c.jpg', 'b.jpg']);
});

test('the generated world has exact masks', async () => {
  const { train } = await openSegmentationSets('world:length=4:size=16');
  const [image, mask] = [await train.read(1), await train.mask!(1)];
  expect([image.width, mask.data.length, train.classes[0]]).toEqual([16, 256, 'background']);
  expect(Math.max(...mask.data)).toBeLessThan(train.classes.length);
});

test('folders without masks are refused with what would do', async () => {
  await mkdir(join(folder, 'plain/images'), { recursive: true });
  await writePair(join(folder, 'plain/images'), join(folder, 'elsewhere'), 'a', [0, 0, 0, 0, 0, 0]);
  await expect(openSegmentationSets(join(folder, 'plain'))).rejects.toThrow(/has no masks; give a folder/);
});

describe('pictures and masks are matched by name', () => {
  /** Pairs of these names in both parts. */
  async function pairs(root: string, ...pictures: readonly string[]): Promise<string> {
    for (const part of ['train', 'val'])
      for (const name of pictures) await writePair(join(root, part, 'images'), join(root, part, 'masks'), name, VALUES);
    await writeFile(join(root, 'classes.json'), '["background", "cat"]');
    return root;
  }
  const notesOf = async (root: string) => (await openSegmentationSets(root)).test.notes;

  test('those without mask are counted and named, and belong to the total', async () => {
    const root = await pairs(join(folder, 'missing'), 'a', 'b', 'c');
    await rm(join(root, 'val/masks/b.png'));
    const { train, test: val } = await openSegmentationSets(root);
    expect([val.length, val.total, val.key(1), val.unmasked]).toEqual([
      2,
      3,
      'c.jpg',
      { named: ['b.jpg (no b.png in val/masks)'], of: 3 },
    ]);
    expect(val.notes).toEqual(['1 of val are left out for want of a mask or a picture: b.jpg (no b.png in val/masks)']);
    expect(train.notes).toEqual([]);
  });

  test('traces of systems are no pictures, nested folders go together, endings may be in capitals', async () => {
    const root = await pairs(join(folder, 'traces'), 'a', 'city/b');
    await writeAt(join(root, 'val/images/._a.jpg'), 'trace');
    await copyFile(join(root, 'val/masks/a.png'), join(root, 'val/masks/c.PNG'));
    await copyFile(join(root, 'val/images/a.jpg'), join(root, 'val/images/c.JPG'));
    const { test: val } = await openSegmentationSets(root);
    expect(Array.from({ length: val.length }, (_, i) => val.key(i))).toEqual(['a.jpg', 'c.JPG', 'city/b.jpg']);
    for (let i = 0; i < 3; i++) expect([...(await val.mask!(i)).data]).toEqual(VALUES);
  });

  test('two pictures of one mask, masks of no picture and unused formats are told', async () => {
    const root = await pairs(join(folder, 'shared'), 'a', 'b');
    await copyFile(join(root, 'val/images/a.jpg'), join(root, 'val/images/a.png'));
    await copyFile(join(root, 'val/masks/a.png'), join(root, 'val/masks/z.png'));
    await writeAt(join(root, 'val/images/d.bmp'), 'BM');
    expect(await notesOf(root)).toEqual([
      expect.stringMatching(/^val\/images: 1 .bmp files are not used/),
      'pictures of val/images that differ in their ending only share a mask: a.jpg and a.png',
      '1 of val/masks belong to no picture of val/images: z',
    ]);
  });

  test('none at all are refused with what lies there', async () => {
    const root = await pairs(join(folder, 'other-names'), 'a');
    await rm(join(root, 'val/masks/a.png'));
    await writeAt(join(root, 'val/masks/a_mask.png'), 'x');
    await expect(openSegmentationSets(root)).rejects.toThrow(
      /no picture of .* has a mask: a.jpg \(no a.png in val\/masks\); val\/masks holds a_mask.png/,
    );
  });

  test('a part for validation without masks is not passed over in silence', async () => {
    const root = await pairs(join(folder, 'half'), 'a', 'b');
    await rm(join(root, 'val/masks'), { recursive: true });
    expect(await notesOf(root)).toEqual(['without val/masks, 1 of 2 pictures of train are held out (seed 0)']);
  });
});

test('names of a VOC list without picture or mask are named, and a list that is missing', async () => {
  const root = join(folder, 'lists');
  for (const name of ['a', 'b c', 'd'])
    await writePair(join(root, 'JPEGImages'), join(root, 'SegmentationClass'), name, VALUES);
  await rm(join(root, 'SegmentationClass/d.png'));
  await writeAt(join(root, 'ImageSets/Segmentation/train.txt'), 'a\r\nb c\r\n');
  await expect(openSegmentationSets(root)).rejects.toThrow(/val.txt is missing; it names the pictures/);
  await writeAt(join(root, 'ImageSets/Segmentation/val.txt'), 'a\nd\nghost\n');
  const { train, test: val } = await openSegmentationSets(root);
  expect([train.length, val.length, val.total]).toEqual([2, 1, 3]);
  expect(train.notes).toEqual([
    '1 pictures are in train and in val: a; what is scored on them was learnt from them',
    'train is the list train, with the masks of SegmentationClass, for want of SegmentationClassAug and trainaug.txt',
    '2 of the published 1464 pictures of voc-2012 train are there',
  ]);
  expect(val.unmasked!.named).toEqual(['ghost (no picture in JPEGImages)', 'd.jpg (no d.png in SegmentationClass)']);
});

test.each([
  ['[{"name": "cat"}]', /class 0 is {"name":"cat"}/],
  ['["cat", "dog", "cat"]', /class 2 is "cat"; .* different names/],
  ['[]', /class 0 is missing/],
  ['["cat",', /classes.json is no JSON/],
])('classes %s are refused', async (json, message) => {
  const root = join(folder, 'odd-classes');
  await writePair(join(root, 'train/images'), join(root, 'train/masks'), 'a', VALUES);
  await writeAt(join(root, 'classes.json'), json);
  await expect(openSegmentationSets(root)).rejects.toThrow(message);
});

test('the generated world of a misspelt option is refused', async () => {
  await expect(openSegmentationSets('world:lenght=4')).rejects.toThrow(
    /lenght=4 is not easy, medium, hard, nor length=/,
  );
});

test('a squashed mask takes the label under the centre of each pixel', () => {
  const output = new Uint8Array(4);
  squashMask({ data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), height: 2, width: 4 }, 2, output);
  expect([...output]).toEqual([2, 4, 6, 8]);
});
