import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { drawWarp, type EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeAt } from '../../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../../test/tiny-model';
import { runCli } from '../../run-cli';

const PICTURE = new URL('../../../../../packages/data/generated-world.webp', import.meta.url);
let folder: string;
let weights: string;
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  weights = await writeTinyModel(folder);
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const onData = (data: string, model: string, ...more: readonly string[]) => [
  ...['eval', 'warp', '-w', model, '--heads', '2', '--cache', join(folder, 'cache')],
  ...['-d', data, ...more],
];
const command = (model: string, ...more: readonly string[]) =>
  onData('world:length=8:size=40:classes=4', model, ...more);
const json = (name: string) => join(folder, `${name}.json`);
const records = async (name: string) => JSON.parse(await readFile(json(name), 'utf8')) as EvalRecord[];
const linesOf = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('eval warp gives a record for each strength and a line for each picture and warp, which agree', async () => {
  const items = join(folder, 'items.jsonl');
  expect(await runCli(command(weights, '--json', json('all'), '--items', items))).toBe(0);
  expect(printed).toContain(`wrote ${items}`);
  const results = await records('all');
  expect(results.map(({ variant, evaluated, total, split }) => [variant, evaluated, total, split])).toEqual(
    ['mild', 'medium', 'strong'].map((strength) => [strength, 8, 8, 'val, warped']),
  );
  expect(results[0]!.preprocessing).toMatch(/^shorter side 37 bicubic, centre 32, .*, warped bilinear in the cut$/);
  const lines = await linesOf(items);
  expect(lines.length).toBe(24);
  expect(lines[2]).toMatchObject({ image: 'val/0', strength: 'strong', side: 4, warp: drawWarp('strong', 'val/0') });
  for (const { variant, value, hyper, others } of results) {
    const points = lines.filter(({ strength }) => strength === variant).flatMap((line) => line.points);
    expect(hyper.points).toBe(points.length);
    expect(value).toBe(points.filter(({ errorInCells }) => errorInCells / 4 < 0.1).length / points.length);
    const mean = points.reduce((sum, { errorInCells }) => sum + errorInCells, 0) / points.length;
    expect(others['mean error in cells']).toBeCloseTo(mean, 9);
  }
});

test('another model is asked the same of the same pictures; a limit is told', async () => {
  expect(await runCli(command(weights, '--pictures', '3', '--json', json('some')))).toBe(0);
  expect(await runCli(command(`random:${weights}`, '--pictures', '3', '--json', json('random')))).toBe(0);
  const [some, random] = [await records('some'), await records('random')];
  expect(some.map(({ evaluated, total }) => [evaluated, total])).toEqual(Array(3).fill([3, 8]));
  for (const floor of ['chance@0.1', 'in place@0.1', 'best cell@0.1'])
    expect(random.map(({ others }) => others[floor])).toEqual(some.map(({ others }) => others[floor]));
  expect(random.map(({ value }) => value)).not.toEqual(some.map(({ value }) => value));
});

test('tokens before the final norm are others, and the record says which they are', async () => {
  const html = join(folder, 'warp.html');
  expect(await runCli(command(weights, '--json', json('normed'), '--html', html))).toBe(0);
  expect(await runCli(command(weights, '--feature', 'before-norm', '--json', json('raw')))).toBe(0);
  const [normed, raw] = [await records('normed'), await records('raw')];
  expect([normed[0]!.hyper.feature, raw[0]!.hyper.feature]).toEqual(['after-norm', 'before-norm']);
  expect(raw.map(({ others }) => others['mean error in cells'])).not.toEqual(
    normed.map(({ others }) => others['mean error in cells']),
  );
  // Three pictures under three warps, each with the number of its patches found.
  const page = await readFile(html, 'utf8');
  expect(page.match(/(mild|medium|strong): \d+ of \d+ patches found/g)!.length).toBe(9);
});

test('of pictures without parts all are taken, as nothing is learnt; a part that is asked for is taken alone', async () => {
  const pictures = join(folder, 'pictures');
  for (let i = 0; i < 20; i++) await writeAt(join(pictures, `${i}.webp`), await readFile(PICTURE));
  const warp = (...more: string[]) => runCli(onData(pictures, weights, '--json', json('plain'), ...more));
  const seen = async () => (await records('plain')).map(({ evaluated, total, split }) => [evaluated, total, split]);
  expect(await warp('--pictures', '5'), printed.join('\n')).toBe(0);
  expect(await seen()).toEqual(Array(3).fill([5, 20, 'all, warped']));
  expect(await warp('--split', 'held-out')).toBe(0);
  expect(await seen()).toEqual(Array(3).fill([2, 20, 'held-out, warped']));
});

test('a file that cannot be written is refused before any work', async () => {
  expect(await runCli(command(weights, '--items', join(folder, 'nowhere', 'items.jsonl')))).not.toBe(0);
  expect(printed.at(-1)).toMatch(/nowhere/);
});
