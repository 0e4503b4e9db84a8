/** Features as others write them: opened, and refused where they cannot be right. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TensorEntry, type TextEntry, writeNpy, writeNpz, writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/tiny-model';
import type { ImageSet } from '../../image-sets/image-set';
import type { FeatureFile } from './feature-file';
import { rowFinder } from './feature-rows';
import { featureSets } from './feature-sets';
import { openFeatureFile, openFeatures } from './find-features';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const CLS: TensorEntry = { name: 'cls', dtype: 'f32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const i32 = (name: string, ...values: number[]): TensorEntry => ({
  name,
  dtype: 'i32',
  shape: [values.length],
  data: Int32Array.from(values),
});

async function npz(...entries: readonly (TensorEntry | TextEntry)[]): Promise<string> {
  const path = join(folder, `${made++}.npz`);
  await writeNpz(path, entries);
  return path;
}
let made = 0;

describe('a file', () => {
  test('that NumPy wrote', async () => {
    const path = fileURLToPath(new URL('../../../../../fixtures/npz/plain.npz', import.meta.url));
    await using file = await openFeatureFile(path);
    expect([file.rows, file.dim, [...file.has], file.names, file.labelled]).toEqual([
      2,
      3,
      ['cls'],
      ['a/1.jpg', 'ü/2.jpg'],
      { classes: ['7'], labels: Int32Array.of(0, -1) },
    ]);
    expect([...(await file.read('cls', 1, 2))]).toEqual([3, 4.25, -5]);
    expect([file.said.model, file.said.preprocessing]).toEqual(['a model', undefined]);
  });

  test.each([
    ['numbers', [i32('labels', 10, 2, -1)], ['2', '10'], [1, 0, -1]],
    ['places in a list', [i32('y', 1, 0, -1), { name: 'classes', texts: ['dog', 'cat'] }], ['dog', 'cat'], [1, 0, -1]],
    ['names', [{ name: 'labels', texts: ['b', 'a', 'b'] }], ['a', 'b'], [1, 0, 1]],
  ] as const)('with labels that are %s', async (_, more, classes, labels) => {
    await using file = await openFeatureFile(await npz({ ...CLS, name: 'features' }, ...more));
    expect(file.labelled).toEqual({ classes, labels: Int32Array.from(labels) });
  });

  test('of patches in rows and columns or one after the other', async () => {
    const data = Float32Array.from({ length: 16 }, (_, i) => i);
    for (const shape of [
      [2, 2, 2, 2],
      [2, 4, 2],
    ]) {
      await using file = await openFeatureFile(await npz({ name: 'patches', dtype: 'f32', shape, data }));
      expect([file.grid, file.rows, [...(await file.read('patches', 1, 2))]]).toEqual([[2, 2], 2, [...data.slice(8)]]);
    }
  });

  test.each<[string, readonly (TensorEntry | TextEntry)[], RegExp]>([
    [
      'without features',
      [i32('labels', 1)],
      /holds no features; expected is one of cls, features, .*; it has labels \[1\]/,
    ],
    ['of one dimension', [{ ...CLS, shape: [6] }], /cls of the shape \[6\]; it should be \[images, numbers\]/],
    ['of other images', [CLS, { ...CLS, name: 'patch_mean', shape: [2, 3] }], /3 rows of cls and 2 of patch_mean/],
    ['of no image', [{ ...CLS, shape: [0, 2], data: new Float32Array(0) }], /features of no image/],
    ['with a name twice', [CLS, { name: 'images', texts: ['a', 'b', 'a'] }], /names a twice, in rows 0 and 2/],
    ['with too few names', [CLS, { name: 'images', texts: ['a'] }], /3 rows and 1 names/],
    ['with too few labels', [CLS, i32('labels', 1)], /3 rows of features and 1 labels/],
    [
      'with half a label',
      [CLS, { ...i32('labels'), dtype: 'f32', shape: [3], data: Float32Array.of(0, 0.5, 1) }],
      /the label 0\.5 in row 1/,
    ],
    [
      'with a place beyond the list',
      [CLS, i32('labels', 0, 1, 2), { name: 'classes', texts: ['a', 'b'] }],
      /the label 2 in row 2; .* from 0 to 1/,
    ],
    ['with patches and a CLS', [{ ...CLS, name: 'patches', shape: [1, 3, 2] }], /of a square, without CLS/],
  ])('%s is refused', async (_, entries, message) => {
    await expect(openFeatureFile(await npz(...entries))).rejects.toThrow(message);
  });

  test('with what is no number is refused where it is read', async () => {
    const data = Float32Array.of(1, 2, 3, Number.NaN, 5, 6);
    await using file = await openFeatureFile(await npz({ ...CLS, data }, { name: 'images', texts: ['a', 'b', 'c'] }));
    await expect(file.read('cls', 0, 3)).rejects.toThrow(/cls of b has NaN, which is no finite number/);
    expect([...(await file.read('cls', 2, 3))]).toEqual([5, 6]);
  });

  test('with pickled objects is refused', async () => {
    const path = fileURLToPath(new URL('../../../../../fixtures/npz/objects.npy', import.meta.url));
    await expect(openFeatureFile(path)).rejects.toThrow(/Python objects, which are pickled/);
  });

  test('.npy has what is known in a JSON beside it', async () => {
    const path = join(folder, 'alone.npy');
    await writeNpy(path, CLS);
    await using bare = await openFeatureFile(path);
    expect([bare.names, bare.labelled]).toEqual([undefined, undefined]);
    await writeFile(
      join(folder, 'alone.json'),
      '{"labels": ["x", null, "y"], "images": ["1", "2", "3"], "model": "m"}',
    );
    await using known = await openFeatureFile(path);
    expect([known.names, known.labelled?.labels, known.said.model]).toEqual([
      ['1', '2', '3'],
      Int32Array.of(0, -1, 1),
      'm',
    ]);
    expect(known.hash).not.toBe(bare.hash);
    await writeFile(join(folder, 'alone.json'), 'no');
    await expect(openFeatureFile(path)).rejects.toThrow(/alone\.json is no JSON/);
  });
});

describe('which files are meant', () => {
  test('two by name, or a folder; weights are none', async () => {
    const [a, b] = [await npz(CLS), await npz({ ...CLS, data: new Float32Array(6) })];
    await using two = await openFeatures(`${a},${b}`);
    expect(two?.files.map(({ path }) => path)).toEqual([a, b]);
    const weights = join(folder, 'weights.safetensors');
    await writeSafetensors(weights, [{ ...CLS, name: 'cls_token' }]);
    expect([await openFeatures(weights), await openFeatures(folder), await openFeatures('hf://a/b')]).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    for (const name of ['train', 'val'])
      await writeNpy(join(folder, `${name}.npy`), {
        ...CLS,
        shape: [name === 'val' ? 2 : 3, 2],
        data: new Float32Array(name === 'val' ? 4 : 6),
      });
    await using inFolder = await openFeatures(folder);
    expect(inFolder?.files.map(({ rows }) => rows)).toEqual([3, 2]);
    await expect(openFeatures(`${a},none.npz`)).rejects.toThrow(/none\.npz does not exist/);
    await expect(openFeatures(`${a},${a}`)).rejects.toThrow(/they are the same file/);
    const wide = await npz({ ...CLS, shape: [2, 3] });
    await expect(openFeatures(`${a},${wide}`)).rejects.toThrow(/2 and 3 numbers a row/);
  });
});

describe('rows of images', () => {
  const fileOf = (path: string, rows: number, names?: readonly string[]): FeatureFile =>
    ({ path, rows, names }) as Partial<FeatureFile> as FeatureFile;
  const setOf = (split: string, ...keys: string[]): ImageSet =>
    ({ dataset: 'd', split, length: keys.length, key: (i: number) => keys[i]! }) as Partial<ImageSet> as ImageSet;

  test('by name, in any order, with some missing', () => {
    const find = rowFinder([fileOf('f', 3, ['c', 'a', 'b'])]);
    expect(find(setOf('val', 'a', 'x', 'c'))).toMatchObject({ rows: Int32Array.of(1, -1, 0), note: undefined });
    expect(() => find(setOf('train', 'b', 'a'))).toThrow(/row 1 would be a of d train and an image of another part/);
    expect(() => find(setOf('val', 'y'))).toThrow(/none of its 1 images, e\.g\. y, is in f, 3 rows, e\.g\. c/);
  });

  test('by the names of files alone where these are unique, which is told', () => {
    const { rows, note } = rowFinder([fileOf('f', 2, ['/data/b/2.png', '/data/a/1.png'])])(
      setOf('val', 'a/1.jpg', 'b/2.jpg'),
    );
    expect([[...rows], note]).toEqual([[1, 0], expect.stringMatching(/by the names of files alone/)]);
    const same = fileOf('f', 2, ['/a/1.png', '/b/1.png']);
    expect(() => rowFinder([same])(setOf('val', 'c/1.jpg', 'd/2.jpg'))).toThrow(/there are no features/);
  });

  test('by order where nothing is named, which is told; a choice of the same images too', () => {
    const find = rowFinder([fileOf('f', 3)]);
    expect(() => find(setOf('val', 'a', 'b'))).toThrow(/in f, 3 rows without names/);
    const whole = find(setOf('val', 'a', 'b', 'c'));
    expect([[...whole.rows], whole.note]).toEqual([[0, 1, 2], expect.stringMatching(/names no images: its 3 rows/)]);
    expect([...find(setOf('val', 'c', 'a')).rows]).toEqual([2, 0]);
  });

  test('of several files the first is for training', () => {
    const find = rowFinder([fileOf('f', 1, ['a']), fileOf('g', 1, ['a']), fileOf('h', 1, ['z'])]);
    expect(['train', 'val'].map((split) => find(setOf(split, 'a')).file.path)).toEqual(['f', 'g']);
    expect(find(setOf('all', 'z')).file.path).toBe('h');
  });
});

test('files as a data set: classes are matched by name', async () => {
  const train = await npz(CLS, { name: 'labels', texts: ['b', 'a', 'b'] });
  const tested = await npz({ ...CLS, data: new Float32Array(6) }, { name: 'labels', texts: ['c', 'b', 'a'] });
  await using features = await openFeatures(`${train},${tested}`);
  const { train: learnt, test: asked } = featureSets(features!.files);
  expect([learnt.classes, [0, 1, 2].map(learnt.label), [0, 1, 2].map(asked.label)]).toEqual([
    ['a', 'b'],
    [1, 0, 1],
    [-1, 1, 0],
  ]);
  expect(asked.notes.join()).toMatch(/1 of 3 images of the test part are of 1 class without training images/);
  await expect(learnt.read(0)).rejects.toThrow(/holds features and no pictures/);
  expect(() => featureSets(features!.files.slice(1))).toThrow(/there are to be two files/);
});
