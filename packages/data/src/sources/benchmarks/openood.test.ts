import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeOpenOod } from '../../../test/imagenet-files';
import { keysOf, labelsOf, readText, scratchFolder, writeFiles } from '../../../test/scratch';
import { IMAGENET_CLASSES } from './imagenet-classes';
import { openOpenOod } from './openood';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});

const LISTS = 'data/benchmark_imglist/imagenet';

test('its lists: known images with labels, five sets without, near and far', async () => {
  const written = writeOpenOod(root, { places: [3, 999], each: 3 });
  const { inside, validation, outside, notes } = await openOpenOod(root);
  expect(keysOf(inside)).toEqual(written.test.map(({ file }) => file));
  expect([labelsOf(inside), inside.classes]).toEqual([[3, 999, 3, 999], IMAGENET_CLASSES]);
  expect(labelsOf(validation!)).toEqual([3, 999]);
  expect(await readText(inside, 0)).toBe('imagenet_1k/val/ILSVRC2012_val_00000003.JPEG');
  expect(outside.map(({ name, title, group, published }) => [name, title, group, published])).toEqual([
    ['ssb-hard', 'SSB-hard', 'near', 49_000],
    ['ninco', 'NINCO', 'near', 5_879],
    ['inaturalist', 'iNaturalist', 'far', 10_000],
    ['textures', 'Textures', 'far', 5_160],
    ['openimage-o', 'OpenImage-O', 'far', 15_869],
  ]);
  for (const { source } of outside) {
    expect([source.length, source.classes, source.label]).toEqual([3, undefined, undefined]);
    expect(await readText(source, 2)).toBe(source.key(2));
  }
  expect(outside[3]!.source.folder).toBe(path.join(root, 'data/images_classic'));
  expect(notes).toHaveLength(7);
  expect(notes[0]).toBe('test_imagenet.txt lists 4 images of ImageNet-1k, of which 45,000 were published');
  // the folder of the lists itself
  expect((await openOpenOod(path.join(root, 'data'))).outside).toHaveLength(5);
});

test('the images of ImageNet may lie in class folders', async () => {
  writeOpenOod(root, { places: [3, 999], nested: true });
  const { inside, validation } = await openOpenOod(root);
  expect(keysOf(inside)).toEqual([
    'imagenet_1k/val/n01491361/ILSVRC2012_val_00000003.JPEG',
    'imagenet_1k/val/n15075141/ILSVRC2012_val_00000004.JPEG',
  ]);
  expect([labelsOf(inside), labelsOf(validation!)]).toEqual([
    [3, 999],
    [3, 999],
  ]);
});

test('sets that are not there are named, and images that are missing counted', async () => {
  writeOpenOod(root, { without: ['ninco'], each: 3 });
  rmSync(path.join(root, 'data/images_classic'), { recursive: true });
  rmSync(path.join(root, 'data/images_largescale/inaturalist/images/98945524784c1.jpg'));
  rmSync(path.join(root, LISTS, 'val_imagenet.txt'));
  const { validation, outside, notes } = await openOpenOod(root);
  expect([validation, outside.map(({ name }) => name)]).toEqual([
    undefined,
    ['ssb-hard', 'inaturalist', 'openimage-o'],
  ]);
  expect(outside[1]!.source.length).toBe(2);
  const told = notes.filter((note) => !note.includes('were published'));
  expect(told).toEqual([
    expect.stringMatching(
      /^there are no images of ImageNet-1k to choose settings on: .*val_imagenet.txt is not there$/,
    ),
    expect.stringMatching(/^there are no images of NINCO: .*test_ninco.txt is not there$/),
    '1 of the 3 images of iNaturalist are not there and left out, e.g. inaturalist/images/98945524784c1.jpg',
    expect.stringMatching(/^there are no images of Textures: none of the 3 listed is there; .*banded_0000.jpg$/),
  ]);
});

test('without lists, without images of ImageNet, and without any other set it is refused', async () => {
  await expect(openOpenOod(root)).rejects.toThrow(
    /has no benchmark_imglist\/imagenet\/test_imagenet.txt; OpenOOD v1.5 lies as/,
  );
  writeOpenOod(root);
  rmSync(path.join(root, 'data/images_largescale/imagenet_1k'), { recursive: true });
  await expect(openOpenOod(root)).rejects.toThrow(
    /there are no images of ImageNet-1k: none of the 3 listed is there; .*imagenet_1k\/val\/ILSVRC/,
  );
  writeOpenOod(root, { each: 2 });
  for (const folder of ['ssb_hard', 'ninco', 'inaturalist', 'openimage_o', '../images_classic'])
    rmSync(path.join(root, 'data/images_largescale', folder), { recursive: true });
  await expect(openOpenOod(root)).rejects.toThrow(/no images of SSB-hard: .*no images of OpenImage-O: /);
});

test.each([
  ['test_imagenet', 'imagenet_1k/val/a.JPEG 1000', /line 1: .* has no class from 0 to 999/],
  ['test_imagenet', 'imagenet_1k/val/a.JPEG -1', /has no class from 0 to 999/],
  ['test_imagenet', '../../../etc/a.JPEG 3', /is no path below the folder/],
  ['test_ninco', 'ninco/a.jpg -1\nninco/a.jpg -1', /test_ninco.txt line 2: .* is listed before/],
  ['test_ninco', 'ninco/a.jpg 7', /has a class, where -1 stands/],
  ['test_ninco', '\n', /lists no image/],
])('a line of %s is refused: %j', async (list, text, message) => {
  writeOpenOod(root);
  writeFiles(root, { [`${LISTS}/${list}.txt`]: text });
  await expect(openOpenOod(root)).rejects.toThrow(message);
});
