import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveRunCheckpoint, type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { type Gpu, sizeOf } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { loadVit, type VitConfig, vitConfig, vitSpecs } from '@franca/vit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, tinyConfig, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { configMetadata, writeConfigFile } from './config-of-file';
import { openWeights } from './open-weights';
import type { WeightOptions } from './weights';

/** Four heads, where the width tells nothing; registers are none, but positions are resampled as with them. */
const config: VitConfig = { ...tinyConfig, numHeads: 4, interpolateOffset: 0, interpolateAntialias: true };
const metadata = configMetadata({ config, assumed: [] });
/** The same as a run's configuration. */
const yaml = `
franca: { vit: { embed_dim: 16, depth: 2, num_heads: 4 } }
student: { patch_size: 8, ffn_layer: mlp, layerscale: 0, interpolate_offset: 0, interpolate_antialias: true }
crops: { global_crops_size: 32, local_crops_size: 16 }
`;

let folder: string;
let gpu: Gpu;
beforeAll(async () => {
  folder = await temporaryFolder();
  gpu = await openGpu();
});
afterAll(async () => {
  gpu.dispose();
  await rm(folder, { recursive: true });
});

/** A new folder with the tiny model under `name`. */
async function model(place: string, name: string, kept: Readonly<Record<string, string>> = {}): Promise<string> {
  await mkdir(join(folder, place), { recursive: true });
  await writeSafetensors(join(folder, place, name), tinyTensors(), kept);
  return join(folder, place, name);
}

const configOf = async (path: string, options: WeightOptions = {}) => {
  await using weights = await openWeights(path, options);
  return weights.config;
};
const notesOf = async (path: string, options: WeightOptions = {}) => {
  await using weights = await openWeights(path, options);
  return weights.notes;
};

/** CLS of one image of 16 px, for which positions are resampled. */
async function cls(path: string, options: WeightOptions = {}): Promise<Float32Array> {
  await using weights = await openWeights(path, options);
  using loaded = await loadVit(gpu, { config: weights.config, weights: weights.read });
  const data = Float32Array.from({ length: 3 * 16 * 16 }, (_, i) => Math.sin(i));
  return (await loaded.run({ data, shape: [1, 3, 16, 16] })).cls;
}

test('weights give the same numbers by path, by folder, as a copy, and from a checkpoint of the run', async () => {
  const run = join(folder, 'run');
  const teacher = await model('run', 'teacher.safetensors', metadata);
  await writeFile(join(run, 'config.yaml'), yaml);
  const tensors = { teacher: tinyTensors('backbone.') };
  const step = await saveRunCheckpoint(run, { step: 3, state: {}, stateVersion: 1, tensors, metadata });
  // as runs saved them before files carried their configuration
  const old = await saveRunCheckpoint(run, { step: 2, state: {}, stateVersion: 1, tensors });
  const copy = join(folder, 'copy.safetensors');
  await cp(teacher, copy);
  const withJson = await model('json', 'renamed.safetensors');
  await writeConfigFile(join(folder, 'json'), { config, assumed: [] });
  const withYaml = await model('yaml', 'teacher.safetensors');
  await writeFile(join(folder, 'yaml', 'config.yaml'), yaml);
  const rasa = await model('yaml/rasa', 'folded.safetensors');
  const paths = [
    teacher,
    run,
    step,
    join(step, 'teacher.safetensors'),
    old,
    join(old, 'teacher.safetensors'),
    copy,
    withJson,
    withYaml,
    join(folder, 'yaml'),
    rasa,
  ];
  const expected = await cls(teacher);
  for (const path of paths) {
    expect([path, await configOf(path)]).toEqual([path, config]);
    expect(await cls(path)).toEqual(expected);
    expect(await configOf(`random:${path}`)).toEqual(config);
  }
  // heads and resampling change the numbers and no shape
  for (const other of [{ heads: 2 }, { interpolateOffset: 0.1 }, { interpolateAntialias: false }])
    expect(await cls(teacher, other)).not.toEqual(expected);
});

