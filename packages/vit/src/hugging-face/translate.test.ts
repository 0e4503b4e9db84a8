import { expect, test } from 'vitest';
import { D, DEPTH, FOLDERS, type FolderName, fileOf, HIDDEN } from '../../test/hugging-face';
import { configOf } from '../config-of-weights';
import { vitSpecs } from '../specs';
import { CONFIG_KEY, encodeVitConfig } from '../stored-config';
import { weightsOf } from '../weights';
import { translateHuggingFace } from './translate';

/** What a tensor of ours is made of: theirs one after the other, `[name, from, to]` for some rows, a number for so many zeros. */
type Made = readonly (string | number | readonly [name: string, from: number, to: number])[];

const BOTH = ['weight', 'bias'];
const same = (ours: string, theirs: string): Record<string, Made> =>
  Object.fromEntries(BOTH.map((part) => [`${ours}.${part}`, [`${theirs}.${part}`]]));
const stacked = (ours: string, theirs: readonly string[]): Record<string, Made> =>
  Object.fromEntries(BOTH.map((part) => [`${ours}.${part}`, theirs.map((name) => `${name}.${part}`)]));
const blocks = (one: (ours: string, i: number) => Record<string, Made>): Record<string, Made> =>
  Object.assign({}, ...Array.from({ length: DEPTH }, (_, i) => one(`blocks.${i}`, i)));

const embeddings: Record<string, Made> = {
  cls_token: ['embeddings.cls_token'],
  pos_embed: ['embeddings.position_embeddings'],
  ...same('patch_embed.proj', 'embeddings.patch_embeddings.projection'),
};
const selfAttention = (ours: string, i: number): Record<string, Made> => {
  const at = `encoder.layer.${i}.attention`;
  return {
    ...stacked(`${ours}.attn.qkv`, [`${at}.attention.query`, `${at}.attention.key`, `${at}.attention.value`]),
    ...same(`${ours}.attn.proj`, `${at}.output.dense`),
  };
};
const dinov2 = (layers: readonly (readonly [string, string])[]): Record<string, Made> => ({
  ...embeddings,
  mask_token: ['embeddings.mask_token'],
  ...blocks((ours, i) => ({
    ...same(`${ours}.norm1`, `encoder.layer.${i}.norm1`),
    ...selfAttention(ours, i),
    [`${ours}.ls1.gamma`]: [`encoder.layer.${i}.layer_scale1.lambda1`],
    ...same(`${ours}.norm2`, `encoder.layer.${i}.norm2`),
    ...Object.assign({}, ...layers.map(([a, b]) => same(`${ours}.mlp.${a}`, `encoder.layer.${i}.mlp.${b}`))),
    [`${ours}.ls2.gamma`]: [`encoder.layer.${i}.layer_scale2.lambda1`],
  })),
  ...same('norm', 'layernorm'),
});
const plain = dinov2([
  ['fc1', 'fc1'],
  ['fc2', 'fc2'],
]);
const vit: Record<string, Made> = {
  ...embeddings,
  ...blocks((ours, i) => ({
    ...same(`${ours}.norm1`, `encoder.layer.${i}.layernorm_before`),
    ...selfAttention(ours, i),
    ...same(`${ours}.norm2`, `encoder.layer.${i}.layernorm_after`),
    ...same(`${ours}.mlp.fc1`, `encoder.layer.${i}.intermediate.dense`),
    ...same(`${ours}.mlp.fc2`, `encoder.layer.${i}.output.dense`),
  })),
  ...same('norm', 'layernorm'),
};
const clipLayers: Record<string, Made> = {
  pos_embed: ['embeddings.position_embedding.weight'],
  ...blocks((ours, i) => {
    const at = `encoder.layers.${i}`;
    return {
      ...same(`${ours}.norm1`, `${at}.layer_norm1`),
      ...stacked(`${ours}.attn.qkv`, [`${at}.self_attn.q_proj`, `${at}.self_attn.k_proj`, `${at}.self_attn.v_proj`]),
      ...same(`${ours}.attn.proj`, `${at}.self_attn.out_proj`),
      ...same(`${ours}.norm2`, `${at}.layer_norm2`),
      ...same(`${ours}.mlp.fc1`, `${at}.mlp.fc1`),
      ...same(`${ours}.mlp.fc2`, `${at}.mlp.fc2`),
    };
  }),
  ...same('norm', 'post_layernorm'),
};
const clip: Record<string, Made> = {
  ...clipLayers,
  cls_token: ['embeddings.class_embedding'],
  'patch_embed.proj.weight': ['embeddings.patch_embedding.weight'],
  'patch_embed.proj.bias': [D],
  ...same('norm_pre', 'pre_layrnorm'),
};
const siglip: Record<string, Made> = {
  ...clipLayers,
  ...same('patch_embed.proj', 'embeddings.patch_embedding'),
  'attn_pool.latent': ['head.probe'],
  'attn_pool.q.weight': [['head.attention.in_proj_weight', 0, D * D]],
  'attn_pool.q.bias': [['head.attention.in_proj_bias', 0, D]],
  'attn_pool.kv.weight': [['head.attention.in_proj_weight', D * D, 3 * D * D]],
  'attn_pool.kv.bias': [['head.attention.in_proj_bias', D, 3 * D]],
  ...same('attn_pool.proj', 'head.attention.out_proj'),
  ...same('attn_pool.norm', 'head.layernorm'),
  ...same('attn_pool.mlp.fc1', 'head.mlp.fc1'),
  ...same('attn_pool.mlp.fc2', 'head.mlp.fc2'),
};
const dinov3 = (layers: (ours: string, at: string) => Record<string, Made>): Record<string, Made> => ({
  cls_token: ['embeddings.cls_token'],
  register_tokens: ['embeddings.register_tokens'],
  mask_token: ['embeddings.mask_token'],
  ...same('patch_embed.proj', 'embeddings.patch_embeddings'),
  ...blocks((ours, i) => {
    const at = `layer.${i}`;
    const parts = ['q', 'k', 'v'].map((part) => `${at}.attention.${part}_proj`);
    return {
      ...same(`${ours}.norm1`, `${at}.norm1`),
      ...stacked(`${ours}.attn.qkv`, parts),
      [`${ours}.attn.qkv.bias`]: [`${parts[0]}.bias`, D, `${parts[2]}.bias`],
      ...same(`${ours}.attn.proj`, `${at}.attention.o_proj`),
      [`${ours}.ls1.gamma`]: [`${at}.layer_scale1.lambda1`],
      ...same(`${ours}.norm2`, `${at}.norm2`),
      ...layers(ours, `${at}.mlp`),
      [`${ours}.ls2.gamma`]: [`${at}.layer_scale2.lambda1`],
    };
  }),
  ...same('norm', 'norm'),
});

