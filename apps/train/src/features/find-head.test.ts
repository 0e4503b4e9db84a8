import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headTensors, tinyHead } from '../../test/tiny-heads';
import { temporaryFolder, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { openWeights } from './open-weights';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

/** The head of these weights: its part, and its first prototype norm and first weight, which tell whose it is. */
async function headOf(path: string) {
  await using weights = await openWeights(path);
  await using head = await weights.head();
  return { part: head.part, config: head.config, first: (await head.read('mlps.0.0.weight'))[0] };
}
const first = (entries: readonly TensorEntry[]) =>
  (entries.find(({ name }) => name.endsWith('mlps.0.0.weight'))!.data as Float32Array)[0];

test('in the file of the weights, the one of iBOT where there are two', async () => {
  const path = join(folder, 'whole.safetensors');
  const ibot = headTensors('ibot_head.', 5);
  await writeSafetensors(path, [...tinyTensors('backbone.'), ...headTensors('dino_head.'), ...ibot], tinyMetadata);
  expect(await headOf(path)).toEqual({ part: 'ibot_head', config: tinyHead, first: first(ibot) });
  await writeSafetensors(path, [...tinyTensors('backbone.'), ...headTensors('dino_head.')], tinyMetadata);
  expect((await headOf(path)).part).toBe('dino_head');
});

test('beside an imported backbone, of the same checkpoint only', async () => {
  const out = join(folder, 'imported');
  await mkdir(out);
  const newer = headTensors('').map((entry) => ({
    ...entry,
    name: entry.name
      .replace('weight_g', 'parametrizations.weight.original0')
      .replace('weight_v', 'parametrizations.weight.original1'),
  }));
  await writeSafetensors(join(out, 'backbone.safetensors'), tinyTensors(), { ...tinyMetadata, source: 'a.pth' });
  await writeSafetensors(join(out, 'ibot_head.safetensors'), newer, { source: 'a.pth' });
  expect((await headOf(out)).config).toEqual(tinyHead);
  await writeSafetensors(join(out, 'ibot_head.safetensors'), newer, { source: 'b.pth' });
  await expect(headOf(out)).rejects.toThrow(/is of another checkpoint than .*backbone\.safetensors/);
});

test('of an exported teacher in the checkpoint of its step, where that holds the same weights', async () => {
  const run = join(folder, 'run');
  const checkpoint = join(run, 'checkpoints', 'step-00000008');
  await mkdir(checkpoint, { recursive: true });
  await writeFile(join(run, 'config.yaml'), 'franca:\n  vit:\n    init_std: 0.02\n');
  await writeSafetensors(join(run, 'teacher.safetensors'), tinyTensors(), { ...tinyMetadata, step: '8' });
  const whole = [...tinyTensors('backbone.'), ...headTensors('ibot_head.')];
  const teacher = join(checkpoint, 'teacher.safetensors');
  await writeSafetensors(teacher, whole, tinyMetadata);
  expect((await headOf(join(run, 'teacher.safetensors'))).part).toBe('ibot_head');
  const other = whole.map((entry) => ({ ...entry, data: (entry.data as Float32Array).map((x) => 2 * x) }));
  await writeSafetensors(teacher, other, tinyMetadata);
  await expect(headOf(join(run, 'teacher.safetensors'))).rejects.toThrow(/holds no projection head/);
});

test('a backbone alone and an untrained model have none', async () => {
  const path = join(folder, 'alone.safetensors');
  await writeSafetensors(path, tinyTensors(), tinyMetadata);
  await expect(headOf(path)).rejects.toThrow(
    /alone\.safetensors holds no projection head, .* or take --prototypes k-means/,
  );
  await expect(headOf(`random:${path}`)).rejects.toThrow(/an untrained model has no head that was trained/);
});
