import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../../../packages/data/test/archives';
import { below, type Files, without, writeFiles } from '../../test/file-trees';
import { pictureOf, writeAt } from '../../test/mask-files';
import { pairAnnotation, spairFiles } from '../../test/pair-files';
import { temporaryFolder } from '../../test/tiny-model';
import { isPairData, openPairs } from './pair-layouts';
import { type PairSet, spreadPairs } from './pair-set';

let folder: string;
let spair: Files;
beforeAll(async () => {
  folder = await temporaryFolder();
  spair = await spairFiles();
});
afterAll(() => rm(folder, { recursive: true }));

const written = (name: string, files: Files): Promise<string> => writeFiles(join(folder, name), files);

/** Everything but the pictures' versions. */
const contentOf = async ({ pairs, classes, total, pictures }: PairSet) => ({
  pairs,
  classes,
  total,
  split: pictures.split,
  notes: pictures.notes,
  keys: Array.from({ length: pictures.length }, (_, i) => pictures.key(i)),
  first: await pictures.read(0),
});

describe('SPair-71k', () => {
  test('gives pairs in the order of their names, with the points that both pictures have', async () => {
    const { pairs, pictures, classes, total } = await openPairs(await written('plain', spair));
    expect([classes, total, pictures.dataset, pictures.split]).toEqual([['cat', 'cow'], 3, 'plain', 'test']);
    expect(pairs.map(({ name, category, viewpoint }) => [name, category, viewpoint])).toEqual([
      ['000001-a-b:cat', 0, 0],
      ['000002-b-a:cat', 0, 2],
      ['000003-c-d:cow', 1, 0],
    ]);
    expect(pairs[0]).toMatchObject({
      points: [
        { name: '1', source: [10, 3], target: [2, 2] },
        { name: '2', source: [4, 7], target: [9, 5] },
      ],
      sourceSize: [12, 8],
      targetSize: [12, 8],
      targetBox: [1, 1, 11, 7],
    });
    expect(pairs.map(({ source, target }) => [source, target].map(pictures.key))).toEqual([
      ['JPEGImages/cat/a.jpg', 'JPEGImages/cat/b.jpg'],
      ['JPEGImages/cat/b.jpg', 'JPEGImages/cat/a.jpg'],
      ['JPEGImages/cow/c.jpg', 'JPEGImages/cow/d.jpg'],
    ]);
    expect(await pictures.read(3)).toMatchObject({ width: 12, height: 8 });
  });

  test('is the same as the folder itself, as the one above it, in a tar and in a folder with the tar', async () => {
    const inside = below('SPair-71k', spair);
    const above = await written('above', inside);
    const tar = Buffer.from(await tarOf(inside));
    await writeAt(join(folder, 'tarred/SPair-71k.tar'), tar);
    await writeFile(join(folder, 'SPair-71k.tar'), tar);
    const all = [above, join(above, 'SPair-71k'), join(folder, 'SPair-71k.tar'), join(folder, 'tarred')];
    const sets = await Promise.all(all.map((spec) => openPairs(spec)));
    for (const set of sets) {
      expect(set.pictures.dataset).toBe('spair-71k');
      expect(await contentOf(set)).toEqual(await contentOf(sets[0]!));
    }
    expect(all.map(isPairData)).toEqual([true, true, false, false]);
  });

  test('has other parts by their names', async () => {
    const root = await written('parts', {
      ...spair,
      'PairAnnotation/val/000009-d-c:cow.json': pairAnnotation(9, {
        source: 'd',
        target: 'c',
        category: 'cow',
        viewpoint: 1,
      })[1],
    });
    expect((await openPairs(root, { split: 'val' })).pairs.map(({ name }) => name)).toEqual(['000009-d-c:cow']);
    await expect(openPairs(root, { split: 'train' })).rejects.toThrow(
      /no pairs in PairAnnotation\/train; --split is one of test, val/,
    );
  });

  test('points outside their pictures are left out, and pairs without any stay; both are told', async () => {
    const root = await written('outside', {
      ...spair,
      'ImageAnnotation/cow/c.json': JSON.stringify({ kps: { '0': [5, 8.5] } }),
    });
    const { pairs, pictures } = await openPairs(root);
    expect(pairs[2]!.points).toEqual([]);
    expect(pictures.notes).toEqual([
      '1 key points lie outside their pictures and are left out: 0 of 000003-c-d:cow',
      '1 pairs have no key point that is seen in both pictures: 000003-c-d:cow',
    ]);
  });

  test('few missing or damaged pictures leave with their pairs, many are refused', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) =>
        pairAnnotation(10 + i, { source: 'a', target: 'b', category: 'cat', viewpoint: 1 }),
      ),
    );
    const { pairs, total, pictures } = await openPairs(
      await written('few', { ...spair, ...many, 'JPEGImages/cow/d.jpg': 'no picture' }),
    );
    expect([pairs.length, total, pictures.length]).toEqual([22, 23, 3]);
    expect(pictures.notes).toEqual([
      '1 pairs are left out, as a picture of theirs is missing or cannot be read: 000003-c-d:cow',
    ]);
    const [path, body] = pairAnnotation(
      3,
      { source: 'c', target: 'd', category: 'cow', viewpoint: 0 },
      { trg_imsize: [8, 12, 3] },
    );
    const turned = await openPairs(await written('turned', { ...spair, ...many, [path]: body }));
    expect(turned.pictures.notes).toEqual([
      '1 pairs are left out, as their annotation states another size than a picture of theirs has: 000003-c-d:cow',
    ]);
    const fewer = await written('fewer', without(spair, 'JPEGImages/cow/c.jpg'));
    await expect(openPairs(fewer)).rejects.toThrow(
      /1 of 3 pairs of .*fewer cannot be used: JPEGImages\/cow\/c.jpg is missing/,
    );
  });

  const cow = { source: 'c', target: 'd', category: 'cow', viewpoint: 0 };
  test.each<[string, object, RegExp]>([
    [
      'another size',
      { trg_imsize: [24, 16, 3] },
      /1 of 3 pairs .*: JPEGImages\/cow\/d.jpg is 12 x 8, its annotation says 24 x 16/,
    ],
    ['no box', { trg_bndbox: null }, /000003-c-d:cow.json: trg_bndbox is missing; it must be 4 numbers/],
    ['a box without extent', { trg_bndbox: [3, 3, 3, 9] }, /trg_bndbox is \[3,3,3,9\]; it must be a box/],
    ['a viewpoint of its own', { viewpoint_variation: 3 }, /viewpoint_variation is 3; it must be 0, 1 or 2/],
    ['a path for a category', { category: '../cow' }, /category is "..\/cow"; it must be a name without folders/],
    ['no picture', { src_imname: 7 }, /src_imname is 7; it must be a text/],
  ])('with %s is refused, and the file named', async (what, change, message) => {
    const [path, body] = pairAnnotation(3, cow, change);
    await expect(openPairs(await written(what, { ...spair, [path]: body }))).rejects.toThrow(message);
  });

  test.each<[string, Files, RegExp]>([
    ['broken JSON', { 'ImageAnnotation/cow/c.json': '{"kps"' }, /ImageAnnotation\/cow\/c.json is no JSON/],
    ['a list for an object', { 'ImageAnnotation/cow/c.json': '[1]' }, /c.json is \[1\]; it must be an object/],
    ['half a point', { 'ImageAnnotation/cow/c.json': '{"kps":{"0":[1]}}' }, /kps: 0 is \[1\]; it must be 2 numbers/],
  ])('with %s is refused, and the file named', async (what, files, message) => {
    await expect(openPairs(await written(what, { ...spair, ...files }))).rejects.toThrow(message);
  });

  test('a picture without annotation, two sets at once, an archive that is packed, and no pairs at all are told apart', async () => {
    const bare = await written('bare', without(spair, 'ImageAnnotation/cow/d.json'));
    await expect(openPairs(bare)).rejects.toThrow(
      /000003-c-d:cow.json is of a picture without a file in ImageAnnotation/,
    );
    const two = await written('two', { ...below('x', spair), ...below('y', spair) });
    await expect(openPairs(two)).rejects.toThrow(/several sets of pairs: x, y; name one/);
    const packed = await written('packed', { 'SPair-71k.tar.gz': 'x', 'readme.jpg': 'x' });
    await expect(openPairs(packed)).rejects.toThrow(/has no pairs; unpack SPair-71k.tar.gz first, or give SPair-71k/);
    const none = await written('none', { 'a.jpg': 'x' });
    await expect(openPairs(none)).rejects.toThrow(/has no pairs; give SPair-71k/);
    expect(isPairData(none)).toBe(false);
  });
});

