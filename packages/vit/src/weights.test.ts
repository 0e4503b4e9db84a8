import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { configOf } from './config-of-weights';
import { finalLayerOf } from './final-layer';
import { vitSpecs } from './specs';
import { type WeightFile, weightsOf } from './weights';

const config = vitConfig('tiny', { depth: 2, imgSize: 28 });
const names = Object.keys(vitSpecs(config));
const D = config.embedDim;

/** A file of these tensors, each filled with its place in it, that refuses names which it does not have. */
function fileOf(tensors: readonly (readonly [name: string, shape: readonly number[]])[]): WeightFile {
  const all = new Map(tensors.map(([name, shape]) => [name, { shape }]));
  return {
    tensors: all,
    readFloat32: async (name) => {
      const found = all.get(name);
      if (!found) throw new Error(`no tensor ${name}`);
      return new Float32Array(found.shape.reduce((a, b) => a * b, 1)).fill([...all.keys()].indexOf(name));
    },
  };
}
const model = (rename: (name: string) => string) =>
  Object.entries(vitSpecs(config)).map(([name, { shape }]) => [rename(name), shape] as const);
const chunked = (name: string) => name.replace(/^blocks\.(\d+)\./, 'blocks.1.$1.');

test.each<[string, (name: string) => string]>([
  ['as they are', (name) => name],
  ['chunked', chunked],
  ['behind a section', (name) => `teacher.backbone.${chunked(name)}`],
  ['behind wrappers', (name) => `module.${name}`],
  ['with wrappers inside', (name) => `model._orig_mod.${name.replace('mlp.', '_fsdp_wrapped_module.mlp.')}`],
  ['in lists', (name) => `0.encoder.${name}`],
])('names %s are found, other tensors named as not used', async (_, rename) => {
  const others = [['optimizer.state', [1]] as const, ['dino_head.mlps.0.0.weight', [1, 2]] as const];
  const file = fileOf([...others, ...model(rename)]);
  expect(configOf(file)).toMatchObject({ config, unused: others.map(([name]) => name) });
  const weights = weightsOf(file);
  for (const [i, name] of names.entries()) expect((await weights(name))?.[0]).toBe(others.length + i);
  expect(weights('head.weight')).toBeUndefined();
});

test('of several networks none is guessed', () => {
  const both = fileOf([...model((name) => `student.backbone.${name}`), ...model((name) => `teacher.${name}`)]);
  for (const read of [configOf, weightsOf])
    expect(() => read(both)).toThrow(
      /2 networks, under "student\.backbone\.", "teacher\.", and nothing says which is meant; take one out: splitOfficial/,
    );
  // a predictor alone is no ViT
  expect(configOf(fileOf([...model((name) => name), ['p.patch_embed.proj.weight', [1]]])).config).toEqual(config);
  expect(() => weightsOf(fileOf([...model((name) => name), ...model(chunked)]))).toThrow(/are both "blocks\.0\./);
});

test('a mask token of another width counts as absent', () => {
  const file = fileOf(
    model((name) => name).map(([name, shape]) => [name, name === 'mask_token' ? [1, 1, 512] : shape]),
  );
  expect(configOf(file).unused).toEqual(['mask_token']);
  expect(weightsOf(file)('mask_token')).toBeUndefined();
});

test("biases that a family leaves out are zeros: of CLIP's patches, of DINOv3's keys", async () => {
  const clip = fileOf([
    ...model((name) => name).filter(([name]) => name !== 'patch_embed.proj.bias'),
    ['norm_pre.weight', [D]],
    ['norm_pre.bias', [D]],
  ]);
  expect(await weightsOf(clip)('patch_embed.proj.bias')).toEqual(new Float32Array(D));
  expect(configOf(clip, { activation: 'gelu', normEps: 1e-5 }).config.preNorm).toBe(true);

  const values: Readonly<Record<string, number[]>> = {
    'patch_embed.proj.weight': [0],
    'blocks.0.attn.qkv.bias': [1, 2, 3],
    'blocks.0.attn.qkv.bias_mask': [1, 0, 1],
    'blocks.1.attn.qkv.bias': [1, 2, 3],
    'blocks.1.attn.qkv.bias_mask': [1, Number.NaN, 1],
    'rope_embed.periods': [1],
    storage_tokens: [7],
  };
  const tensors = new Map(Object.entries(values).map(([name, { length }]) => [name, { shape: [length] }]));
  const weights = weightsOf({ tensors, readFloat32: (name) => values[name]! });
  expect(Array.from((await weights('blocks.0.attn.qkv.bias'))!)).toEqual([1, 0, 3]);
  await expect(weights('blocks.1.attn.qkv.bias')).rejects.toThrow(
    /"blocks\.1\.attn\.qkv\.bias_mask" is no mask of ones and zeros/,
  );
  expect(await weights('register_tokens')).toEqual([7]);
});

test('a final layer is found beside the model, behind the same prefix; half of one is refused', async () => {
  const rename = (name: string) => `model.${name}`;
  const weight = ['model.rasa.weight', [D, D]] as const;
  const file = fileOf([...model(rename), weight, ['model.rasa.bias', [D]]]);
  expect(configOf(file).unused).toEqual([]);
  expect((await finalLayerOf(file))?.bias[0]).toBe(names.length + 1);
  expect(await finalLayerOf(fileOf(model(rename)))).toBeUndefined();
  await expect(finalLayerOf(fileOf([...model(rename), weight]))).rejects.toThrow(/one is missing/);
});

test('what is no open file is called what it is', () => {
  const wrong = (given: unknown) => () => configOf(given as WeightFile);
  expect(wrong('a.safetensors')).toThrow(/not from its path "a\.safetensors"; openCheckpoint\(path\)/);
  expect(wrong(Promise.resolve())).toThrow(/await it/);
  expect(wrong(undefined)).toThrow(/undefined was given/);
  expect(wrong({ tensors: { cls_token: [1] } })).toThrow(/a Map from names/);
});
