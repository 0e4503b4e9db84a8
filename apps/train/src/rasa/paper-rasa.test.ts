import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '@franca/checkpoint';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedLines } from '../../test/in-process';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { openWeights } from '../features/open-weights';
import { runCli } from '../run-cli';

let folder: string;
let model: readonly string[];
const printed = printedLines();
beforeAll(async () => {
  folder = await temporaryFolder();
  model = ['-w', await writeTinyModel(folder), '--cache', join(folder, 'cache'), '-d', 'world:length=20:size=40'];
});
afterAll(() => rm(folder, { recursive: true }));

const tiny = ['--protocol', 'paper', '--size', '32', '--planes', '2', '--epochs', '1', '--train-batch', '8'];

/** The heads that a fit wrote. */
async function fit(name: string, ...words: string[]): Promise<Float32Array[]> {
  const out = join(folder, name);
  expect(await runCli(['rasa', ...model, ...tiny, ...words, '--out', out]), printed.at(-1)).toBe(0);
  await using file = await openSafetensors(join(out, 'rasa_head.safetensors'));
  expect([...file.tensors.keys()].sort()).toEqual(['pos_pred.weight', 'pre_pos_layers.0.weight']);
  return Promise.all(['pre_pos_layers.0.weight', 'pos_pred.weight'].map((head) => file.readFloat32(head)));
}

test('heads learn from random views, the same ones in a fit that is repeated; what it costs and deviates in is said', async () => {
  const json = join(folder, 'paper.json');
  const heads = await fit('views', '--json', json);
  expect(printed.join('\n')).toContain(
    'plan: 5 passes of 20 images at 32 px, 100 in all: one for least squares, then for each of 2 planes 1 to train its head and one to judge it',
  );
  const deviations = [
    '--planes 2 in place of 9',
    '--epochs 1 in place of 5',
    '--train-batch 8 in place of 128',
    '--size 32 in place of 518',
    '20 images of world:length=20:size=40 train in place of voc-2012 trainaug',
  ];
  for (const deviation of deviations) expect(printed).toContain(`not the paper's: ${deviation}`);
  const records = JSON.parse(await readFile(json, 'utf8')) as EvalRecord[];
  const readings = records.filter(({ task }) => task === 'position-decodability');
  expect(readings.map(({ variant }) => variant)).toEqual(['before', 'after 1 plane', 'after 2 planes']);
  for (const { hyper, notes } of readings) {
    expect(hyper.settings).toMatch(/with the deviations of the notes$/);
    for (const deviation of deviations) expect(notes).toContain(`rasa: not the paper's: ${deviation}`);
  }
  expect(await fit('again')).toEqual(heads);
  expect(await fit('as-they-are', '--no-augment')).not.toEqual(heads);
  // the planes know their weights and the side of the input
  await using weights = await openWeights(model[1]!, { rasa: join(folder, 'views', 'rasa_head.safetensors') });
  expect([weights.rasa.planes.length, weights.rasa.fittedAt, weights.rasa.notes]).toEqual([2, 32, []]);
});

test('what the protocol cannot do with these images, or is not for, is refused', async () => {
  const whole = ['--protocol', 'paper', '--size', '32', '--out', join(folder, 'none')];
  expect(await runCli(['rasa', ...model, ...whole])).toBe(2);
  expect(printed.at(-1)).toMatch(/20 images do not fill a batch of 128, .*; give more images, or --train-batch 2$/);
  expect(await runCli(['rasa', ...model, '--no-augment', '--out', join(folder, 'none')])).toBe(2);
  expect(printed.at(-1)).toMatch(/--no-augment is for --protocol paper/);
});
