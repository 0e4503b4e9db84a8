import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../../../packages/data/test/archives';
import type { Files } from '../../test/file-trees';
import { pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder } from '../../test/tiny-model';
import { type BoxSet, chosenBoxes, isBoxData, openBoxSet } from './box-set';

let folder: string;
let picture: Buffer;
beforeAll(async () => {
  folder = await temporaryFolder();
  // 3 x 2 pixels
  picture = await pictureOf([0, 1, 1, 0, 1, 0], 3, 0);
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, files: Files): Promise<string> {
  const root = join(folder, name);
  for (const [path, body] of Object.entries(files)) await writeAt(join(root, path), body);
  return root;
}

async function archived(name: string, files: Files): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, await tarOf(files));
  return path;
}

const boxesOf = (set: BoxSet): Record<string, readonly (readonly number[])[]> =>
  Object.fromEntries(Array.from({ length: set.length }, (_, i) => [set.key(i), set.boxes(i)]));

interface Marked {
  readonly corners: readonly [number | string, number | string, number | string, number | string];
  readonly hard?: 'difficult' | 'truncated';
}

const objectXml = ({ corners: [xmin, ymin, xmax, ymax], hard }: Marked): string =>
  `<object><name>cow</name><truncated>${hard === 'truncated' ? 1 : 0}</truncated><difficult>${hard === 'difficult' ? 1 : 0}</difficult>` +
  `<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>` +
  // parts of bodies have boxes too, which are none of objects
  '<part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part></object>';

const xml = (id: string, ...objects: readonly Marked[]): string =>
  `<annotation><folder>VOC2012</folder><filename>${id}.jpg</filename><size><width>3</width><height>2</height><depth>3</depth></size>` +
  `${objects.map(objectXml).join('')}</annotation>\n`;

/** A year as it unpacks. */
const voc = (
  year: number,
  annotations: Readonly<Record<string, string>>,
  list?: string,
): Record<string, string | Buffer> => {
  const root = `VOCdevkit/VOC${year}`;
  const ids = Object.keys(annotations);
  return {
    [`${root}/ImageSets/Main/trainval.txt`]: list ?? `${ids.join('\n')}\n`,
    ...Object.fromEntries(ids.map((id) => [`${root}/JPEGImages/${id}.jpg`, picture])),
    ...Object.fromEntries(ids.map((id) => [`${root}/Annotations/${id}.xml`, annotations[id]!])),
  };
};

