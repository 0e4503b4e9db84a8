/** Evaluations on features that were written to files are those on the model that wrote them, image by image; what files have not got is refused. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { maskPng, pictureOf, writeAt } from '../../test/mask-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { runCli } from '../run-cli';

const WORLD = 'world:length=12:size=32:classes=3';
let folder: string;
let model: readonly string[];
let cache: readonly string[];
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  cache = ['--cache', join(folder, 'cache')];
  model = ['-w', await writeTinyModel(folder)];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const write = (out: string, ...options: readonly string[]): Promise<number> =>
  runCli(['features', ...model, ...cache, '-o', join(folder, out), ...options]);

async function evaluate(task: string, ...options: readonly string[]): Promise<EvalRecord> {
  const json = join(folder, 'record.json');
  expect(await runCli(['eval', task, ...cache, '--json', json, ...options]), printed.at(-1)).toBe(0);
  return (JSON.parse(await readFile(json, 'utf8')) as EvalRecord[])[0]!;
}

async function refusal(task: string, ...options: readonly string[]): Promise<string> {
  expect(await runCli(['eval', task, ...cache, ...options])).not.toBe(0);
  return printed.at(-1)!;
}

test('k-NN and linear probe by labels in the files, and by those of the data', async () => {
  expect(await write('train.npz', '-d', WORLD)).toBe(0);
  expect(await write('val.parquet', '-d', WORLD, '--split', 'val')).toBe(0);
  const files = ['-w', ['train.npz', 'val.parquet'].map((name) => join(folder, name)).join()];
  const native = await evaluate('knn', ...model, '-d', WORLD);
  const own = await evaluate('knn', ...files);
  const named = await evaluate('knn', ...files, '-d', WORLD);
  for (const record of [own, named]) {
    expect([record.value, record.perClass, record.items, record.evaluated]).toEqual([
      ...[native.value, native.perClass, native.items, native.evaluated],
    ]);
    expect([record.dataset, record.split, record.preprocessing]).toEqual([WORLD, 'val', native.preprocessing]);
    expect(record.features).toBe('tiny (features from a file)');
    expect(record.notes?.join('\n')).toMatch(
      /features from .*train\.npz \(SHA-256 \w{16}\), as it says: model tiny, images as "shorter/,
    );
  }
  const probe = await evaluate('linear', ...files, '--epochs', '1');
  expect(probe.notes).toContainEqual(expect.stringMatching(/^linear: train\.npz gives its output alone/));

  expect(await refusal('discover', ...files, '-d', WORLD)).toMatch(/reads patch tokens, and train\.npz gives none/);
  expect(await refusal('in-context', ...files, '-d', WORLD)).toMatch(/holds features of images as "shorter.*--squash$/);
  expect(await refusal('linear', ...files, '--augment', '--epochs', '1')).toMatch(/makes others of them/);
  expect(await refusal('knn', ...files, '--size', '64')).toMatch(/of input of 32 px; leave out --size 64/);
  expect(await refusal('knn', ...files, '--rasa', 'none')).toMatch(/holds features and no model; leave out --rasa/);
  expect(await refusal('knn', ...files, '--resize', '40')).toMatch(/as "shorter side 37.* as "shorter side 40/);
  expect(await refusal('knn', ...files, '--split', 'val')).toMatch(/the parts of .* are its files; leave out --split/);
  expect(await refusal('knn', '-w', join(folder, 'train.npz'))).toMatch(/there are to be two files/);
  // nothing is computed, so nothing is estimated but the evaluation itself
  expect(await runCli(['eval', 'knn', ...files, ...cache, '--estimate'])).toBe(0);
});

test('in-context segmentation with masks of the data, found by the names of pictures', async () => {
  const SIDE = 32;
  const root = join(folder, 'squares');
  for (const part of ['train', 'val'])
    for (let i = 0; i < 4; i++) {
      const values = Array.from({ length: SIDE * SIDE }, (_, at) =>
        Number(at % SIDE >= 8 * (i + Number(part === 'val') / 2)),
      );
      await writeAt(join(root, part, 'images', `p${i}.jpg`), await pictureOf(values, SIDE, 0));
      await writeAt(join(root, part, 'masks', `p${i}.png`), maskPng(values, SIDE, { colour: 0, depth: 8 }));
    }
  await writeFile(join(root, 'classes.json'), '["left", "right"]');
  await mkdir(join(folder, 'dense'));
  for (const part of ['train', 'val'])
    expect(
      await write(`dense/${part}.npz`, '-d', join(root, part, 'images'), '--split', 'test', '--patches', '--squash'),
    ).toBe(0);
  const native = await evaluate('in-context', ...model, '-d', root);
  const own = await evaluate('in-context', '-w', join(folder, 'dense'), '-d', root);
  expect([own.value, own.perClass, own.evaluated]).toEqual([native.value, native.perClass, native.evaluated]);
  expect(await refusal('knn', '-w', join(folder, 'dense'), '-d', WORLD)).toMatch(/without --squash$/);
  expect(await refusal('in-context', '-w', join(folder, 'dense'), '-d', WORLD)).toMatch(
    /there are no features of world/,
  );
});
