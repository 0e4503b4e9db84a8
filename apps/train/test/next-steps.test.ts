/** What the end of a first run tells to do next, played on a run that is small enough for a test. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTasks } from '../src/eval/find-tasks';
import { type Outcome, run } from './in-process';
import { temporaryFolder } from './tiny-model';
import { freshRun, tinyData, tinyOverrides } from './tiny-run';

/** Of each kind of pictures enough for every evaluation to run. */
const FEW = '--dense-images 24,16 --pairs 20 --box-images 4 --videos 1 --depth-images 8,4'.split(' ');
let folder: string;
let first: string;
let cache: string[];
beforeAll(async () => {
  folder = await temporaryFolder();
  first = join(folder, 'first');
  cache = ['--cache', join(folder, 'cache')];
  expect(await run(...freshRun(first, ...tinyOverrides(2)))).toMatchObject({ status: 0 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Of the world that the run was trained on, not of any other. */
const own = ({ output }: Outcome): void => expect(output).toContain(`data: the run's own, ${tinyData}: `);

test('show draws held-out pictures of the data that the run was trained on, into its folder', async () => {
  const shown = await run('show', '-w', first, ...cache);
  expect(shown).toMatchObject({ status: 0 });
  own(shown);
  const files = await readdir(join(first, 'show'));
  expect(files).toEqual(expect.arrayContaining(['pca.png', 'attention.png', 'val-0-pca-paper.png']));
});

test('eval all runs every evaluation on that data, and the quick ones on the untrained model', async () => {
  const json = join(folder, 'all.json');
  const all = await run('eval', 'all', '-w', first, ...cache, ...FEW, '--json', json);
  expect(all.output).not.toMatch(/failed|not run/);
  expect(all.status).toBe(0);
  own(all);
  const records = JSON.parse(await readFile(json, 'utf8')) as EvalRecord[];
  const trained = records.filter(({ features }) => features !== 'random first');
  expect(new Set(trained.map(({ task }) => task)).size).toBe((await findTasks()).filter(({ alone }) => !alone).length);
  expect(new Set(records.map(({ dataset }) => dataset))).toEqual(new Set([tinyData, 'drawn masks']));
  expect(records.filter(({ features }) => features === 'random first').map(({ task }) => task)).toEqual(
    expect.arrayContaining(['knn', 'in-context-segmentation', 'position-decodability']),
  );
  expect(await readFile(join(first, 'evals.html'), 'utf8')).toContain('In short');
});

test('single commands take it as well, and checkpoints remember it', async () => {
  const checkpoint = join(first, 'checkpoints', 'step-00000001');
  const commands = [
    ['eval', 'position', '-w', join(first, 'teacher.safetensors'), '--images', '24,16'],
    ['features', '-w', checkpoint, '--split', 'val', '--images', '8', '--out', join(folder, 'features.safetensors')],
    ['rasa', '-w', checkpoint, '--images', '24,16', '--planes', '1', '--out', join(folder, 'rasa')],
  ];
  for (const words of commands) {
    const done = await run(...words, ...cache);
    expect(done).toMatchObject({ status: 0 });
    own(done);
  }
});

test('a folder of pictures is trained on, and evaluated as far as it goes: without classes and masks', async () => {
  const [photos, second] = [join(first, 'show'), join(folder, 'second')];
  const words = ['pretrain', '-c', 'cpu-tiny', '--data', photos, '--out', second, ...tinyOverrides(2)];
  expect(await run(...words)).toMatchObject({ status: 0 });
  const all = await run('eval', 'all', '-w', second, ...cache, ...FEW, '--no-control');
  expect(all.output).toContain(`data: the run's own, ${photos}: `);
  expect(all.output).toMatch(/knn not run: .* has no classes/);
  expect(all.output).not.toContain('failed');
  expect(all.status).toBe(0);
});
