import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pictureOf } from '../../test/mask-files';
import { SBD_MASK } from '../../test/sbd-mask';
import * as made from '../../test/segmentation-files';
import { temporaryFolder } from '../../test/tiny-model';
import { openSegmentationSets } from './segmentation-set';
import { surveyMasks } from './survey-masks';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));
/** A place that nothing lies at. */
const place = (): string => join(folder, `data-${count++}`);

test('VOC is found wherever one stands in it, and says which list it took', async () => {
  const root = await made.asFolder(place(), await made.devkit(true));
  for (const inside of ['', 'VOCdevkit', 'VOCdevkit/VOC2012']) {
    const { train } = await openSegmentationSets(join(root, inside));
    expect(train.notes).toEqual([
      'train is the list trainaug, with the masks of SegmentationClassAug',
      '5 of the published 10582 pictures of voc-2012 trainaug are there',
    ]);
  }
  const { train } = await openSegmentationSets(root, { trainList: 'train' });
  expect([train.split, train.length, train.notes[0]]).toEqual([
    'train',
    3,
    'train is the list train, with the masks of SegmentationClass',
  ]);
});

test('masks of trainaug that are not there are refused with the way out', async () => {
  const { 'VOCdevkit/VOC2012/ImageSets/Segmentation/trainaug.txt': list, ...plain } = await made.devkit(true);
  const bare = Object.fromEntries(Object.entries(plain).filter(([path]) => !path.includes('Aug/')));
  const listed = await made.asFolder(place(), {
    ...bare,
    'VOCdevkit/VOC2012/ImageSets/Segmentation/trainaug.txt': list!,
  });
  await expect(openSegmentationSets(listed)).rejects.toThrow(
    /trainaug.txt without SegmentationClassAug; trainaug is the training set .* or train on .* with --train-list train/,
  );
  expect((await openSegmentationSets(listed, { trainList: 'train' })).train.length).toBe(3);
  const masked = await made.asFolder(place(), plain);
  expect((await openSegmentationSets(masked)).train.notes[0]).toMatch(/, for want of trainaug.txt$/);
  await expect(openSegmentationSets(masked, { trainList: 'trainaug' })).rejects.toThrow(/has no .*trainaug.txt/);
});

test('lines of lists that are paths, names without masks, another year beside it', async () => {
  const files = { ...(await made.devkit(true)) };
  const lists = 'VOCdevkit/VOC2012/ImageSets/Segmentation';
  files[`${lists}/trainaug.txt`] =
    '/JPEGImages/2007_000000.jpg /SegmentationClassAug/2007_000000.png\r\n/JPEGImages/2007_000009.jpg /SegmentationClassAug/2007_000009.png\r\n';
  const old = Object.fromEntries(
    Object.entries(await made.devkit(false)).map(([path, content]) => [path.replace('2012', '2007'), content]),
  );
  const root = await made.asFolder(place(), { ...files, ...old });
  const { train } = await openSegmentationSets(root);
  expect([train.dataset, train.length, train.total]).toEqual(['voc-2012', 1, 2]);
  expect(train.unmasked!.named).toEqual(['2007_000009 (no picture in JPEGImages)']);
  expect(train.notes[0]).toMatch(/^VOCdevkit\/VOC2007 of .* are not read$/);
  const alone = await openSegmentationSets(join(root, 'VOCdevkit/VOC2007'));
  expect([alone.train.dataset, alone.train.notes]).toEqual([
    'voc-2007',
    [expect.stringMatching(/^train is the list train/)],
  ]);
});

test('SBD beside VOC makes trainaug of both, less what is scored', async () => {
  const sbd = 'benchmark_RELEASE/dataset';
  const files = {
    ...(await made.devkit(false)),
    // 0 is of VOC's train, 3 of its val; 10 has a picture of SBD's alone, 11 no mask
    [`${sbd}/train.txt`]: '2007_000000\n2007_000010\n',
    [`${sbd}/val.txt`]: '2007_000003\n2007_000011\n',
    [`${sbd}/cls/2007_000000.mat`]: SBD_MASK,
    [`${sbd}/cls/2007_000003.mat`]: SBD_MASK,
    [`${sbd}/cls/2007_000010.mat`]: SBD_MASK,
    [`${sbd}/img/2007_000010.jpg`]: await pictureOf(new Array(24).fill(0), 6, 0),
  };
  for (const root of [await made.asFolder(place(), files), await made.asTar(`${place()}.tar`, files)]) {
    const { train } = await openSegmentationSets(root);
    expect([train.split, train.length, train.total]).toEqual(['trainaug', 4, 5]);
    expect(train.notes[0]).toBe(
      `train is trainaug put together: 3 pictures of VOC's train with its masks and 1 others of ${sbd} with SBD's`,
    );
    expect(train.unmasked!.named).toEqual([`2007_000011 (no 2007_000011.mat in ${sbd}/cls)`]);
    expect([...(await train.mask!(3)).data.subarray(4, 10)]).toEqual([8, 8, 12, 12, 12, 0]);
    expect((await openSegmentationSets(root, { trainList: 'train' })).train.split).toBe('train');
  }
});

test('a truncated archive is told, and what it lost is missed', async () => {
  const tar = await made.asTar(`${place()}.tar`, await made.devkit(false));
  const bytes = await readFile(tar);
  await writeFile(tar, bytes.subarray(0, bytes.indexOf('VOCdevkit/VOC2012/ImageSets')));
  await expect(openSegmentationSets(tar)).rejects.toThrow(/has no masks; give a folder or archive/);
  const lists = await made.asTar(
    `${place()}.tar`,
    Object.fromEntries(Object.entries(await made.devkit(false)).reverse()),
  );
  const whole = await readFile(lists);
  await writeFile(lists, whole.subarray(0, whole.indexOf('VOCdevkit/VOC2012/JPEGImages/2007_000001.jpg')));
  const { train } = await openSegmentationSets(lists);
  expect([train.length, train.total]).toEqual([1, 3]);
  expect(train.notes.join()).toMatch(/at byte \d+; what came before is used/);
  await expect(surveyMasks(train, 8, {})).rejects.toThrow(/2 of 3 pictures of voc-2012 train have no usable mask/);
});
