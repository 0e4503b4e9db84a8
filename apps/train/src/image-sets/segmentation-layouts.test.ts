import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Files } from '../../test/file-trees';
import { maskPng } from '../../test/mask-files';
import * as made from '../../test/segmentation-files';
import { temporaryFolder } from '../../test/tiny-model';
import { cocoClasses, cocoValues } from './coco-categories';
import type { ImageSet } from './image-set';
import { isSegmentationData, type OpenSegmentationOptions, openSegmentationSets } from './segmentation-set';
import { surveyMasks } from './survey-masks';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));
/** A place that nothing lies at. */
const place = (): string => join(folder, `data-${count++}`);

type Layout = readonly [
  name: string,
  files: () => Promise<Files>,
  dataset: string | RegExp,
  lengths: readonly [train: number, test: number],
  classes: number,
  /** Names of the classes of the halves of the first picture of train, and of the second. */
  halves: readonly (readonly [string, string])[],
];
const VOID = 'not scored';
const LAYOUTS: readonly Layout[] = [
  [
    'pairs',
    made.pairs,
    'data',
    [4, 2],
    3,
    [
      ['background', 'cat'],
      ['cat', 'dog'],
    ],
  ],
  [
    'VOCdevkit',
    () => made.devkit(false),
    'voc-2012',
    [3, 2],
    21,
    [
      ['background', 'dog'],
      ['dog', 'background'],
    ],
  ],
  [
    'VOCdevkit with trainaug',
    () => made.devkit(true),
    'voc-2012',
    [5, 2],
    21,
    [
      ['background', 'dog'],
      ['dog', 'background'],
    ],
  ],
  [
    'VOCSegmentation',
    made.hummingbird,
    'voc-2012',
    [5, 2],
    21,
    [
      ['background', 'dog'],
      ['dog', 'background'],
    ],
  ],
  [
    'ADE20K',
    made.ade,
    'ade20k',
    [4, 2],
    151,
    [
      ['wall', 'sky'],
      ['sky', 'flag'],
    ],
  ],
  [
    'COCO-Stuff',
    made.cocoStuff,
    'coco-stuff',
    [4, 2],
    15,
    [
      ['sky', 'plant'],
      ['plant', VOID],
    ],
  ],
  [
    'COCO-Things, panoptic',
    made.cocoThings,
    'coco-things',
    [4, 2],
    12,
    [
      ['person', 'animal'],
      ['animal', VOID],
    ],
  ],
  [
    'COCO-Things, converted',
    made.convertedThings,
    'coco-things',
    [4, 2],
    12,
    [
      ['person', 'animal'],
      ['animal', VOID],
    ],
  ],
  [
    'Cityscapes',
    made.cityscapes,
    'cityscapes',
    [4, 2],
    19,
    [
      ['road', 'car'],
      ['car', VOID],
    ],
  ],
  [
    'Cityscapes, train ids',
    () => made.cityscapes('labelTrainIds'),
    'cityscapes',
    [4, 2],
    19,
    [
      ['road', 'car'],
      ['car', VOID],
    ],
  ],
];

/** Names of the classes of the two halves of the first pictures, as they would be scored. */
async function halvesOf(set: ImageSet, pictures: number): Promise<[string, string][]> {
  const { set: used, masks } = await surveyMasks(set, 8, {});
  const name = (c: number): string => (c === used.ignore ? VOID : used.classes[c]!);
  return Array.from({ length: pictures }, (_, index) => {
    const row = masks([index]).masks.subarray(4 * 8, 5 * 8);
    return [name(row[2]!), name(row[5]!)];
  });
}

describe.each(LAYOUTS)('%s', (name, files, dataset, lengths, classes, halves) => {
  const forms: Record<string, (at: string, all: Files) => Promise<string>> = {
    folder: made.asFolder,
    tar: (at, all) => made.asTar(`${at}.tar`, all),
    ...(/Segmentation|panoptic|pairs/.test(name) && { tars: made.asTars }),
  };
  test.each(Object.entries(forms))('as %s: parts, classes and what values mean', async (_, write) => {
    const spec = await write(place(), await files());
    expect(await isSegmentationData(spec)).toBe(true);
    const { train, test: val } = await openSegmentationSets(spec);
    expect(train.dataset).toMatch(dataset);
    expect([train.length, val.length, train.classes.length]).toEqual([...lengths, classes]);
    expect(await halvesOf(train, halves.length)).toEqual(halves);
    expect((await val.read(0)).width).toBe(made.SIDE);
  });
});

