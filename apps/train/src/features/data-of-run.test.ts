import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import { chosenData, dataOfRun, heldOutOfRun } from './data-of-run';

test('weights of a run are tested on what the run held out of its data', async () => {
  const run = await temporaryFolder();
  onTestFinished(() => rm(run, { recursive: true }));
  const config = 'train:\n  dataset_path: /data/photos\n  seed: 5\nfranca:\n  data:\n    held_out_share: 0.3\n';
  await writeFile(join(run, 'config.yaml'), config);
  for (const weights of [run, join(run, 'teacher.safetensors'), `random:${run}`])
    expect(heldOutOfRun(weights, '/data/photos/')).toEqual({ share: 0.3, seed: 5 });
  expect(heldOutOfRun(run, '/data/others')).toBeUndefined();
  expect(heldOutOfRun('/nowhere/vitb14.pth', '/data/photos')).toBeUndefined();
});

test('a run without data of its own took the flower photographs', async () => {
  const run = await temporaryFolder();
  onTestFinished(() => rm(run, { recursive: true }));
  await writeFile(join(run, 'config.yaml'), 'train:\n  seed: 3\n');
  expect([dataOfRun(run)?.spec, heldOutOfRun(run, 'flowers')]).toEqual([undefined, { share: 0.1, seed: 3 }]);
});

test('a checkpoint, its teacher and the planes of a run remember the data of the run', async () => {
  const run = await temporaryFolder();
  onTestFinished(() => rm(run, { recursive: true }));
  await writeFile(join(run, 'config.yaml'), 'train:\n  dataset_path: world:length=40:size=32\n');
  const checkpoint = join(run, 'checkpoints', 'step-00000002');
  for (const folder of [checkpoint, join(run, 'rasa')]) await mkdir(folder, { recursive: true });
  const places = [checkpoint, join(checkpoint, 'teacher.safetensors'), join(run, 'rasa'), `random:${checkpoint}`];
  for (const weights of [run, ...places])
    expect(await chosenData({ weights, asked: undefined, part: 'all of it' })).toEqual({
      spec: 'world:length=40:size=32',
      heldOut: { share: 0.1, seed: 0 },
      said: "data: the run's own, world:length=40:size=32: all of it",
    });
});

test('data that is gone, or that nobody knows, is told with the way out', async () => {
  const run = await temporaryFolder();
  onTestFinished(() => rm(run, { recursive: true }));
  const choice = () => chosenData({ weights: run, asked: undefined, part: '' });
  await expect(choice()).rejects.toThrow(/belongs to no run .* name images with --data/);
  await writeFile(join(run, 'config.yaml'), 'model: something else\n');
  await expect(choice()).rejects.toThrow(/belongs to no run/);
  await writeFile(join(run, 'config.yaml'), 'train:\n  dataset_path: /data/moved\n');
  await expect(choice()).rejects.toThrow(
    /was trained on \/data\/moved, as .*config.yaml says .* cannot be found: .* --data/,
  );
  expect((await chosenData({ weights: run, asked: 'world', part: '' })).spec).toBe('world');
});
