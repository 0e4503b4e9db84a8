import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import { type ProbeModel, readProbe, type SavedProbe, writeProbe } from './probe-file';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const model: ProbeModel = { name: 'tiny', identity: 'abc', dim: 2, depth: 3, size: 32 };
const saved: SavedProbe = {
  probe: {
    name: 'classifier_1_blocks_avgpool_True_lr_0_01000',
    input: { blocks: 1, avgpool: true },
    classifier: {
      weight: { data: Float32Array.from({ length: 12 }, (_, i) => i / 7), rows: 3, cols: 4 },
      bias: Float32Array.of(0.1, -0.2, 0.3),
    },
  },
  classes: ['a', 'b', 'c'],
  model,
  resize: 37,
  origin: {
    dataset: 'photos',
    split: 'train',
    hyper: { settings: 'own', epochs: 10, ks: [1, 2] },
    selectedOn: 'train-holdout',
    seeds: [0],
    notes: ['a note'],
  },
};

test('a probe comes back as it was written', async () => {
  const path = join(folder, 'p.safetensors');
  await writeProbe(path, saved);
  expect(await readProbe(path, model)).toEqual(saved);
});

test.each<[Partial<ProbeModel>, RegExp]>([
  [{ identity: 'other', name: 'giant' }, /is a probe on features of tiny, these weights are giant with other features/],
  [{ dim: 3 }, /other features/],
  [{ size: 64 }, /on images of 32 px, here they are 64 px; give --size 32/],
  [{ depth: 0 }, /reads 1 blocks of a model that has 0/],
])('another model is refused: %j', async (other, message) => {
  const path = join(folder, 'p.safetensors');
  await writeProbe(path, saved);
  await expect(readProbe(path, { ...model, ...other })).rejects.toThrow(message);
});

const { probe, ...facts } = saved;
const text = (changed: object = {}): string =>
  JSON.stringify({ name: probe.name, input: probe.input, ...facts, ...changed });
const weight: TensorEntry = { name: 'weight', dtype: 'f32', shape: [3, 4], data: probe.classifier.weight.data };
const bias: TensorEntry = { name: 'bias', dtype: 'f32', shape: [3], data: probe.classifier.bias };
const format = 'franca-probe 1';

test.each<[string, readonly TensorEntry[], Record<string, string>, RegExp]>([
  ['no metadata', [weight, bias], {}, /is no linear probe; franca-train eval linear --save-probe writes one/],
  ['another version', [weight, bias], { format: 'franca-probe 9', probe: text() }, /is no linear probe/],
  ['no JSON', [weight, bias], { format, probe: '{' }, /is no JSON/],
  ['null', [weight, bias], { format, probe: 'null' }, /its "name" cannot be read|its "input" cannot be read/],
  ['no classes', [weight, bias], { format, probe: text({ classes: undefined }) }, /its "classes" cannot be read/],
  ['numbers for classes', [weight, bias], { format, probe: text({ classes: [1, 2, 3] }) }, /its "classes"/],
  ['classes twice', [weight, bias], { format, probe: text({ classes: ['a', 'b', 'a'] }) }, /a class twice/],
  [
    'a centre that is larger',
    [weight, bias],
    { format, probe: text({ resize: 31 }) },
    /its "resize" is 31, below the 32 px/,
  ],
  ['blocks of -1', [weight, bias], { format, probe: text({ input: { blocks: -1, avgpool: true } }) }, /its "blocks"/],
  [
    'another choice',
    [weight, bias],
    { format, probe: text({ origin: { ...facts.origin, selectedOn: 'x' } }) },
    /"selectedOn"/,
  ],
  [
    'fewer classes',
    [weight, bias],
    { format, probe: text({ classes: ['a'] }) },
    /weight should be f32 \[1,4\] and is f32 \[3,4\]/,
  ],
  [
    'more inputs',
    [weight, bias],
    { format, probe: text({ input: { blocks: 2, avgpool: true } }) },
    /should be f32 \[3,6\]/,
  ],
  ['no bias', [weight], { format, probe: text() }, /bias should be f32 \[3\] and is not there/],
  [
    'NaN',
    [weight, { ...bias, data: Float32Array.of(0, Number.NaN, 0) }],
    { format, probe: text() },
    /bias has values that are no finite/,
  ],
])('%s is refused', async (_, tensors, metadata, message) => {
  const path = join(folder, 'bad.safetensors');
  await writeSafetensors(path, tensors, metadata);
  await expect(readProbe(path, model)).rejects.toThrow(message);
});

test('a file that is cut short, or whose header claims more than there is, is refused', async () => {
  const path = join(folder, 'p.safetensors');
  await writeProbe(path, saved);
  const bytes = await readFile(path);
  const cut = join(folder, 'cut.safetensors');
  await writeFile(cut, bytes.subarray(0, bytes.length - 5));
  await expect(readProbe(cut, model)).rejects.toMatchObject({ name: 'CheckpointError' });
  const forged = Buffer.from(bytes.toString('latin1').replace('[3,4]', '[3,9]'), 'latin1');
  await writeFile(cut, forged);
  await expect(readProbe(cut, model)).rejects.toMatchObject({ name: 'CheckpointError' });
});