test('ADE20K: names come from objectInfo150.txt where it lies there and can be right', async () => {
  const files = await made.ade();
  const rows = Array.from({ length: 150 }, (_, i) => `${i + 1}\t0.01\t10\t2\tname ${i % 149}, other ${i}`);
  const info = (lines: readonly string[]) => ({
    'ADEChallengeData2016/objectInfo150.txt': ['Idx\tRatio\tName', ...lines].join('\n'),
  });
  const { train } = await openSegmentationSets(await made.asFolder(place(), { ...files, ...info(rows) }));
  expect([train.classes[0], train.classes[2], train.classes[150]]).toEqual([
    'unlabelled',
    'name 1',
    'name 0, other 149',
  ]);
  const damaged = await openSegmentationSets(await made.asFolder(place(), { ...files, ...info(rows.slice(1)) }));
  expect([damaged.train.classes[2], damaged.train.notes[0]]).toEqual([
    'building',
    'objectInfo150.txt does not name classes 1 to 150 in order, one a line; their published names are used',
  ]);
  expect(new Set(damaged.train.classes).size).toBe(151);
});

describe('COCO', () => {
  const PANOPTIC = 'annotations/panoptic_train2017.json';
  interface Annotations {
    annotations: { file_name: string; segments_info: { id: number; category_id: number }[] }[];
  }
  /** Panoptic files of which the JSON of train was changed. */
  async function lying(change: (json: Annotations) => unknown): Promise<string> {
    const files = await made.cocoThings();
    const json = JSON.parse(files[PANOPTIC] as string) as Annotations;
    change(json);
    return made.asFolder(place(), { ...files, [PANOPTIC]: JSON.stringify(json) });
  }

  test('classes are those of the release: 91 categories of stuff in 15, 80 of things in 12', () => {
    const scored = (kind: 'stuff' | 'things') => [...cocoValues(kind).values()].filter((c) => c >= 0);
    expect([scored('stuff').length, new Set(scored('stuff')).size, cocoClasses('stuff').length]).toEqual([91, 15, 15]);
    expect([scored('things').length, new Set(scored('things')).size, cocoClasses('things').length]).toEqual([
      80, 12, 12,
    ]);
    expect(cocoClasses('things')).toEqual([...cocoClasses('things')].sort());
    expect(cocoClasses('stuff')).toEqual([...cocoClasses('stuff')].sort());
  });

  test('a JSON that lies is refused or costs its picture', async () => {
    await expect(
      openSegmentationSets(
        await lying((json) => Object.assign(json, { categories: made.panopticCategories().slice(1) })),
      ),
    ).rejects.toThrow(/panoptic_train2017.json lacks categories of the 2017 release, e.g. 1;/);
    const moved = made
      .panopticCategories()
      .map((category) => (category.id === 18 ? { ...category, supercategory: 'vehicle' } : category));
    await expect(
      openSegmentationSets(await lying((json) => Object.assign(json, { categories: moved }))),
    ).rejects.toThrow(/category 18 as "vehicle", which is animal of the 12 classes of COCO-Things/);
    await expect(
      openSegmentationSets(
        await lying(({ annotations }) => Object.assign(annotations[1]!.segments_info[0]!, { id: 2 ** 24 })),
      ),
    ).rejects.toThrow(/annotation 1 \(000000000025.png\): segment 0 is .*16777216/);
    await expect(
      openSegmentationSets(await lying(({ annotations }) => annotations.push(annotations[0]!))),
    ).rejects.toThrow(/two annotations of 000000000009.png/);
    const { train } = await openSegmentationSets(await lying(({ annotations }) => annotations.splice(2, 1)));
    expect([train.length, train.unmasked!.named]).toEqual([3, [`000000000041.jpg (not in ${PANOPTIC})`]]);
    const other = await openSegmentationSets(await lying(({ annotations }) => annotations[0]!.segments_info.pop()));
    await expect(surveyMasks(other.train, 8, {})).rejects.toThrow(/has segment 74662, of which .* does not tell/);
  });

  test('masks that are numbered from 0, as those of stuffthingmaps, are no masks of categories', async () => {
    const files = { ...(await made.convertedThings()) };
    files['annotations/train2017/000000000009.png'] = maskPng(made.halves(0, 12), made.SIDE, { colour: 0, depth: 8 });
    const { train } = await openSegmentationSets(await made.asFolder(place(), files));
    await expect(surveyMasks(train, 8, {})).rejects.toThrow(/mean none of its 12 classes.*: 12 \(/);
  });

  test('stuff and things in one folder: --dataset says which', async () => {
    const root = await made.asFolder(place(), { ...(await made.cocoStuff()), ...(await made.convertedThings()) });
    await expect(openSegmentationSets(root)).rejects.toThrow(/--dataset coco-stuff or --dataset coco-things/);
    expect((await openSegmentationSets(root, { name: 'coco-stuff' })).train.classes.length).toBe(15);
    expect((await openSegmentationSets(root, { name: 'coco-things' })).train.classes.length).toBe(12);
  });

  test('val alone can be clustered, not learnt from', async () => {
    const files = Object.fromEntries(
      Object.entries(await made.cocoThings()).filter(([path]) => !path.includes('train2017')),
    );
    const { train, test: val } = await openSegmentationSets(await made.asFolder(place(), files));
    expect(val.length).toBe(2);
    await expect(surveyMasks(train, 8, {})).rejects.toThrow(
      /coco-things has no pictures of train with masks: there is no images\/train2017/,
    );
  });

  test('a share of train is drawn, the same every time, and under the protocol a tenth', async () => {
    const root = await made.asFolder(place(), await made.cocoStuff());
    const draw = async (options: OpenSegmentationOptions) => (await openSegmentationSets(root, options)).train;
    const [first, again] = [await draw({ trainShare: 0.5 }), await draw({ trainShare: 0.5 })];
    const keys = (set: ImageSet) => Array.from({ length: set.length }, (_, i) => set.key(i));
    expect([first.length, first.total, keys(again)]).toEqual([2, 4, keys(first)]);
    expect(first.notes.at(-1)).toBe(
      '2 of 4 pictures of coco-stuff train2017 are drawn for training: a share of 0.5 (seed 0)',
    );
    const paper = await draw({ protocol: 'paper' });
    expect([paper.length, paper.notes.at(-1)]).toEqual([1, expect.stringMatching(/a share of 0.1 \(seed 0\)$/)]);
    const whole = await draw({ protocol: 'paper', trainShare: 1 });
    expect([whole.length, whole.notes.at(-1)]).toEqual([
      4,
      expect.stringMatching(/^train is all of .*--train-share 0.1/),
    ]);
  });

  test('categories of stuff are compared with those of the release', async () => {
    const files = { ...(await made.cocoStuff()) };
    const file = 'annotations/stuff_annotations/stuff_val2017.json';
    const moved = made.stuffCategories().map((each) => (each.id === 106 ? { ...each, supercategory: 'water' } : each));
    files[file] = JSON.stringify({ annotations: [], categories: moved });
    const root = await made.asFolder(place(), files);
    await expect(openSegmentationSets(root)).rejects.toThrow(
      /category 106 as "water", which is sky of the 15 classes of COCO-Stuff/,
    );
    await rm(join(root, file));
    expect((await openSegmentationSets(root)).test.notes[0]).toMatch(
      /there is no stuff_val2017.json to compare them with/,
    );
    await writeFile(join(root, file), files[file].slice(0, -9));
    await expect(openSegmentationSets(root)).rejects.toThrow(/stuff_val2017.json/);
  });
});

test.each([
  ['VOC', () => made.devkit(false), 'VOCdevkit/VOC2012/SegmentationClass/2007_000001.png', 21, 21],
  ['ADE20K', made.ade, 'ADEChallengeData2016/annotations/training/ADE_train_00000002.png', 151, 151],
  ['COCO-Stuff', made.cocoStuff, 'annotations/stuff_annotations/stuff_train2017_pixelmaps/000000000025.png', 91, 15],
  ['Cityscapes', made.cityscapes, 'gtFine/train/aachen/aachen_000001_000019_gtFine_labelIds.png', 34, 19],
] as const)('%s: a value that nothing has is refused', async (_, files, mask, value, classes) => {
  const wrong = maskPng(made.halves(value, value), made.SIDE, { colour: 0, depth: 8 });
  const { train } = await openSegmentationSets(await made.asFolder(place(), { ...(await files()), [mask]: wrong }));
  await expect(surveyMasks(train, 8, {})).rejects.toThrow(`mean none of its ${classes} classes`);
  await expect(surveyMasks(train, 8, {})).rejects.toThrow(`${value} (`);
});

test('several data sets in one folder are refused with their places, lists that say nothing too', async () => {
  const root = place();
  await made.asFolder(join(root, 'a'), await made.pairs());
  await made.asFolder(join(root, 'b'), await made.pairs());
  await expect(openSegmentationSets(root)).rejects.toThrow(/pairs in a, pairs in b; give the folder of one of them/);
  await expect(openSegmentationSets(join(root, 'a'), { trainList: 'train' })).rejects.toThrow(
    /--train-list says nothing about train\/images/,
  );
});
