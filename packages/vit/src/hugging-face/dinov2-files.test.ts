import { countParameters, initialValues, uniform } from '@franca/nn';
import { sizeOf } from '@franca/tensor';
import { expect, test } from 'vitest';
import { type VitConfig, vitConfig } from '../config';
import { FINAL_LAYER } from '../final-layer';
import { vitSpecs } from '../specs';
import type { WeightFile } from '../weights';
import { type Dinov2Files, dinov2Files } from './dinov2-files';
import { translateHuggingFace } from './translate';

const tiny = vitConfig('tiny', { embedDim: 24, numHeads: 2, depth: 2, imgSize: 28, patchSize: 7 });
/** Random values of every parameter, those that start out all alike too. */
const weightsFor = (config: VitConfig) => {
  const specs = vitSpecs(config);
  return (name: string) =>
    Object.hasOwn(specs, name) ? initialValues(name, { ...specs[name]!, init: uniform(1) }, 3) : undefined;
};
const none = () => undefined;
const bitsOf = (values: ArrayLike<number>): string => Buffer.from(Float32Array.from(values).buffer).toString('base64');

/** Those files opened again. */
const opened = ({ tensors, metadata }: Dinov2Files, withMetadata: boolean): WeightFile => ({
  tensors: new Map(tensors.map(({ name, shape }) => [name, { shape }])),
  readFloat32: (name) => tensors.find((each) => each.name === name)!.read(),
  ...(withMetadata && { metadata }),
});

test.each<readonly [string, Partial<VitConfig>]>([
  ['Franca', {}],
  ['registers', { numRegisterTokens: 3, interpolateOffset: 0, interpolateAntialias: true }],
  ['an MLP without LayerScale', { ffnLayer: 'mlp', layerScale: undefined }],
  ['another ratio, activation and eps', { ffnLayer: 'mlp', mlpRatio: 2.5, activation: 'quick_gelu', normEps: 1e-5 }],
])('%s: there and back is the same model to the bit', async (_, options) => {
  const config = { ...tiny, ...options };
  const weights = weightsFor(config);
  const files = await dinov2Files(config, weights);
  const json = JSON.parse(JSON.stringify(files.config));
  const back = translateHuggingFace(opened(files, true), json);
  expect(back.config).toEqual(config);
  expect(new Set(back.tensors.keys())).toEqual(new Set(Object.keys(vitSpecs(config))));
  for (const name of back.tensors.keys())
    expect([name, bitsOf(await back.readFloat32(name))]).toEqual([name, bitsOf(weights(name)!)]);
  // without our metadata: as the library knows it
  const plain = translateHuggingFace(opened(files, false), json);
  const known = { ...config, layerScale: config.layerScale ?? 1, interpolateOffset: 0 };
  expect(plain.config).toEqual({ ...known, interpolateAntialias: known.numRegisterTokens > 0 });
  if (config.layerScale === undefined)
    expect(await plain.readFloat32('blocks.1.ls2.gamma')).toEqual(new Float32Array(24).fill(1));
});

/** Key and shape of a published model, from its config.json and the modules of the library's code. */
function published(D: number, layers: number, registers: number): Record<string, readonly number[]> {
  const linear = (name: string, out: number, inputs: number) => ({
    [`${name}.weight`]: [out, inputs],
    [`${name}.bias`]: [out],
  });
  const norm = (name: string) => ({ [`${name}.weight`]: [D], [`${name}.bias`]: [D] });
  const layer = (at: string) => ({
    ...norm(`${at}.norm1`),
    ...linear(`${at}.attention.attention.query`, D, D),
    ...linear(`${at}.attention.attention.key`, D, D),
    ...linear(`${at}.attention.attention.value`, D, D),
    ...linear(`${at}.attention.output.dense`, D, D),
    [`${at}.layer_scale1.lambda1`]: [D],
    ...norm(`${at}.norm2`),
    ...linear(`${at}.mlp.fc1`, 4 * D, D),
    ...linear(`${at}.mlp.fc2`, D, 4 * D),
    [`${at}.layer_scale2.lambda1`]: [D],
  });
  return {
    'embeddings.cls_token': [1, 1, D],
    'embeddings.mask_token': [1, D],
    'embeddings.position_embeddings': [1, 1370, D],
    ...(registers > 0 && { 'embeddings.register_tokens': [1, registers, D] }),
    'embeddings.patch_embeddings.projection.weight': [D, 3, 14, 14],
    'embeddings.patch_embeddings.projection.bias': [D],
    ...Object.assign({}, ...Array.from({ length: layers }, (_, i) => layer(`encoder.layer.${i}`))),
    ...norm('layernorm'),
  };
}

