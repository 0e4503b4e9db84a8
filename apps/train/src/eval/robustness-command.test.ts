import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGENET_CLASSES } from '@franca/data';
import { type EvalRecord, PAPER_SETTINGS } from '@franca/evals';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeImageNetA } from '../../../../packages/data/test/imagenet-files';
import { printedLines } from '../../test/in-process';
import { pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';

let folder: string;
let common: readonly string[];
const printed = printedLines();
beforeAll(async () => {
  folder = await temporaryFolder();
  common = ['-w', await writeTinyModel(folder), '--cache', join(folder, 'cache')];
  await writeSets();
});
afterAll(() => rm(folder, { recursive: true }));

const SIDE = 32;
const PLACES = [0, 11, 13];
const wnid = (place: number): string => IMAGENET_CLASSES[place]!;

/** A bright bar that is wider in each class. */
const picture = (at: number, shift: number): Promise<Buffer> =>
  pictureOf(
    Array.from({ length: SIDE * SIDE }, (_, i) => Number((i + shift) % SIDE < 6 + 9 * at)),
    SIDE,
    0,
  );

/** Train and val of three classes, and small copies of the other sets in their own naming. */
async function writeSets(): Promise<void> {
  const write = async (
    root: string,
    name: (place: number, i: number) => string,
    places: readonly number[],
    each: number,
  ) => {
    for (const place of places)
      for (let i = 0; i < each; i++)
        await writeAt(join(folder, root, name(place, i)), await picture(PLACES.indexOf(place), 3 * i + root.length));
  };
  await write('data/few/train', (place, i) => `${wnid(place)}/${i}.jpg`, PLACES, 6);
  const number = (place: number, i: number): number => 1 + PLACES.indexOf(place) + PLACES.length * i;
  const val = (place: number, i: number): string => `ILSVRC2012_val_${`${number(place, i)}`.padStart(8, '0')}`;
  await write('data/few/val', (place, i) => `${wnid(place)}/${val(place, i)}.JPEG`, PLACES, 4);
  await write('v2', (place, i) => `${place}/${i}.jpeg`, PLACES, 2);
  await write('a', (place, i) => `${wnid(place)}/${i}.jpg`, PLACES.slice(1), 3);
  await write('other', (place, i) => `class ${place}/${i}.jpg`, PLACES, 2);
  // of twelve images the first accepts nothing, the second both others' classes too
  const labelsOf = (i: number): readonly number[] => (i === 0 ? [] : i === 1 ? PLACES : [PLACES[i % 3]!]);
  const labels = Array.from({ length: 50_000 }, (_, i) => (i < 12 ? labelsOf(i) : []));
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'data/real.json'), JSON.stringify(labels));
}

const at = (name: string): string => join(folder, name);
const others = (): string[] => ['--set', `imagenet-v2=${at('v2')}`, '--set', `imagenet-a=${at('a')}`];
const short = ['--train-batch', '6', '--iterations', '20', '--learning-rates', '0.05,0.1'];

async function evaluate(task: string, ...options: readonly string[]): Promise<EvalRecord[]> {
  const json = at('records.json');
  expect(await runCli(['eval', task, ...common, '--json', json, ...options]), printed.join('\n')).toBe(0);
  return JSON.parse(await readFile(json, 'utf8')) as EvalRecord[];
}

const figures = (records: readonly EvalRecord[]) =>
  records.map(({ dataset, value, evaluated, total, perClass }) => ({ dataset, value, evaluated, total, perClass }));

test('one probe on all sets; saved and loaded it gives the same figures', async () => {
  const file = at('probe.safetensors');
  const trained = await evaluate('robustness', '-d', at('data/few'), ...others(), ...short, '--save-probe', file);
  expect(trained.map(({ dataset, evaluated, total }) => [dataset, evaluated, total])).toEqual([
    [at('data/few').split('/').slice(-1)[0], 12, 12],
    ['imagenet-real', 11, 12],
    ['imagenet-v2', 6, 6],
    ['imagenet-a', 6, 6],
  ]);
  expect(printed).toContain('imagenet-sketch: not found');
  expect(trained.map(({ hyper }) => hyper.candidates)).toEqual([undefined, 3, 3, 2]);
  for (const { task, selectedOn, others: more } of trained) {
    expect([task, selectedOn]).toEqual(['linear', 'train-holdout']);
    expect(more['top-5']).toBe(1);
  }
  const again = await evaluate(
    'robustness',
    '-d',
    at('data/few/val'),
    ...others(),
    '--sets',
    at('data'),
    '--probe',
    file,
  );
  expect(figures(again).slice(1)).toEqual(figures(trained).slice(1));
  expect(again[0]!.value).toBe(trained[0]!.value);
  expect(again[0]!.notes).toContain('robustness: the probe was loaded, trained on few train');
  const [alone] = await evaluate('linear', '-d', at('data/few/val'), '--probe', file);
  expect(alone).toMatchObject({ value: trained[0]!.value, hyper: { trainedOn: 'few train', candidates: 3 } });
});