test('the command line comes before metadata, metadata before config.json, that before the configuration of the run', async () => {
  const path = await model('order', 'teacher.safetensors', tinyMetadata);
  await writeConfigFile(join(folder, 'order'), { config: { ...tinyConfig, numHeads: 8 }, assumed: [] });
  await writeFile(join(folder, 'order', 'config.yaml'), yaml);
  expect((await configOf(path)).numHeads).toBe(2);
  expect(await configOf(path, { heads: 1, interpolateAntialias: true })).toEqual({
    ...tinyConfig,
    numHeads: 1,
    interpolateAntialias: true,
  });
  expect(await notesOf(path, { heads: 1 })).toEqual([
    expect.stringMatching(/^heads: 1, given by --heads; the metadata .* says 2$/),
  ]);
  expect(await notesOf(path, { heads: 2 })).toEqual([]);
  await model('order', 'teacher.safetensors');
  expect((await configOf(path)).numHeads).toBe(8);
  await rm(join(folder, 'order', 'config.json'));
  expect((await configOf(path)).numHeads).toBe(4);
});

test('heads that nothing says are asked for, with what fits', async () => {
  const path = await model('bare', 'bare.safetensors');
  await expect(openWeights(path)).rejects.toThrow(
    /bare\.safetensors: .*at width 16 no number of them is usual.*1, 2 divide that width; say how many with --heads/,
  );
  await expect(openWeights(path, { heads: 3 })).rejects.toThrow(/cannot have 3 heads/);
  expect(await notesOf(path, { heads: 2 })).toEqual(['heads: 2, given by --heads']);
});

test('the control starts from the LayerScale of the run, or says which one it took', async () => {
  const scaled = vitConfig('tiny', { embedDim: 16, depth: 1, numHeads: 2, imgSize: 16, patchSize: 8, layerScale: 1 });
  const entries = Object.entries(vitSpecs(scaled)).map(
    ([name, { shape }]): TensorEntry => ({ name, dtype: 'f32', shape, data: new Float32Array(sizeOf(shape)) }),
  );
  const path = join(folder, 'scaled.safetensors');
  for (const [metadata, gamma, notes] of [
    [configMetadata({ config: scaled, assumed: [] }), 1, 0],
    [{}, Math.fround(1e-5), 1],
  ] as const) {
    await writeSafetensors(path, entries, metadata);
    await using random = await openWeights(`random:${path}`, { heads: 2 });
    expect((await random.read('blocks.0.ls1.gamma'))![0]).toBe(gamma);
    expect(random.notes.filter((note) => note === 'LayerScale starts at 0.00001, as officially').length).toBe(notes);
  }
});

test('what was assumed stays an assumption where it is written again', async () => {
  const path = await model('assumed', 'a.safetensors', configMetadata({ config: tinyConfig, assumed: ['numHeads'] }));
  expect(await notesOf(path)).toEqual([expect.stringMatching(/^heads: 2 assumed, 8 wide/)]);
  await using given = await openWeights(path, { heads: 2 });
  expect([given.assumed, given.notes]).toEqual([[], []]);
});

test('a configuration that contradicts the tensors is refused, and one that is broken', async () => {
  const path = await model(
    'other',
    'a.safetensors',
    configMetadata({ config: { ...tinyConfig, depth: 3 }, assumed: [] }),
  );
  await expect(openWeights(path)).rejects.toThrow(
    /the metadata "franca\.vit" of .* is of another model: depth is 3 there and 2 in the tensors/,
  );
  await model('other', 'a.safetensors', { 'franca.vit': '{"model_type": "franca-vit", "embed_dim": 1e9}' });
  await expect(openWeights(path)).rejects.toThrow(/franca\.vit" of .* is broken: depth is absent/);
  await model('other', 'a.safetensors');
  await writeFile(join(folder, 'other', 'config.yaml'), yaml.replace('embed_dim: 16', 'embed_dim: 32'));
  await expect(openWeights(path)).rejects.toThrow(
    /config\.yaml is of another model: embedDim is 32 there and 16 in the tensors/,
  );
});

test('a config.json or config.yaml of another program is neither read nor written over', async () => {
  const path = await model('hub', 'model.safetensors');
  const theirs = '{"model_type": "dinov2", "num_attention_heads": 4}';
  await writeFile(join(folder, 'hub', 'config.json'), theirs);
  await writeFile(join(folder, 'hub', 'config.yaml'), 'trainer: [8\n');
  await expect(openWeights(path)).rejects.toThrow(/say how many with --heads/);
  expect(await notesOf(path, { heads: 4 })).toEqual([
    expect.stringMatching(/config\.yaml is not used/),
    'heads: 4, given by --heads',
  ]);
  expect(await writeConfigFile(join(folder, 'hub'), { config, assumed: [] })).toBeUndefined();
  expect(await readFile(join(folder, 'hub', 'config.json'), 'utf8')).toBe(theirs);
});
