import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFeatureCache } from '@franca/evals/node';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { run } from '../../test/in-process';
import { temporaryFolder } from '../../test/tiny-model';

let folder: string;
beforeEach(async () => {
  const made = await temporaryFolder();
  folder = made;
  onTestFinished(() => rm(made, { recursive: true }));
  await using cache = openFeatureCache(folder);
  const common = { weights: 'w', preprocessing: 'crop 224', data: 'd', code: 'c', items: [0, 5] };
  const values = { values: { shape: [5, 40], data: new Float32Array(200) } };
  for (const data of ['flowers train', 'flowers test', 'birds test'])
    for (const outputs of ['cls of block 11', 'patch mean'])
      await cache.write({ ...common, outputs, set: data, about: { model: 'small', data, items: 9 } }, values);
  await mkdir(join(folder, 'photos'));
  await writeFile(join(folder, 'photos', 'mine.png'), 'mine');
});

const cache = (...words: readonly string[]) => run('cache', ...words, '--cache', folder);

test('what is held is listed by data and model, with the total and the bound', async () => {
  const { status, output } = await cache('--cache-limit', '2');
  expect(status, output).toBe(0);
  expect(output.match(/^\S.*, small$/gm)).toEqual(['birds test, small', 'flowers test, small', 'flowers train, small']);
  expect(output).toMatch(
    / {2}[0-9a-f]{8} {2}cls of block 11 \(crop 224\) {2}5 of 9 {2}1\.\d KiB {2}f32 {2}\d{4}-\d\d-\d\d \d\d:\d\d\n/,
  );
  expect(output).toMatch(/: 6\.\d KiB of at most 1\.9 GiB$/);
  expect((await run('cache', '--cache', join(folder, 'none'))).output).toMatch(
    /^\S+none: 0 B of at most .*, half of what the disk has for them$/,
  );
});

test('features are removed by name, and nothing else', async () => {
  const refused = await cache('remove', 'flowers');
  expect(refused.status).toBe(2);
  expect(refused.output).toMatch(/remove these features, 4\.\d KiB\? Nobody can answer here; give --yes/);
  expect((await cache('remove', 'flower', '--yes')).output).toMatch(
    /nothing in the cache is called flower; give an id/,
  );
  const removed = await cache('remove', 'flowers', '--yes');
  expect(removed.output).toMatch(/removed 4\.\d KiB from/);
  const { output } = await cache();
  expect(output).not.toMatch(/flowers/);
  const [, id] = / {2}([0-9a-f]{8}) {2}patch mean/.exec(output)!;
  expect((await cache('remove', id!, '-y')).output).toMatch(/ {2}[0-9a-f]{8} {2}birds test, small, patch mean, 1/);
  expect((await cache()).output).toMatch(/cls of block 11/);
  await cache('clear', '--yes');
  expect(await readdir(folder, { recursive: true })).toEqual(['photos', join('photos', 'mine.png')]);
  expect((await cache('clear', '--yes')).output).toMatch(/^nothing to remove in/);
});

test('the progress of interrupted evaluations is told, and removed with everything', async () => {
  const path = join(folder, 'progress', `${'0'.repeat(64)}.safetensors`);
  await mkdir(join(folder, 'progress'));
  await writeFile(path, '12345');
  expect((await cache()).output).toMatch(/interrupted evaluations, which go on when .* again: 1, 5 B\n/);
  await cache('remove', 'flowers', '--yes');
  expect(await readdir(join(folder, 'progress'))).toHaveLength(1);
  expect((await cache('clear', '--yes')).output).toMatch(/ {2}progress of 1 interrupted evaluations\n/);
  expect(await readdir(join(folder, 'progress'))).toEqual([]);
});

test('what a running process uses stays', async () => {
  await using busy = openFeatureCache(folder);
  const key = { weights: 'w', preprocessing: 'crop 224', data: 'd', code: 'c', items: [0, 5] };
  expect(await busy.read({ ...key, outputs: 'patch mean', set: 'birds test' })).toBeDefined();
  expect((await cache('clear', '--yes')).output).toMatch(
    /a running process uses, so these stay:\n.*birds test, small, patch mean/,
  );
  expect(await busy.read({ ...key, outputs: 'patch mean', set: 'birds test' })).toBeDefined();
});