const cases: readonly (readonly [FolderName, prefix: string, Record<string, Made>])[] = [
  ['dinov2', '', plain],
  [
    'dinov2Classifier',
    'dinov2.',
    dinov2([
      ['w12', 'weights_in'],
      ['w3', 'weights_out'],
    ]),
  ],
  ['dinov2Registers', '', { ...plain, register_tokens: ['embeddings.register_tokens'] }],
  ['vit', 'vit.', vit],
  ['deit', '', vit],
  ['mae', 'vit.', vit],
  ['clip', 'vision_model.', clip],
  ['clipModel', 'vision_model.', clip],
  ['siglip', 'vision_model.', siglip],
  ['siglipModel', 'vision_model.', siglip],
  [
    'dinov3',
    '',
    dinov3((ours, at) => ({
      ...same(`${ours}.mlp.fc1`, `${at}.up_proj`),
      ...same(`${ours}.mlp.fc2`, `${at}.down_proj`),
    })),
  ],
  [
    'dinov3Gated',
    '',
    dinov3((ours, at) => ({
      ...stacked(`${ours}.mlp.w12`, [`${at}.gate_proj`, `${at}.up_proj`]),
      ...same(`${ours}.mlp.w3`, `${at}.down_proj`),
    })),
  ],
];

const bitsOf = (values: ArrayLike<number>): string => Buffer.from(Float32Array.from(values).buffer).toString('base64');

