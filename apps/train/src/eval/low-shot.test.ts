import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from '@franca/evals';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import type { ImageSet } from '../image-sets/image-set';
import { drawnShots, listedShots, meanOfShots } from './low-shot';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

/** Pictures of these names. */
const setOf = (names: readonly string[]): ImageSet => ({
  dataset: 'letters',
  split: 'train',
  total: names.length,
  length: names.length,
  classes: [],
  ignore: 255,
  notes: [],
  key: (index) => names[index]!,
  label: () => -1,
  read: () => Promise.reject(new Error('not read')),
  version: String,
});

const NAMES = Array.from({ length: 100 }, (_, i) => `p${String(i).padStart(3, '0')}.jpg`);

test('shares of train are drawn by five seeds, the smaller within the larger', () => {
  const [eighth, tenth] = drawnShots(setOf(NAMES), [8, 50]);
  expect(eighth).toMatchObject({ variant: '1/8 of train', seeds: [42, 400, 783, 1293, 4019] });
  expect(eighth!.shots.map(({ name, images }) => [name, images.length])).toEqual(
    [42, 400, 783, 1293, 4019].map((seed) => [`seed ${seed}`, 13]),
  );
  expect(new Set(eighth!.shots.map(({ images }) => images.join())).size).toBe(5);
  for (const [s, { images }] of tenth!.shots.entries()) {
    expect(images.length).toBe(2);
    expect(eighth!.shots[s]!.images).toEqual(expect.arrayContaining([...images]));
  }
  // never none
  expect(drawnShots(setOf(NAMES), [1000])[0]!.shots[0]!.images.length).toBe(1);
});

test('a draw depends on names, not on the order in which the set has them', () => {
  const reversed = NAMES.toReversed();
  const namesOf = (names: readonly string[]) =>
    drawnShots(setOf(names), [8])[0]!.shots.map(({ images }) => images.map((index) => names[index]).toSorted());
  expect(namesOf(reversed)).toEqual(namesOf(NAMES));
});

test('lists name pictures with or without their ending; a name that is none, or there twice, is refused', async () => {
  const list = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const set = setOf(NAMES);
  const files = [await list('a.txt', 'p007\np003.jpg\n'), await list('b.txt', 'p099\r\n\r\n')];
  const { variant, shots } = await listedShots(set, files);
  expect([variant, shots.map(({ images }) => images)]).toEqual(['2 lists of train', [[3, 7], [99]]]);
  for (const [text, message] of [
    ['p007\nq1', /1 of 2 names are no picture of letters train, e.g. q1; a line is a name such as p000.jpg/],
    ['p007\np007.jpg', /names p007.jpg twice/],
    ['', /names no picture/],
  ] as const)
    await expect(listedShots(set, [await list('c.txt', text)])).rejects.toThrow(message);
  await expect(listedShots(set, [join(folder, 'none.txt')])).rejects.toThrow(/none.txt cannot be read/);
});

test('a group is reported as mean and standard deviation, each draw beside them', () => {
  const outcome = (value: number, perClass: (number | null)[]): Outcome => ({
    task: 't',
    protocol: 'p',
    variant: '',
    evaluated: 4,
    total: 4,
    metric: 'mIoU',
    value,
    unit: 'share',
    others: { 'pixel accuracy': 0.9 },
    perClass,
    hyper: { k: 3, memoryPatches: 10 * value },
    selectedOn: 'nothing',
    seeds: [],
    quirks: false,
    wallMs: 5,
  });
  const shots = [1, 2, 3].map((seed) => ({ name: `seed ${seed}`, images: [seed] }));
  const outcomes = [outcome(0.5, [0.5, null, null]), outcome(0.6, [0.6, null, 0]), outcome(0.7, [0.7, null, 0.3])];
  const mean = meanOfShots({ variant: '1/8 of train', shots, seeds: [1, 2, 3] }, outcomes);
  expect(mean).toMatchObject({ variant: '1/8 of train', seeds: [1, 2, 3], wallMs: 15 });
  expect(mean.value).toBeCloseTo(0.6, 12);
  expect(mean.others['standard deviation']).toBeCloseTo(0.1, 12);
  expect(mean.others).toMatchObject({ 'seed 1': 0.5, 'seed 2': 0.6, 'seed 3': 0.7 });
  expect(mean.perClass[1]).toBeNull();
  expect(mean.perClass[2]).toBeCloseTo(0.1, 12);
  expect(mean.hyper).toMatchObject({ k: 3, memoryPatches: [5, 6, 7], trainImages: [1, 1, 1] });
});
