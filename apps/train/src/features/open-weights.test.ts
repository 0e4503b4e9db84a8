import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, tinyConfig, tinyMetadata, tinyTensors, writeTinyModel } from '../../test/tiny-model';
import { openWeights } from './open-weights';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  file = await writeTinyModel(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const head = (name: string, first: number) => ({
  name,
  dtype: 'f32' as const,
  shape: [2, 16],
  data: Float32Array.from({ length: 32 }, (_, i) => Number(i === first || i === 16 + first + 1)),
});

test('a file: its configuration, its weights, its content as identity', async () => {
  await using weights = await openWeights(file, { heads: 2 });
  expect(weights.config).toEqual(tinyConfig);
  expect((await weights.read('norm.weight'))?.length).toBe(16);
  expect(weights.name).toBe('tiny');
  await using again = await openWeights(file, { heads: 2 });
  expect(await again.identity()).toBe(await weights.identity());
});

test('random: gives the same architecture with other weights under another identity', async () => {
  await using weights = await openWeights(file);
  await using random = await openWeights(`random:${file}`);
  expect(random.config).toEqual(weights.config);
  expect(await random.read('cls_token')).not.toEqual(await weights.read('cls_token'));
  expect(await random.identity()).not.toBe(await weights.identity());
  expect(random.name).toBe('random tiny');
});

test('random: a file of a run starts its linear layers as that run did', async () => {
  const run = join(folder, 'run');
  await mkdir(run);
  const own = await writeTinyModel(run);
  const spread = async () => {
    await using weights = await openWeights(`random:${own}`);
    const values = Array.from((await weights.read('blocks.0.attn.qkv.weight'))!);
    const mean = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    return { deviation: Math.sqrt(mean), identity: await weights.identity() };
  };
  const official = await spread();
  await writeFile(join(run, 'config.yaml'), 'franca:\n  vit:\n    init_std: 0.1\n');
  const wide = await spread();
  expect(official.deviation).toBeCloseTo(0.02, 2);
  expect(wide.deviation / official.deviation).toBeCloseTo(5, 3);
  expect(wide.identity).not.toBe(official.identity);
});

test('RASA heads in the file, beside it, given, or left out', async () => {
  const heads = [head('rasa_head.pre_pos_layers.0.weight', 0), head('rasa_head.pos_pred.weight', 4)];
  const own = join(folder, 'own.safetensors');
  await writeSafetensors(own, [...tinyTensors('backbone.'), ...heads], tinyMetadata);
  await using inside = await openWeights(own);
  expect([inside.rasa.planes.length, inside.name]).toEqual([2, 'own + RASA 2']);
  await using without = await openWeights(own, { rasa: 'none' });
  expect(without.rasa.planes).toEqual([]);
  const separate = join(folder, 'rasa.safetensors');
  await writeSafetensors(separate, [head('pos_pred.weight', 2)]);
  await using given = await openWeights(file, { rasa: separate });
  expect(given.rasa.planes.length).toBe(1);
  await expect(openWeights(file, { rasa: file })).rejects.toThrow(/tiny\.safetensors holds no RASA heads/);
  await writeSafetensors(separate, [head('pos_pred.weight', 2)], { model: 'another' });
  await using foreign = await openWeights(file, { rasa: separate });
  expect(foreign.notes).toEqual([`the RASA planes of ${separate}: they were fitted on "another"`]);
  // Planes are removed after extraction, so caches need not know of them.
  await using plain = await openWeights(file);
  expect(await given.identity()).toBe(await plain.identity());
});

test('tensors that are not used are named, and a network that is not the teacher', async () => {
  const both = join(folder, 'both.safetensors');
  const extra = { ...head('x', 0), name: 'model.student.backbone.head.weight' };
  const networks = ['model.student.backbone.', 'model.teacher.backbone.'].flatMap((prefix) => tinyTensors(prefix));
  await writeSafetensors(both, [...networks, extra], tinyMetadata);
  await using student = await openWeights(both, { network: 'student' });
  expect([student.name, student.notes]).toEqual([
    'both student',
    ['network: "student"; the file also holds "teacher"; --network NAME chooses', 'the tensor head.weight is not used'],
  ]);
  await using teacher = await openWeights(both);
  expect([teacher.name, teacher.notes]).toEqual([
    'both',
    ['network: "teacher"; the file also holds "student"; --network NAME chooses'],
  ]);
  // What is taken without being asked for shares its cache with the same by name, and with nothing else.
  await using named = await openWeights(both, { network: 'teacher' });
  expect(await named.identity()).toBe(await teacher.identity());
  expect(await student.identity()).not.toBe(await teacher.identity());
});

test('averaged weights beside plain ones: which were taken is said, and each has the features of its own', async () => {
  const path = join(folder, 'deit.safetensors');
  const doubled = tinyTensors('model_ema.').map((entry) => ({
    ...entry,
    data: (entry.data as Float32Array).map((value) => 2 * value),
  }));
  await writeSafetensors(path, [...doubled, ...tinyTensors('model.')], tinyMetadata);
  await using plain = await openWeights(path);
  await using averaged = await openWeights(path, { network: 'model_ema' });
  expect(plain.notes).toEqual(['network: "model"; the file also holds "model_ema"; --network NAME chooses']);
  expect(averaged.notes).toEqual(['network: "model_ema"; the file also holds "model"; --network NAME chooses']);
  expect([plain.name, averaged.name]).toEqual(['deit', 'deit model_ema']);
  expect((await plain.read('norm.weight'))![0]).toBe(1);
  expect((await averaged.read('norm.weight'))![0]).toBe(2);
  expect(await averaged.identity()).not.toBe(await plain.identity());
  await expect(openWeights(path, { network: 'ema' })).rejects.toThrow(
    /deit\.safetensors: the file has no network "ema"; it has "model_ema", "model"/,
  );
});

test('any one prefix is taken off and said; of networks that nothing tells apart none is taken', async () => {
  const path = join(folder, 'prefix.safetensors');
  await writeSafetensors(path, tinyTensors('visual.trunk.'), tinyMetadata);
  await using weights = await openWeights(path);
  expect(weights.notes).toEqual(['network: the one under "visual.trunk" in the file']);
  expect((await weights.read('norm.weight'))?.length).toBe(16);
  await writeSafetensors(path, [...tinyTensors('base_encoder.'), ...tinyTensors('momentum_encoder.')], tinyMetadata);
  await expect(openWeights(path)).rejects.toThrow(
    /"base_encoder", "momentum_encoder", and nothing says which is meant; .*: --network NAME chooses/,
  );
  // The same network with and without "backbone." before its names: features must not be taken for each other's.
  await writeSafetensors(path, [...tinyTensors(), ...tinyTensors('backbone.')], tinyMetadata);
  await using bare = await openWeights(path, { network: 'plain' });
  await using prefixed = await openWeights(path, { network: 'backbone' });
  expect(await bare.identity()).not.toBe(await prefixed.identity());
});

test('folded RASA behind a prefix is as good as without', async () => {
  const path = join(folder, 'folded.safetensors');
  const layer = [
    { name: 'model.rasa.weight', dtype: 'f32' as const, shape: [16, 16], data: new Float32Array(256) },
    { name: 'model.rasa.bias', dtype: 'f32' as const, shape: [16], data: new Float32Array(16) },
  ];
  await writeSafetensors(path, [...tinyTensors('model.'), ...layer], tinyMetadata);
  await using weights = await openWeights(path);
  expect(weights.rasa.folded?.bias).toEqual(new Float32Array(16));
});

test('what is missing is named', async () => {
  await expect(openWeights(join(folder, 'nothing'))).rejects.toThrow(/does not exist/);
  await mkdir(join(folder, 'empty'));
  await expect(openWeights(join(folder, 'empty'))).rejects.toThrow(/holds no weights: none of teacher\.safetensors/);
});
