import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvalRecord, itemsValue } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';
import { findTasks } from './find-tasks';

let folder: string;
let model: readonly string[];
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  model = ['-w', await writeTinyModel(folder), '--heads', '2', '--cache', join(folder, 'cache')];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const world = ['-d', 'world:length=30:size=32:classes=5'];
const records = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as EvalRecord[];

test('all evaluations in one go end in one table, one page and complete records', async () => {
  const [json, html] = [join(folder, 'all.json'), join(folder, 'all.html')];
  const limits = [
    '--dense-images',
    '16,4',
    '--box-images',
    '4',
    '--videos',
    '1',
    '--depth-images',
    '16,4',
    '--no-control',
  ];
  expect(await runCli(['eval', 'all', ...model, ...world, ...limits, '--json', json, '--html', html])).toBe(0);
  const tasks = new Set((await records(json)).map(({ task }) => task));
  expect(tasks.size).toBe((await findTasks()).filter(({ alone }) => !alone).length);
  for (const task of tasks) expect(printed.join('\n')).toContain(task);
  const page = await readFile(html, 'utf8');
  expect(page).toContain('Evaluation of tiny');
  expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(6);
  // planes were found, and what reads patches after the final norm ran without and with them
  const twice = (await records(json)).filter(({ features }) => features === 'tiny + RASA 1');
  expect(new Set(twice.map(({ task }) => task))).toEqual(
    new Set([
      'position-decodability',
      'in-context-segmentation',
      'linear-segmentation',
      'overclustering',
      'position-entropy',
      'video-segmentation',
      'warp-correspondence',
    ]),
  );
  for (const { task, variant, value } of twice.filter((record) => record.task !== 'position-decodability')) {
    const before = (await records(json)).find(
      (record) => record.task === task && record.variant === variant && record.features === 'tiny',
    );
    expect(before, `${task} ${variant}`).toBeDefined();
    expect(before!.value, `${task} ${variant}`).not.toBe(value);
  }
  expect(printed.join('\n')).toContain('this model  with RASA');
  expect(page).toContain('tiny + RASA 1');
  const knn = (await records(json)).find(({ task }) => task === 'knn');
  expect(knn).toMatchObject({ dataset: world[1], split: 'val', evaluated: 30, total: 30, features: 'tiny' });
  expect(knn!.preprocessing).toBe('shorter side 37 bicubic, centre 32, ImageNet mean/std');

  // what single images gave makes the value, says of which images it is, and is in the file alone
  const itemised = (await records(json)).filter(({ items }) => items !== undefined);
  expect(itemised.length).toBeGreaterThan(20);
  for (const { task, variant, items, value } of itemised) {
    expect(Math.abs(itemsValue(items!) - value), `${task} ${variant}`).toBeLessThan(1e-5);
    expect(items!.of, `${task} ${variant}`).toMatch(/^[0-9a-f]{64}$/);
    if (items!.data.length > 16) expect(page).not.toContain(items!.data);
  }
  const [untrained, compared] = [join(folder, 'untrained.json'), join(folder, 'compared.json')];
  expect(
    await runCli(['eval', 'knn', '-w', `random:${model[1]}`, ...model.slice(-2), ...world, '--json', untrained]),
  ).toBe(0);
  expect(await runCli(['compare', json, untrained, '--json', compared])).toBe(0);
  const { rows } = JSON.parse(await readFile(compared, 'utf8'));
  const row = rows.find((each: { task: string }) => each.task === 'knn');
  expect(Object.values(row.differences)).toEqual([expect.objectContaining({ paired: true, items: 30 })]);
});

test('part of a data set is said to be part of it, and its features come from the cache', async () => {
  const json = join(folder, 'part.json');
  for (const _ of ['computed', 'cached'])
    expect(await runCli(['eval', 'knn', ...model, ...world, '--images', '20,8', '-k', '3', '--json', json])).toBe(0);
  const [record] = await records(json);
  expect(record).toMatchObject({ evaluated: 8, total: 30, hyper: { k: 3, trainItems: 20 }, selectedOn: 'nothing' });
});

test('wrong use ends with 2 and says what is right', async () => {
  expect(await runCli(['eval', 'knn', ...model, ...world, '--images', '20'])).toBe(2);
  expect(await runCli(['eval', 'knn', ...model, ...world, '--size', '30'])).toBe(2);
  expect(printed.at(-1)).toMatch(/30 px are no whole patches of 8; give --size 24 or 32/);
});
