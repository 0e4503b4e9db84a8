import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvalRecord, FINE_GRAINED, PAPER_SETTINGS, paperResult } from '@franca/evals';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import {
  type FewImages,
  writeCaltech101,
  writeCifar10,
  writeCifar100,
  writeCub200,
  writeDtd,
  writeFgvcAircraft,
  writeFood101,
  writeOxfordFlowers102,
  writeOxfordPets,
  writeStanfordCars,
  writeSun397,
  writeVoc2007,
} from '../../../../packages/data/test/benchmark-files';
import { pictureOf } from '../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';

let folder: string;
let common: readonly string[];
let image: NonNullable<FewImages['image']>;
const printed: string[] = [];
/** What the file of records held when a line was printed. */
const written = new Map<string, string>();
const SIDE = 32;
const at = (name: string): string => join(folder, name);
const json = (): string => at('records.json');

beforeAll(async () => {
  folder = await temporaryFolder();
  common = ['-w', await writeTinyModel(folder), '--cache', at('cache'), '--json', json()];
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    printed.push(line);
    const [, set] = /^([\w-]+): [\d.]+ % /.exec(line) ?? [];
    if (set) written.set(set, readIfThere());
  });
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
  // a bright bar, wider in each class; what differs within a class is its place
  const pictures = await Promise.all(
    Array.from({ length: 60 }, (_, i) => {
      const [label, shift] = [i % 20, Math.floor(i / 20)];
      return pictureOf(
        Array.from({ length: SIDE * SIDE }, (_pixel, p) => Number((p + 3 * shift) % SIDE < 3 + 9 * (label % 3))),
        SIDE,
        0,
      );
    }),
  );
  image = (path, label) => pictures[(label % 20) + 20 * (path.length % 3)]!;
  writeAll(at('all'));
});
beforeEach(() => {
  printed.length = 0;
  written.clear();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function readIfThere(): string {
  try {
    return readFileSync(json(), 'utf8');
  } catch {
    return '[]';
  }
}

function writeAll(root: string): void {
  const few = { train: 3, val: 2, test: 2, image };
  const pixels = { train: 3, test: 2 };
  writeFood101(join(root, 'food-101'), few);
  writeCifar10(join(root, 'cifar-10-batches-bin'), pixels);
  writeCifar100(join(root, 'cifar-100-binary'), pixels);
  writeSun397(join(root, 'SUN397'), few);
  writeStanfordCars(join(root, 'stanford_cars'), few);
  writeFgvcAircraft(join(root, 'fgvc-aircraft-2013b'), few);
  writeDtd(join(root, 'dtd'), few);
  writeOxfordPets(join(root, 'oxford-iiit-pet'), few);
  writeCaltech101(join(root, 'caltech101'), { test: 34, image });
  writeOxfordFlowers102(join(root, 'flowers-102'), few);
  writeCub200(join(root, 'CUB_200_2011'), few);
  writeVoc2007(join(root, 'VOCdevkit'), { image });
}

const run = (...options: readonly string[]): Promise<number> => runCli(['eval', 'fine-grained', ...common, ...options]);
const records = async (): Promise<EvalRecord[]> => JSON.parse(await readFile(json(), 'utf8')) as EvalRecord[];

test('all sets below a folder, each by its own metric and parts, and the mean of the eleven', async () => {
  expect(await run('-d', at('all'), '-c', '0.01,1'), printed.join('\n')).toBe(0);
  const all = await records();
  expect(all.map(({ dataset }) => dataset)).toEqual([...FINE_GRAINED, 'voc-2007', 'fine-grained']);
  const of = (name: string): EvalRecord => all.find(({ dataset }) => dataset === name)!;
  expect(of('food-101')).toMatchObject({
    task: 'logistic-regression',
    split: 'test',
    metric: 'top-1',
    selectedOn: 'train-holdout',
    seeds: [0],
    evaluated: 6,
    total: 6,
    hyper: { trainItems: 9, cs: [0.01, 1], settings: 'own' },
  });
  // three and two images of each class are fitted at the end
  expect(of('dtd')).toMatchObject({ metric: 'top-1', selectedOn: 'validation', seeds: [], hyper: { trainItems: 15 } });
  for (const name of ['fgvc-aircraft', 'oxford-pets', 'caltech-101', 'oxford-flowers-102'])
    expect(of(name).metric).toBe('mean-per-class');
  expect(of('voc-2007')).toMatchObject({ metric: '11-point mAP', selectedOn: 'validation', evaluated: 20 });
  const eleven = all.slice(0, 11);
  const sum = (value: (record: EvalRecord) => number): number => eleven.reduce((total, each) => total + value(each), 0);
  const mean = of('fine-grained');
  expect(mean.value).toBeCloseTo(sum(({ value }) => value) / 11, 12);
  expect(mean).toMatchObject({ metric: 'mean over sets', evaluated: sum(({ evaluated }) => evaluated) });
  expect(mean.hyper.sets).toMatchObject({ dtd: { metric: 'top-1', value: of('dtd').value } });
  for (const record of all) expect(paperResult(record, 'Franca-B')).toBeUndefined();
  expect(of('food-101').notes!.join()).toContain("the paper's food-101 has 25250 test items");
});

test('some of them: what is not there or not asked for is told, and no average of eleven is claimed', async () => {
  const root = at('some');
  writeFood101(join(root, 'food-101'), { train: 3, test: 1, image });
  writeDtd(join(root, 'deeper/down/dtd'), { train: 2, val: 1, test: 1, image });
  writeVoc2007(join(root, 'VOCdevkit'), { image });
  expect(await run('-d', root, '-c', '1'), printed.join('\n')).toBe(0);
  const all = await records();
  expect(all.map(({ dataset }) => dataset)).toEqual(['food-101', 'dtd', 'voc-2007']);
  const average = (100 * (all[0]!.value + all[1]!.value)) / 2;
  expect(printed).toContain(`average of 2: ${average.toFixed(1)} %`);
  const missing = printed.find((line) => line.startsWith('of the eleven 9 are not there: cifar-10, cifar-100, sun397'));
  expect(missing).toBeDefined();
  for (const { notes } of all) expect(notes).toContain(`fine-grained: ${missing}`);
  expect(await run('-d', root, '-c', '1', '--sets', 'dtd')).toBe(0);
  expect(
    (await records()).map(({ dataset, notes }) => [dataset, notes!.includes('fine-grained: not asked for: food-101')]),
  ).toEqual([['dtd', true]]);
});

test("the paper's protocol is shown and stands in the records, with what differs", async () => {
  const html = at('page.html');
  expect(await run('-d', at('some'), '--protocol', 'paper', '--size', `${SIDE}`, '--sets', 'dtd', '--html', html)).toBe(
    0,
  );
  expect(printed.join('\n')).toMatch(
    /by the paper's protocol: shorter side 32 bicubic, centre 32 x 32; --c \(45 values/,
  );
  const [record] = await records();
  expect(record!.preprocessing).toMatch(/32/);
  expect(record!.hyper.settings).toContain(`${PAPER_SETTINGS}, with the deviations`);
  expect(record!.notes).toEqual(
    expect.arrayContaining([
      expect.stringContaining('--size 32 in place of 224'),
      expect.stringMatching(/not the paper's: \d+ images of train in place of 3760/),
    ]),
  );
  expect(record!.hyper.cs).toHaveLength(45);
  const page = await readFile(html, 'utf8');
  for (const text of ['Describable', 'chosen on', 'validation']) expect(page).toContain(text);
});

test('a set that fails is told, the others are kept, and written as they come', async () => {
  const root = at('broken');
  writeFood101(join(root, 'food-101'), { train: 3, test: 1, image });
  writeDtd(join(root, 'dtd'), { train: 2, val: 1, test: 1, image });
  writeCub200(join(root, 'CUB_200_2011'), { train: 2, test: 1, image });
  await writeFile(join(root, 'dtd/labels/val1.txt'), 'banded/nowhere.jpg\nno such class/1.jpg\n');
  expect(await run('-d', root, '-c', '1')).toBe(1);
  expect((await records()).map(({ dataset }) => dataset)).toEqual(['food-101', 'cub-200-2011']);
  expect(printed.find((line) => line.startsWith('dtd failed: '))).toBeDefined();
  const before = JSON.parse(written.get('cub-200-2011')!) as EvalRecord[];
  expect(before.map(({ dataset }) => dataset)).toEqual(['food-101']);
});

test('logreg alone takes the validation part and the metric of a published data set', async () => {
  const logreg = async (set: string, ...options: readonly string[]): Promise<EvalRecord> => {
    expect(await runCli(['eval', 'logreg', ...common, '-d', at(`all/${set}`), ...options]), printed.join('\n')).toBe(0);
    return (await records())[0]!;
  };
  expect(await logreg('dtd', '-c', '0.01,1')).toMatchObject({
    dataset: 'dtd',
    split: 'test',
    metric: 'top-1',
    selectedOn: 'validation',
    hyper: { trainItems: 15, settings: 'own' },
  });
  expect(await logreg('oxford-iiit-pet', '-c', '0.01,1')).toMatchObject({
    metric: 'mean-per-class',
    selectedOn: 'train-holdout',
  });
  const paper = await logreg('oxford-iiit-pet', '--protocol', 'paper', '--metric', 'top-1', '--size', `${SIDE}`);
  expect(paper).toMatchObject({ metric: 'top-1', hyper: { settings: expect.stringContaining(PAPER_SETTINGS) } });
  expect(paper.hyper.cs).toHaveLength(45);
  expect(paper.notes!.join()).toContain("the paper's oxford-pets is mean-per-class, this result is top-1");
});

test('what cannot be is refused before anything is computed', async () => {
  for (const [options, says] of [
    [['-d', at('some'), '--sets', 'cifar-10'], /has no cifar-10; each lies as its authors pack it/],
    [['-d', at('cache')], /has none of food-101/],
  ] as const) {
    printed.length = 0;
    expect(await run(...options)).not.toBe(0);
    expect(printed.join('\n')).toMatch(says);
  }
});
