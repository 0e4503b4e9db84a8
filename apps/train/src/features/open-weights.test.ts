import { mkdir, rm } from 'node:fs/promises';
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
  expect(foreign.notes).toEqual(['the RASA heads were fitted on "another"']);
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
  expect([student.name, student.notes]).toEqual(['both student', ['the tensor head.weight is not used']]);
  await using teacher = await openWeights(both);
  expect([teacher.name, teacher.notes]).toEqual(['both', []]);
});

test('what is missing is named', async () => {
  await expect(openWeights(join(folder, 'nothing'))).rejects.toThrow(/does not exist/);
  await mkdir(join(folder, 'empty'));
  await expect(openWeights(join(folder, 'empty'))).rejects.toThrow(/holds no weights: none of teacher\.safetensors/);
});