test.each(cases)('%s: every tensor holds what it holds under its own name', async (name, prefix, expected) => {
  const { config, shapes } = FOLDERS[name];
  const file = fileOf(shapes);
  const model = translateHuggingFace(file, config);
  expect(new Set(model.tensors.keys())).toEqual(new Set(Object.keys(expected)));
  for (const [ours, parts] of Object.entries(expected)) {
    const made = await Promise.all(
      parts.map(async (part) => {
        if (typeof part === 'number') return new Array<number>(part).fill(0);
        const [theirs, from, to] = typeof part === 'string' ? [part] : part;
        return [...Array.from(await file.readFloat32(prefix + theirs))].slice(from, to);
      }),
    );
    expect([ours, bitsOf(await model.readFloat32(ours))]).toEqual([ours, bitsOf(made.flat())]);
    const shape = vitSpecs(model.config)[ours]!.shape;
    expect(model.tensors.get(ours)).toEqual({ name: ours, dtype: 'f32', shape, byteLength: 4 * made.flat().length });
  }
  // an open file of it is a file like any other
  expect(configOf(model)).toEqual({ config: model.config, assumed: [], unused: [] });
  expect(Array.from((await weightsOf(model)('norm.bias'))!)).toEqual([...(await model.read('norm.bias'))]);
  expect([...(await model.read('norm.bias', { start: 2, end: 5 }))]).toEqual(
    [...(await model.read('norm.bias'))].slice(2, 5),
  );
});

/** What all tiny folders have in common. */
const sizes = { embedDim: D, depth: DEPTH, numHeads: 2, imgSize: 24, patchSize: 8, numRegisterTokens: 0 };
const resampling = { interpolateOffset: 0, interpolateAntialias: false };

test.each([
  ['dinov2', 'Dinov2Model', { mlpRatio: 2, ffnLayer: 'mlp', layerScale: 1 }],
  ['dinov2Classifier', 'Dinov2Model', { mlpRatio: 2, ffnLayer: 'swiglu', layerScale: 1 }],
  [
    'dinov2Registers',
    'Dinov2WithRegistersModel',
    { mlpRatio: 2, ffnLayer: 'mlp', layerScale: 1, numRegisterTokens: 3, interpolateAntialias: true },
  ],
  ['vit', 'ViTModel', { normEps: 1e-12 }],
  ['deit', 'DeiTModel', { normEps: 1e-12 }],
  ['mae', 'ViTMAEModel', { normEps: 1e-12 }],
  ['clip', 'CLIPVisionModel', { normEps: 1e-5, activation: 'quick_gelu', preNorm: true }],
  ['clipModel', 'CLIPVisionModel', { normEps: 1e-5, preNorm: true }],
  ['siglip', 'SiglipVisionModel', { activation: 'gelu_tanh', classToken: false }],
  ['siglipModel', 'SiglipVisionModel', { activation: 'gelu_tanh', classToken: false }],
  ['dinov3', 'DINOv3ViTModel', { normEps: 1e-5, ropeTheta: 100, layerScale: 1, numRegisterTokens: 4 }],
  [
    'dinov3Gated',
    'DINOv3ViTModel',
    { normEps: 1e-5, ropeTheta: 100, layerScale: 1, numRegisterTokens: 4, ffnLayer: 'swiglu', mlpRatio: 2.5 },
  ],
] as const)('%s is a %s: what config.json says, with the defaults of its class', (name, family, own) => {
  const usual = { mlpRatio: HIDDEN / D, ffnLayer: 'mlp', layerScale: undefined };
  const model = translateHuggingFace(fileOf(FOLDERS[name].shapes), FOLDERS[name].config);
  expect([model.family, model.config]).toEqual([family, { ...sizes, ...usual, ...resampling, ...own }]);
});

const notesOf = (name: FolderName) =>
  translateHuggingFace(fileOf(FOLDERS[name].shapes), FOLDERS[name].config).notes.join('\n');

