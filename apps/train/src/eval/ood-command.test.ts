import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGENET_CLASSES } from '@franca/data';
import { type EvalRecord, PAPER_SETTINGS } from '@franca/evals';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { writeOpenOod } from '../../../../packages/data/test/imagenet-files';
import { pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';

let folder: string;
let common: readonly string[];
const printed: string[] = [];
const SIDE = 32;
const PLACES = [11, 13, 71];
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  common = ['-w', await writeTinyModel(folder), '--cache', at('cache')];
  const record = (line: string): void => void printed.push(line);
  vi.spyOn(console, 'log').mockImplementation(record);
  vi.spyOn(console, 'error').mockImplementation(record);
  await writeData();
});
beforeEach(() => {
  printed.length = 0;
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A bright bar whose width tells the class; foreign images have stripes across. */
async function writeData(): Promise<void> {
  const bar = (at: number, shift: number): Promise<Buffer> =>
    pictureOf(
      Array.from({ length: SIDE * SIDE }, (_, i) =>
        at < 0 ? Number((Math.floor(i / SIDE) + shift) % 6 < 3) : Number((i + shift) % SIDE < 6 + 9 * at),
      ),
      SIDE,
      0,
    );
  const pictures = new Map<string, Buffer>();
  for (const place of [...PLACES, -1])
    for (let shift = 0; shift < 12; shift++) pictures.set(`${place} ${shift}`, await bar(PLACES.indexOf(place), shift));
  const image = (file: string, place: number): Buffer =>
    pictures.get(`${place} ${[...file].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 12}`)!;
  writeOpenOod(at('openood'), { places: PLACES, each: 5, image });
  writeOpenOod(at('partial'), { places: PLACES, each: 5, image, without: ['ninco', 'textures'] });
  for (const [part, each] of [
    ['train', 8],
    ['val', 4],
  ] as const)
    for (const place of PLACES)
      for (let i = 0; i < each; i++)
        await writeAt(at(`few/${part}/${IMAGENET_CLASSES[place]}/${i}.jpg`), pictures.get(`${place} ${i}`)!);
  for (let i = 0; i < 40; i++) await writeAt(at(`forty/${i}.jpg`), pictures.get(`-1 ${i % 12}`)!);
  const listed = Array.from({ length: 10 }, (_, i) => `${i}.jpg -1`);
  await writeFile(at('forty.txt'), `${listed.join('\n')}\n`);
}

async function ood(...options: readonly string[]): Promise<EvalRecord[]> {
  const json = at('records.json');
  expect(await runCli(['eval', 'ood', ...common, '--json', json, ...options]), printed.join('\n')).toBe(0);
  return JSON.parse(await readFile(json, 'utf8')) as EvalRecord[];
}

const refused = async (...options: readonly string[]): Promise<string> => {
  printed.length = 0;
  expect(await runCli(['eval', 'ood', ...common, ...options])).not.toBe(0);
  return printed.join('\n');
};

const FPR = 'FPR95 (foreign as positive)';

test("OpenOOD's sets are told from its own list of known images; near and far means are those of their sets", async () => {
  const all = await ood('--openood', at('openood'), '-d', at('few'));
  // eight scores, against five sets and two groups
  expect(all).toHaveLength(8 * 7);
  const msp = all.filter(({ hyper }) => hyper.score === 'msp');
  expect(msp.map(({ variant, evaluated, total }) => [variant, evaluated, total])).toEqual([
    // of five images of each class the first is for validation
    ...['ssb-hard', 'ninco', 'inaturalist', 'textures', 'openimage-o'].map((set) => [`msp against ${set}`, 17, 17]),
    ['msp near', 22, 22],
    ['msp far', 27, 27],
  ]);
  const of = (set: string): EvalRecord => msp.find(({ variant }) => variant === `msp ${set}`)!;
  const [near, far] = [of('near'), of('far')];
  expect(near.value).toBeCloseTo((of('against ssb-hard').value + of('against ninco').value) / 2, 12);
  const three = ['inaturalist', 'textures', 'openimage-o'].map((set) => of(`against ${set}`));
  expect(far.value).toBeCloseTo(three.reduce((sum, { value }) => sum + value, 0) / 3, 12);
  expect(far.others[FPR]).toBeCloseTo(three.reduce((sum, { others }) => sum + others[FPR]!, 0) / 3, 12);
  expect(near).toMatchObject({
    dataset: 'imagenet-1k',
    split: 'openood test',
    metric: 'AUROC',
    hyper: { head: 'cls+mean', inside: 12, foreign: 10, classifier: 'trained here', settings: 'own' },
  });
  const knn = all.find(({ variant }) => variant === 'knn near')!;
  expect([near.selectedOn, knn.selectedOn]).toEqual(['train-holdout', 'nothing']);
  expect(knn.hyper.trainFeatures).toBe('cls+mean, as the classifier reads');
  expect(printed).toContain(`msp near: AUROC ${(100 * near.value).toFixed(1)} %`);
  expect(near.notes!.join()).toContain('45,000');
});

test('means over a group that is not whole say so, and what is missing is in the records', async () => {
  const all = await ood('--openood', at('partial'), '-d', at('few'), '--scores', 'msp');
  expect(all.map(({ variant }) => variant)).toEqual([
    'msp against ssb-hard',
    'msp against inaturalist',
    'msp against openimage-o',
    'msp near (1 of 2 sets)',
    'msp far (2 of 3 sets)',
  ]);
  for (const { notes } of all) expect(notes!.join()).toMatch(/no images of NINCO[\s\S]*no images of Textures/);
});

test('a loaded probe needs no data for scores of logits, and gives what it gave when it was trained', async () => {
  const probe = at('probe.safetensors');
  const train = ['--train-batch', '6', '--iterations', '20', '--learning-rates', '0.1', '--save-probe', probe];
  expect(await runCli(['eval', 'linear', ...common, '-d', at('few'), ...train])).toBe(0);
  const alone = await ood('--openood', at('openood'), '--probe', probe);
  expect(new Set(alone.map(({ hyper }) => hyper.score))).toEqual(new Set(['msp', 'max-logit', 'energy', 'gen']));
  expect(printed.join('\n')).toMatch(/without knn, mahalanobis[\s\S]*built from train features/);
  expect(alone[0]!.hyper.classifier).toBe('loaded, trained on few train');
  const whole = await ood('--openood', at('openood'), '--probe', probe, '-d', at('few'));
  expect(whole).toHaveLength(8 * 7);
  const values = (records: readonly EvalRecord[]) =>
    new Map(records.map(({ variant, value, others }) => [variant, { value, others }]));
  const expected = values(whole);
  for (const [variant, got] of values(alone)) expect(got).toEqual(expected.get(variant));
  expect(await refused('--openood', at('openood'), '--probe', probe, '--scores', 'msp,knn')).toMatch(
    /built from train features/,
  );
  expect(await refused('--openood', at('openood'), '--probe', probe, '--head', 'cls')).toMatch(/leave out --head/);
  expect(await refused('-d', at('few'), '--probe', probe)).toMatch(/give --openood or --outside/);
  for (const part of ['train', 'val'])
    for (const place of [...PLACES, 72])
      await writeAt(at(`more/${part}/${IMAGENET_CLASSES[place]}/1.jpg`), await readFile(at('forty/1.jpg')));
  const more = await refused('--openood', at('openood'), '--probe', probe, '-d', at('more'), '--cache', at('unused'));
  expect(more).toMatch(/1 of 4 images of more train are of classes that the classifier of 3 does not have/);
  expect(more).not.toMatch(/features of/);
});

test('foreign sets are used whole, lists of no class included', async () => {
  const all = await ood(
    '-d',
    at('few'),
    '--outside',
    `folder=${at('forty')}`,
    '--outside',
    `list=${at('forty.txt')}:root=${at('forty')}`,
    '--scores',
    'msp,knn',
  );
  expect(
    all.map(({ variant, evaluated, total, hyper }) => [variant, evaluated, total, hyper.inside, hyper.foreign]),
  ).toEqual([
    ['msp against folder', 52, 52, 12, 40],
    ['msp against list', 22, 22, 12, 10],
    ['knn against folder', 52, 52, 12, 40],
    ['knn against list', 22, 22, 12, 10],
  ]);
  expect(all[0]!.hyper.head).toBe('cls');
  const [few] = await ood('-d', at('few'), '--outside', `folder=${at('forty')}`, '--images', '24,8', '--scores', 'msp');
  expect([few!.evaluated, few!.total]).toEqual([16, 52]);
  expect(few!.notes!.join()).toContain('8 of 40 images of folder are used');
});

test("the paper's protocol is a classifier on CLS and patch mean at 256 and 224, and foreign sets", async () => {
  const [record] = await ood(
    '--openood',
    at('openood'),
    '-d',
    at('few'),
    '--protocol',
    'paper',
    '--size',
    `${SIDE}`,
    '--scores',
    'msp',
  );
  expect(printed.join('\n')).toMatch(
    /ood by the paper's protocol: shorter side 37 bicubic, centre 32 x 32; --head cls\+mean/,
  );
  expect(record!.hyper).toMatchObject({
    head: 'cls+mean',
    settings: `${PAPER_SETTINGS}, with the deviations of the notes`,
  });
  expect(record!.notes!.join()).toMatch(
    /the paper does not name its score[\s\S]*the classifier is trained here on images as they are/,
  );
  expect(await refused('-d', at('few'), '--protocol', 'paper')).toMatch(
    /compares with foreign sets: give --openood or --outside/,
  );
});
