import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import { squashMask } from './preparation';
import { isSegmentationData, openSegmentationSets } from './segmentation-set';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

/** A 3 x 2 picture and its mask. */
async function writePair(images: string, masks: string, name: string, values: readonly number[]): Promise<void> {
  await mkdir(images, { recursive: true });
  await mkdir(masks, { recursive: true });
  const picture = sharp({ create: { width: 3, height: 2, channels: 3, background: '#808080' } });
  await picture.jpeg().toFile(join(images, `${name}.jpg`));
  const png = encode({ width: 3, height: 2, channels: 1, depth: 8, data: Uint8Array.from(values) });
  await writeFile(join(masks, `${name}.png`), png);
}

test('train/images and train/masks: a fifth is held out, class names come from annotations.json', async () => {
  const root = join(folder, 'pairs');
  for (let i = 0; i < 10; i++)
    await writePair(join(root, 'train/images'), join(root, 'train/masks'), `p${i}`, [0, 1, 255, i, 1, 0]);
  await writeFile(join(root, 'annotations.json'), JSON.stringify({ classes: ['background', 'cat'] }));
  expect(await isSegmentationData(root)).toBe(true);
  const { train, test: held } = await openSegmentationSets(root, { train: 4 });
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
  const { train, test: val } = await openSegmentationSets(root, {});
  expect([train.dataset, train.length, val.length, train.classes.length]).toEqual(['voc-2012', 2, 1, 21]);
  expect([train.key(1), val.key(0)]).toEqual(['c.jpg', 'b.jpg']);
});

test('the generated world has exact masks', async () => {
  const { train } = await openSegmentationSets('world:length=4:size=16', {});
  const [image, mask] = [await train.read(1), await train.mask!(1)];
  expect([image.width, mask.data.length, train.classes[0]]).toEqual([16, 256, 'background']);
  expect(Math.max(...mask.data)).toBeLessThan(train.classes.length);
});

test('folders without masks are refused with what would do', async () => {
  await mkdir(join(folder, 'plain/images'), { recursive: true });
  await writePair(join(folder, 'plain/images'), join(folder, 'elsewhere'), 'a', [0, 0, 0, 0, 0, 0]);
  await expect(openSegmentationSets(join(folder, 'plain'), {})).rejects.toThrow(/has no masks; give a folder/);
});

test('a colour PNG is no mask', async () => {
  const root = join(folder, 'colours');
  await writePair(join(root, 'train/images'), join(root, 'train/masks'), 'a', [0, 0, 0, 0, 0, 0]);
  await writeFile(join(root, 'classes.json'), '["background"]');
  const rgb = encode({ width: 1, height: 1, channels: 3, depth: 8, data: Uint8Array.of(1, 2, 3) });
  await writeFile(join(root, 'train/masks/a.png'), rgb);
  const { test: held } = await openSegmentationSets(root, {});
  await expect(held.mask!(0)).rejects.toThrow(/3 channels of 8 bits; a mask is an 8-bit gray or palette PNG/);
});

test('a squashed mask takes the label under the centre of each pixel', () => {
  const output = new Uint8Array(4);
  squashMask({ data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), height: 2, width: 4 }, 2, output);
  expect([...output]).toEqual([2, 4, 6, 8]);
});