test('a set with classes that the probe does not have is refused before anything is computed', async () => {
  const cache = ['--cache', at('unused')];
  expect(
    await runCli(['eval', 'robustness', ...common, ...cache, '-d', at('data/few'), '--set', `mine=${at('other')}`]),
  ).toBe(1);
  expect(printed.join('\n')).toMatch(
    /3 of the 3 classes of mine are none of the probe's 3: class 0, class 11, class 13/,
  );
  expect(printed.join('\n')).not.toMatch(/features of/);
});

test('a probe that learned from a folder without parts is not tested on all of it', async () => {
  const [file, data] = [at('own.safetensors'), at('data/few/val')];
  const split = ['--split', 'held-out'];
  const [trained] = await evaluate('linear', '-d', data, ...split, ...short, '--save-probe', file);
  expect(await runCli(['eval', 'linear', ...common, '-d', data, '--probe', file])).toBe(2);
  expect(printed.join('\n')).toMatch(
    /was trained on images of .*val, all of which would be tested on; with --split held-out/,
  );
  const [again] = await evaluate('linear', '-d', data, ...split, '--probe', file);
  expect([again!.value, again!.evaluated]).toEqual([trained!.value, trained!.evaluated]);
});

test('a set under the name of another is refused', async () => {
  const elsewhere = await temporaryFolder();
  writeImageNetA(elsewhere);
  const set = `imagenet-r=${join(elsewhere, 'imagenet-a')}`;
  expect(await runCli(['eval', 'robustness', ...common, '-d', at('data/few'), '--set', set])).toBe(2);
  expect(printed.join('\n')).toMatch(/imagenet-a is ImageNet-A, not imagenet-r; give it by its own name, imagenet-a/);
  await rm(elsewhere, { recursive: true });
});

test.each<[RegExp, ...string[]]>([
  [/no other test set lies beside --data/, '-d', 'a'],
  [/give --epochs or --iterations, not both/, '-d', 'data/few', '--epochs', '2', '--iterations', '3'],
  [/counts steps; give --iterations in place of --epochs/, '-d', 'data/few', '--protocol', 'paper', '--epochs', '2'],
  [/is trained already; leave out --train-batch, or --probe/, '-d', 'data/few', '--probe', 'x', '--train-batch', '2'],
])('refused: %s', async (message, flag, data, ...options) => {
  const paths = [flag!, at(data!), ...options];
  expect(await runCli(['eval', 'robustness', ...common, ...paths])).toBe(2);
  expect(printed.join('\n')).toMatch(message);
});

test('the official protocol learns from crops; what differs is told, and the paper is not', async () => {
  const paper = ['--protocol', 'paper', '--size', '32', '--iterations', '2', '--train-batch', '5'];
  const [record] = await evaluate('linear', '-d', at('data/few'), ...paper);
  expect(record).toMatchObject({
    selectedOn: 'test',
    quirks: true,
    preprocessing: 'shorter side 37 bicubic, centre 32, ImageNet mean/std',
    hyper: { gridSize: 26, iterations: 2, batchSize: 5, trainItems: 18, crops: 'dinov2-linear' },
  });
  expect(record!.hyper.settings).not.toBe(PAPER_SETTINGS);
  expect(record!.notes).toEqual(
    expect.arrayContaining([
      "linear: not the paper's: --iterations 2 in place of 12500",
      "linear: not the paper's: --train-batch 5 in place of 1024",
      "linear: not the paper's: --size 32 in place of 224",
      "linear: not the paper's: the model has 2 blocks, so that no classifier reads the last 4",
      "linear: learnt from few, which is none of the paper's data sets",
    ]),
  );
  expect((await evaluate('linear', '-d', at('data/few'), ...paper))[0]!.value).toBe(record!.value);
  const [held] = await evaluate('linear', '-d', at('data/few'), ...paper, '--select', 'train-holdout');
  expect(held).toMatchObject({ selectedOn: 'train-holdout', hyper: { trainItems: 16 } });
  expect(held!.notes).toContain('linear: trained on 16 of 18 images of train; on the others it is chosen');
});

test('k-NN by the protocol, and with few images a class from the stream', async () => {
  const [record] = await evaluate('knn', '-d', at('data/few'), '--protocol', 'paper', '--size', '32');
  expect(record).toMatchObject({ hyper: { ks: [10, 20, 100, 200], temperature: 0.07, trainItems: 18 } });
  const [few] = await evaluate('knn', '-d', at('data/few'), '--shots', '2', '--tries', '3', '-k', '1');
  expect(few).toMatchObject({ variant: '2 shots', seeds: [0, 1, 2], hyper: { shots: 2, settings: 'own' } });
});
