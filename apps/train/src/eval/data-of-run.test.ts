import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import { dataOfRun, heldOutOfRun } from './data-of-run';

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