describe('PASCAL VOC', () => {
  const annotations = () => ({
    a: xml('a', { corners: [1, 1, 3, 2] }, { corners: [2, 1, 2, 1], hard: 'difficult' }),
    b: xml('b', { corners: [2, 2, 3, 2], hard: 'truncated' }),
    c: xml('c'),
  });
  const expected = {
    'a.jpg': [
      [0, 0, 3, 2],
      [1, 0, 2, 1],
    ],
    'b.jpg': [[1, 1, 3, 2]],
  };

  test('wherever one stands in it, and in a tar, it is the same: half-open boxes from 0', async () => {
    const root = await written('devkit', voc(2012, annotations()));
    const tar = await archived('devkit.tar', voc(2012, annotations()));
    const inside = [root, join(root, 'VOCdevkit'), join(root, 'VOCdevkit/VOC2012'), join(root, 'VOCdevkit/VOC2012/')];
    for (const spec of [...inside, tar]) {
      const set = await openBoxSet(spec);
      expect(boxesOf(set), spec).toEqual(expected);
      expect([set.dataset, set.split, set.length, set.total], spec).toEqual(['voc-2012', 'trainval', 2, 2]);
      expect(set.notes, spec).toEqual(['1 of 3 pictures of trainval have no box and are not counted']);
      expect(await set.size(1)).toEqual({ width: 3, height: 2 });
      expect(await set.read(1)).toMatchObject({ width: 3, height: 2 });
    }
    expect(await Promise.all(inside.slice(0, 3).map(isBoxData))).toEqual([true, true, true]);
  });

  test('without hard objects, pictures that have no other are not counted', async () => {
    const root = await written('hard', voc(2007, annotations()));
    const set = await openBoxSet(root, { hard: false });
    expect(boxesOf(set)).toEqual({ 'a.jpg': [[0, 0, 3, 2]] });
    expect(set.notes).toEqual([
      '2 truncated or difficult objects are left out',
      '2 of 3 pictures of trainval have no box and are not counted',
    ]);
  });

  test('of two years one is chosen, and another part by its name', async () => {
    const both = { ...voc(2007, { x: xml('x', { corners: [1, 1, 2, 2] }) }), ...voc(2012, annotations()) };
    const root = await written('years', { ...both, 'VOCdevkit/VOC2012/ImageSets/Main/cow_val.txt': 'a -1\nb  1\n' });
    await expect(openBoxSet(root)).rejects.toThrow(/holds VOCdevkit\/VOC2007, VOCdevkit\/VOC2012; say which .*--year/);
    await expect(openBoxSet(root, { year: 2010 })).rejects.toThrow(/has no VOC2010/);
    expect((await openBoxSet(root, { year: 2007 })).dataset).toBe('voc-2007');
    expect(boxesOf(await openBoxSet(root, { year: 2012, part: 'cow_val' }))).toEqual({ 'b.jpg': [[1, 1, 3, 2]] });
    await expect(openBoxSet(root, { year: 2012, part: 'test' })).rejects.toThrow(
      /no ImageSets\/Main\/test.txt.*cow_val/,
    );
    await expect(openBoxSet(root, { year: 2012, list: 'x.txt' })).rejects.toThrow(
      /--list says nothing about PASCAL VOC/,
    );
  });

  test('what cannot be used is named and counts as not evaluated; above a tenth it is refused', async () => {
    const good = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`g${i}`, xml(`g${i}`, { corners: [1, 1, 2, 2] })]),
    );
    const files = voc(2012, { ...good, bad: '<annotation><object></annotation>' });
    delete files['VOCdevkit/VOC2012/JPEGImages/g0.jpg'];
    const list = `${Object.keys(good).join('\n')}\nbad\nbad\ngone\n`;
    const root = await written('damaged', { ...files, 'VOCdevkit/VOC2012/ImageSets/Main/trainval.txt': list });
    const set = await openBoxSet(root);
    expect([set.length, set.total]).toEqual([29, 32]);
    expect(set.notes[0]).toBe('1 names come again in ImageSets/Main/trainval.txt and count once');
    expect(set.notes[1]).toMatch(
      /^3 of 32 pictures of trainval cannot be used and count as not evaluated: bad\.xml \(no XML: .*\), gone\.xml \(missing\), g0 \(no such picture\)$/,
    );
    await writeAt(join(root, 'VOCdevkit/VOC2012/ImageSets/Main/trainval.txt'), 'g1\ng2\nbad\n');
    await expect(openBoxSet(root)).rejects.toThrow(/1 of 3 pictures .* cannot be used: bad\.xml/);
  });

  test.each([
    ['an object without a box', '<annotation><object><name>cow</name></object></annotation>', /object 1 has no box/],
    ['letters for numbers', xml('x', { corners: ['one', 1, 2, 2] }), /object 1 has no box/],
    ['another document', '<html><body/></html>', /no annotation of PASCAL VOC/],
    ['entities', `<!DOCTYPE a [<!ENTITY n "1">]>${xml('x', { corners: ['&n;', 1, 2, 2] })}`, /cannot be used|no box/],
  ])('refuses %s', async (name, text, message) => {
    const root = await written(`odd ${name}`, voc(2012, { x: text }));
    await expect(openBoxSet(root)).rejects.toThrow(message);
  });

  test('fractions of pixels, boxes without a pixel and annotations of another picture are told', async () => {
    const root = await written(
      'odd',
      voc(2012, {
        f: xml('f', { corners: [1.7, 1, 2.9, 2] }),
        e: xml('other', { corners: [1, 1, 2, 2] }, { corners: [3, 1, 1, 2] }),
      }),
    );
    const set = await openBoxSet(root);
    expect(boxesOf(set)).toEqual({ 'f.jpg': [[0, 0, 2, 2]], 'e.jpg': [[0, 0, 2, 2]] });
    expect(set.notes).toEqual([
      '1 boxes have fractions of pixels, which are cut off',
      '1 annotations name another picture than their own file: e.xml',
      '1 pictures have boxes without a pixel, which are left out, e.g. e.jpg',
    ]);
  });
});

