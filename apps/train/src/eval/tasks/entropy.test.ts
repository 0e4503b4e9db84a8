import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@franca/checkpoint';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { maskPng, pictureOf, writeAt } from '../../../test/mask-files';
import { headTensors } from '../../../test/tiny-heads';
import { temporaryFolder, tinyMetadata, tinyTensors } from '../../../test/tiny-model';
import { runCli } from '../../run-cli';

let folder: string;
let weights: string;
let heads: string;
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  weights = join(folder, 'run.safetensors');
  heads = join(folder, 'rasa.safetensors');
  const data = Float32Array.from({ length: 32 }, (_, i) => Number(i === 0 || i === 17));
  await writeSafetensors(weights, [...tinyTensors('backbone.'), ...headTensors('ibot_head.')], tinyMetadata);
  await writeSafetensors(heads, [{ name: 'pos_pred.weight', dtype: 'f32', shape: [2, 16], data }]);
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function entropy(...words: string[]): Promise<EvalRecord[]> {
  const json = join(folder, 'entropy.json');
  const cache = ['--cache', join(folder, 'cache')];
  const command = [
    'eval',
    'entropy',
    '-w',
    weights,
    '-d',
    'world:length=40:size=32',
    '--min-hits',
    '4',
    ...cache,
    ...words,
  ];
  expect(await runCli([...command, '--json', json]), printed.at(-1)).toBe(0);
  return JSON.parse(await readFile(json, 'utf8')) as EvalRecord[];
}

test('prototypes of the head: one record for each level, on tokens of which no plane is removed', async () => {
  const records = await entropy('--prototypes', 'head', '--level', 'all', '--rasa', heads);
  expect(records.map(({ variant, total, features }) => [variant, total, features])).toEqual([
    ['ibot_head, width 8', 16, 'run'],
    ['ibot_head, width 16', 32, 'run'],
  ]);
  for (const { value, evaluated, hyper, notes } of records) {
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThanOrEqual(1);
    expect(evaluated).toBeGreaterThan(0);
    expect(hyper).toMatchObject({ prototypes: 'ibot_head', minHits: 4, correction: 'miller-madow' });
    expect(notes).toContain('prototypes of the iBOT head, which was trained before RASA: no planes are removed');
    expect(notes!.join()).toContain('clusters count from 4 hits on, fewer than the 16 positions');
  }
  const [full] = await entropy('--prototypes', 'head');
  expect([full!.variant, full!.value]).toEqual(['ibot_head, width 16', records[1]!.value]);
});

test('k-means before and after the planes are removed stands in one table', async () => {
  const records = await entropy('--rasa', heads);
  expect(records.map(({ features }) => features)).toEqual(['run', 'run + RASA 1']);
  const [plain] = await entropy();
  expect(records[0]!.value).toBe(plain!.value);
});

test('k-means is of train patches, so what is to be known of train stands in the record; of a head it does not', async () => {
  const root = join(folder, 'squares');
  const values = Array.from({ length: 32 * 32 }, (_, at) => Number(at % 32 > 12));
  for (const [part, name] of ['train/a', 'train/b', 'train/unmasked', 'val/a', 'val/b'].map((path) =>
    path.split('/'),
  )) {
    await writeAt(join(root, part!, 'images', `${name}.jpg`), await pictureOf(values, 32, 0));
    if (name !== 'unmasked')
      await writeAt(join(root, part!, 'masks', `${name}.png`), maskPng(values, 32, { colour: 0, depth: 8 }));
  }
  await writeFile(join(root, 'classes.json'), '["background", "square"]');
  const ofTrain = expect.stringMatching(/train .*unmasked\.jpg/);
  const [centroids] = await entropy('-d', root, '--clusters', '4');
  expect(centroids!.notes).toContainEqual(ofTrain);
  const [prototypes] = await entropy('-d', root, '--prototypes', 'head');
  expect(prototypes!.notes).not.toContainEqual(ofTrain);
});

test('levels that there are not, and options of the other kind of clusters, are refused', async () => {
  const asked = ['eval', 'entropy', '-w', weights, '-d', 'world:length=40:size=32', '--cache', join(folder, 'cache')];
  expect(await runCli([...asked, '--prototypes', 'head', '--level', '4'])).toBe(2);
  expect(printed.at(-1)).toMatch(/--level 4: the head has levels of width 8, 16/);
  expect(await runCli([...asked, '--prototypes', 'head', '--clusters', '4'])).toBe(2);
  expect(printed.at(-1)).toMatch(/--clusters is not for --prototypes head; leave it out/);
  expect(await runCli([...asked, '--level', '8'])).toBe(2);
  expect(await runCli([...asked, '--prototypes', 'head', '-w', `random:${weights}`])).not.toBe(0);
  expect(printed.at(-1)).toMatch(/an untrained model has no head that was trained/);
});