test('what differs from the class, and what is left out, is said', () => {
  expect(notesOf('dinov2')).toMatch(
    /^for images of another size positions are resampled as Dinov2Model does: bicubic, to/,
  );
  expect(notesOf('dinov2Registers')).toMatch(
    /bicubic with antialiasing, to the target grid, without the offset of 0\.1/,
  );
  expect(notesOf('dinov2Classifier')).toMatch(/\n2 tensors are not .*left out, such as classifier\.weight$/);
  expect(notesOf('deit')).toMatch(/such as pooler\.dense\.weight$/);
  expect(notesOf('mae')).toMatch(/all patches are seen(.|\n)*3 tensors are not of the vision model/);
  expect(notesOf('clip')).toMatch(/after post_layernorm, as timm and open_clip/);
  expect(notesOf('clip')).not.toMatch(/left out/);
  expect(notesOf('siglipModel')).toMatch(/pooler_output(.|\n)*2 tensors are .*such as text_model/);
  expect(notesOf('dinov3')).toBe('');
  // 26 px are three patches of 8 and two pixels more
  const { config, shapes } = FOLDERS.siglip;
  const cropped = translateHuggingFace(fileOf(shapes), { ...config, image_size: 26 });
  expect([cropped.config.imgSize, cropped.notes.at(-1)]).toEqual([
    24,
    'images of 26 px are 24 px of whole patches: the library leaves out what is right and below of them',
  ]);
});

test('names of version 5, biases that the fields deny and early fields of CLIP are known', async () => {
  const { config, shapes } = FOLDERS.dinov3;
  const renamed = Object.entries(shapes).map(
    ([name, shape]) => [name.replace(/^layer\./, 'model.layer.'), shape] as const,
  );
  const file = fileOf(Object.fromEntries(renamed));
  const values = await translateHuggingFace(file, config).readFloat32('blocks.1.norm1.bias');
  expect([...values]).toEqual([...Array.from(await file.readFloat32('model.layer.1.norm1.bias'))]);
  const unbiased = Object.entries(FOLDERS.dinov2.shapes).filter(([name]) => !/(query|key|value)\.bias$/.test(name));
  const model = translateHuggingFace(fileOf(Object.fromEntries(unbiased)), {
    ...FOLDERS.dinov2.config,
    qkv_bias: false,
  });
  expect([...(await model.readFloat32('blocks.0.attn.qkv.bias'))]).toEqual(new Array(3 * D).fill(0));
  const early = { ...FOLDERS.clipModel.config, vision_config_dict: FOLDERS.clip.config };
  expect(translateHuggingFace(fileOf(FOLDERS.clipModel.shapes), early).config.activation).toBe('quick_gelu');
});

test('the mask token may be absent, and a file without values in a tensor of no registers is one without registers', () => {
  const { config, shapes } = FOLDERS.dinov2;
  const without = Object.entries(shapes).filter(([name]) => name !== 'embeddings.mask_token');
  expect(translateHuggingFace(fileOf(Object.fromEntries(without)), config).tensors.has('mask_token')).toBe(false);
  const none = { ...shapes, 'embeddings.register_tokens': [1, 0, D] };
  const model = { ...config, model_type: 'dinov2_with_registers', num_register_tokens: 0 };
  expect(translateHuggingFace(fileOf(none), model).config.numRegisterTokens).toBe(0);
});

test('the configuration in the metadata says what config.json cannot, and must agree with it in the rest', () => {
  const { config, shapes } = FOLDERS.dinov2;
  const said = translateHuggingFace(fileOf(shapes), config).config;
  const from = (stored: object) =>
    translateHuggingFace(
      fileOf(shapes, { [CONFIG_KEY]: encodeVitConfig({ config: { ...said, ...stored }, assumed: [] }) }),
      config,
    );
  const own = { layerScale: undefined, interpolateOffset: 0.1, normEps: 1e-6 };
  const model = from(own);
  expect(model.config).toEqual({ ...said, ...own });
  expect([...model.tensors.keys()].some((name) => name.endsWith('gamma'))).toBe(false);
  expect(configOf(model).config).toEqual(model.config);
  expect(() => from({ numHeads: 4 })).toThrow(/numHeads is 2 by config\.json and 4 in the metadata "franca\.vit"/);
  expect(() => from({ activation: 'quick_gelu' })).toThrow(/activation is gelu by config\.json and quick_gelu in/);
});