describe("COCO's form", () => {
  const image = (id: number) => ({
    id,
    file_name: `COCO_train2014_${String(id).padStart(12, '0')}.jpg`,
    width: 3,
    height: 2,
  });
  const instances = JSON.stringify({
    info: { description: 'brackets ]}, "quotes" and a backslash \\ in text', images: [1] },
    images: [image(9), image(25), image(30)],
    annotations: [
      { image_id: 9, bbox: [0.5, 0.2, 2, 1.4], iscrowd: 0, segmentation: [[1, 2, 3]] },
      { image_id: 9, bbox: [0, 0, 3, 2], iscrowd: 1, segmentation: { counts: [6], size: [2, 3] } },
      { image_id: 30, bbox: [1, 0, 1.5, 1.5], iscrowd: 0 },
      { image_id: 25, bbox: [0, 0, 1, 1], iscrowd: 0 },
    ],
    licenses: [],
  });
  const files = (): Files => ({
    'annotations/instances_train2014.json': instances,
    ...Object.fromEntries([9, 25, 30].map((id) => [`images/train2014/${image(id).file_name}`, picture])),
  });
  const name = (id: number) => image(id).file_name;

  test('boxes are rounded, halves to even, and crowds are left out', async () => {
    for (const spec of [await written('coco', files()), await archived('coco.tar', files())]) {
      const set = await openBoxSet(spec);
      expect(boxesOf(set)).toEqual({
        [name(9)]: [[0, 0, 2, 2]],
        [name(25)]: [[0, 0, 1, 1]],
        [name(30)]: [[1, 0, 2, 2]],
      });
      expect(set.split).toBe('train2014');
      expect(set.notes).toEqual(['1 boxes of crowds in annotations/instances_train2014.json are left out, as in LOST']);
    }
  });

  test('the list of LOST chooses, by the number at the end of a name; so does one that is given', async () => {
    const shipped = 'train2014/COCO_train2014_000000000030.jpg\ntrain2014/COCO_train2014_000000000009.jpg\n';
    const root = await written('coco20k', { ...files(), 'coco_20k_filenames.txt': shipped });
    const set = await openBoxSet(root);
    expect([set.dataset, set.length, set.key(0)]).toEqual(['coco20k', 2, name(30)]);
    expect(set.notes[0]).toMatch(/^2 of the 3 pictures of .* are meant: those of coco_20k_filenames.txt$/);
    await writeAt(join(root, 'mine.txt'), '25\n');
    expect((await openBoxSet(root, { list: join(root, 'mine.txt') })).key(0)).toBe(name(25));
    await writeAt(join(root, 'mine.txt'), 'nothing.jpg\n');
    await expect(openBoxSet(root, { list: join(root, 'mine.txt') })).rejects.toThrow(/names no picture.*nothing\.jpg/);
    await expect(openBoxSet(root, { list: join(root, 'gone.txt') })).rejects.toThrow(
      /gone\.txt cannot be read \(ENOENT\)/,
    );
  });

  test('of several files of annotations one is chosen; damaged ones are refused with their place', async () => {
    const root = await written('two', { ...files(), 'annotations/instances_val2014.json': instances });
    await expect(openBoxSet(root)).rejects.toThrow(/instances_val2014\.json; say which is meant with --annotations/);
    expect((await openBoxSet(root, { annotations: 'annotations/instances_train2014.json' })).length).toBe(3);
    const damaged: Readonly<Record<string, RegExp>> = {
      [instances.slice(0, 200)]: /ends inside its JSON/,
      [instances.replace('"id":25', '"id":"25"')]: /image 1 is .*expected COCO's form/,
      [instances.replace('[0,0,1,1]', '[0,0,1]')]: /bbox of annotation 3 is \[0,0,1\]; a box is four numbers/,
      [instances.replace('"iscrowd":0', 'iscrowd')]: /element 0 of "annotations" is no JSON/,
      'no JSON': /is no JSON object/,
    };
    for (const [text, message] of Object.entries(damaged)) {
      const file = 'annotations/instances_train2014.json';
      await writeAt(join(root, file), text);
      await expect(openBoxSet(root, { annotations: file }), text.slice(0, 40)).rejects.toThrow(message);
    }
  });
});

describe('a file of boxes beside pictures', () => {
  test('boxes.json: paths below the folder; pictures without a box are not counted', async () => {
    const boxes = { 'sub/a.png': [[0, 0, 2.5, 2]], 'b.png': [] };
    const root = await written('own', { 'boxes.json': JSON.stringify(boxes), 'sub/a.png': picture, 'b.png': picture });
    const set = await openBoxSet(root, { name: 'mine' });
    expect([set.dataset, set.split, boxesOf(set)]).toEqual(['mine', 'all', { 'sub/a.png': [[0, 0, 2.5, 2]] }]);
    expect(await set.size(0)).toEqual({ width: 3, height: 2 });
    expect(await isBoxData(root)).toBe(true);
    await expect(openBoxSet(root, { year: 2012 })).rejects.toThrow(/--year says nothing about boxes.json/);
    for (const [text, message] of [
      ['[]', /expected an object with names/],
      ['{"b.png": 3}', /"b\.png" is 3; expected a list/],
      ['{"b.png": [[1, 2, 3, null]]}', /box 0 of b\.png is \[1,2,3,null\]; a box is four numbers/],
      ['{', /is no JSON/],
    ] as const) {
      await writeAt(join(root, 'boxes.json'), text);
      await expect(openBoxSet(root)).rejects.toThrow(message);
    }
  });

  test('annotations.json with objects of pictures by split', async () => {
    const images = { a: { split: 'train', size: [3, 2], objects: [{ species: 'cow', bbox: [0, 0, 2, 1] }] } };
    const root = await written('animals', {
      'annotations.json': JSON.stringify({ images }),
      'train/images/a.jpg': picture,
    });
    expect(boxesOf(await openBoxSet(root))).toEqual({ a: [[0, 0, 2, 1]] });
  });

  test('a folder without boxes is refused, with what would do', async () => {
    const root = await written('bare', { 'a.png': picture });
    expect(await isBoxData(root)).toBe(false);
    await expect(openBoxSet(root)).rejects.toThrow(/has no boxes; give PASCAL VOC .* or "world"/);
  });
});

test('the generated world has the boxes of all its toys, the subject first; a limit spreads', async () => {
  await using set = await openBoxSet('world:length=6:size=32', { limit: 3 });
  expect([set.dataset, set.length, set.total, set.key(1)]).toEqual(['world:length=6:size=32', 3, 6, 'val/2']);
  const [[x0, y0, x1, y1]] = set.boxes(0) as [[number, number, number, number]];
  expect(x1 > x0 && y1 > y0 && x1 <= 32 && y1 <= 32).toBe(true);
  expect(chosenBoxes(set, [2, 0]).boxes(1)).toEqual(set.boxes(0));
});