test.each([
  ['facebook/dinov2-small', 'small', 384, 0, 22_056_576, 223],
  ['facebook/dinov2-base', 'base', 768, 0, 86_580_480, 223],
  ['facebook/dinov2-with-registers-small', 'small', 384, 4, 22_058_112, 224],
] as const)(
  '%s: keys, shapes and number of parameters are the published ones',
  async (_, size, D, registers, parameters, keys) => {
    const config = vitConfig(size, { imgSize: 518, ffnLayer: 'mlp', layerScale: 1, numRegisterTokens: registers });
    const files = await dinov2Files(config, none);
    const shapes = Object.fromEntries(files.tensors.map(({ name, shape }) => [name, shape]));
    expect(shapes).toEqual(published(D, 12, registers));
    expect(files.tensors).toHaveLength(keys);
    expect(files.tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(parameters);
    expect(countParameters(vitSpecs(config))).toBe(parameters);
    // the published config.json, but for its drop rates, names of stages and versions; layerscale_value is 1.0, the default
    expect(files.config).toMatchObject({
      architectures: [registers > 0 ? 'Dinov2WithRegistersModel' : 'Dinov2Model'],
      model_type: registers > 0 ? 'dinov2_with_registers' : 'dinov2',
      hidden_size: D,
      num_hidden_layers: 12,
      num_attention_heads: D / 64,
      mlp_ratio: 4,
      hidden_act: 'gelu',
      layer_norm_eps: 1e-6,
      image_size: 518,
      patch_size: 14,
      num_channels: 3,
      qkv_bias: true,
      use_swiglu_ffn: false,
      apply_layernorm: true,
      torch_dtype: 'float32',
      ...(registers > 0 && { num_register_tokens: 4 }),
    });
    expect(files.config).not.toHaveProperty('layerscale_value');
  },
);

const RATES = ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'drop_path_rate'];

test('no number of config.json that the library expects to be a float is written as a whole one', async () => {
  for (const layerScale of [1e-5, 1, 2, undefined]) {
    const { config } = await dinov2Files({ ...tiny, layerScale }, none);
    for (const name of ['layerscale_value', 'layer_norm_eps', 'initializer_range', ...RATES])
      expect(JSON.stringify(config[name] ?? 0.5)).toMatch(/[.e]/);
  }
});

test('what the library computes differently is said', async () => {
  const notes = async (options: Partial<VitConfig>) => (await dinov2Files({ ...tiny, ...options }, none)).notes;
  const plain = { interpolateOffset: 0, interpolateAntialias: false };
  expect(await notes(plain)).toEqual([]);
  expect(await notes({ ...plain, numRegisterTokens: 1, interpolateAntialias: true })).toEqual([]);
  expect(await notes({ ...plain, numRegisterTokens: 1 })).toEqual([
    expect.stringMatching(
      /than 28 px Dinov2WithRegistersModel .* without offset and antialiased, this model without offset and not antialiased/,
    ),
  ]);
  expect(await notes({})).toEqual([expect.stringMatching(/Dinov2Model .* this model with an offset of 0\.1 and not/)]);
  expect(await notes({ ...plain, layerScale: undefined })).toEqual([expect.stringMatching(/has no LayerScale/)]);
  expect(await notes({ ...plain, mlpRatio: 2.5 })).toEqual([
    expect.stringMatching(/mlp_ratio is 2\.5, which version 5/),
  ]);
});

test.each<readonly [Partial<VitConfig>, RegExp]>([
  [{ ropeTheta: 100 }, /cannot carry rotary positions \(ropeTheta 100\); write the model as ONNX/],
  [{ preNorm: true, classToken: false }, /a norm before the blocks \(preNorm\) and attention pooling/],
])('%o cannot be carried', async (options, message) => {
  await expect(dinov2Files({ ...tiny, ...options }, none)).rejects.toThrow(message);
});

test('a folded RASA cannot be carried; a missing tensor and one of another size are named when they are read', async () => {
  const rasa = (name: string) => (name === FINAL_LAYER.weight ? [1] : undefined);
  await expect(dinov2Files(tiny, rasa)).rejects.toThrow(/a folded RASA is a matrix after the final norm/);
  const read = async (name: string, weights: (name: string) => number[] | undefined) =>
    (await dinov2Files(tiny, weights)).tensors.find((each) => each.name === name)!.read();
  await expect(read('layernorm.bias', none)).rejects.toThrow(/the model has no "norm\.bias"; \[24\] are needed/);
  await expect(read('layernorm.bias', (name) => (name === 'norm.bias' ? [1, 2] : undefined))).rejects.toThrow(
    /2 values of "norm\.bias"/,
  );
  // LayerScale that the configuration promises is not made up
  await expect(read('encoder.layer.0.layer_scale1.lambda1', none)).rejects.toThrow(/no "blocks\.0\.ls1\.gamma"/);
  expect(await read('embeddings.mask_token', none)).toEqual(new Float32Array(24));
});