describe('a folder of own pairs', () => {
  const own = async (...pairs: object[]): Promise<Files> => ({
    'pairs.json': JSON.stringify({ pairs }),
    'one.png': await pictureOf(Array(50).fill(0), 10, 0),
    'more/two.png': await pictureOf(Array(80).fill(0), 8, 1),
  });
  const points = [{ name: 'ear', source: [1, 2], target: [3.5, 9] }];
  const least = { source: 'one.png', target: 'more/two.png', points };

  test('needs pictures and points; name, category, viewpoint and box may be there', async () => {
    const whole = { ...least, name: 'a b', category: 'cat', viewpoint: 1, box: [0, 0, 4, 9] };
    const { pairs, pictures, classes } = await openPairs(await written('own', await own(least, whole)));
    expect([classes, pictures.split, pictures.dataset]).toEqual([['all', 'cat'], 'all', 'own']);
    expect(pairs).toEqual([
      expect.objectContaining({ name: 'a b', category: 1, viewpoint: 1, points, targetBox: [0, 0, 4, 9] }),
      expect.objectContaining({
        name: 'one.png-more/two.png',
        category: 0,
        viewpoint: undefined,
        sourceSize: [10, 5],
        targetSize: [8, 10],
        targetBox: [0, 0, 8, 10],
      }),
    ]);
    expect(pictures.notes).toEqual([
      '1 pairs have no box: errors are measured by the longer side of their target picture: one.png-more/two.png',
    ]);
    expect(isPairData(join(folder, 'own'))).toBe(true);
  });

  test.each<[string, object[], RegExp]>([
    ['no points', [{ source: 'one.png', target: 'more/two.png' }], /pairs\[0\]: points is missing; it must be a list/],
    ['a name twice', [least, least], /two pairs named one.png-more\/two.png; name them apart/],
    ['a name of two lines', [{ ...least, name: 'a\nb' }], /name has more than one line/],
    [
      'a picture elsewhere',
      [{ ...least, source: '../one.png' }],
      /1 of 1 pairs .* cannot be used: \.\.\/one.png is missing/,
    ],
    ['no pair', [], /lists no pair/],
  ])('with %s is refused', async (what, pairs, message) => {
    await expect(openPairs(await written(`own ${what}`, await own(...pairs)))).rejects.toThrow(message);
  });
});

test('the generated world has pairs of its validation part; too small a one has none', async () => {
  const set = await openPairs('world:length=60:size=40:classes=4');
  expect(set.pairs.length).toBeGreaterThan(20);
  expect(new Set(set.pairs.map(({ name }) => name)).size).toBe(set.pairs.length);
  for (const { targetSize, points } of set.pairs) {
    expect(targetSize).toEqual([40, 40]);
    expect(points.length).toBeGreaterThanOrEqual(3);
  }
  await expect(openPairs('world:length=2:classes=2')).rejects.toThrow(/has no two pictures of a class/);
});

test('a limit takes pairs that are evenly spaced, and says so', async () => {
  const set = await openPairs(await written('spread', spair));
  const few = spreadPairs(set, 2);
  expect(few.pairs.map(({ name }) => name)).toEqual(['000001-a-b:cat', '000002-b-a:cat']);
  expect([few.total, few.pictures.notes]).toEqual([3, ['2 of 3 pairs are used, evenly spaced']]);
  expect(spreadPairs(set, 3)).toBe(set);
});
