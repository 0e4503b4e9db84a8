import { expect, test } from 'vitest';
import { D, FOLDERS, type FolderName, fileOf, type Shapes } from '../../test/hugging-face';
import { configOf } from '../config-of-weights';
import { vitSpecs } from '../specs';
import { translateHuggingFace } from './translate';

/** Shapes with some changed, added or (undefined) left out. */
type Changes = Readonly<Record<string, readonly number[] | undefined>>;

const changed = (shapes: Shapes, changes: Changes): Shapes =>
  Object.fromEntries(
    Object.entries({ ...shapes, ...changes }).flatMap(([name, shape]) => (shape ? [[name, shape]] : [])),
  );
const loading = (name: FolderName, fields: object, changes: Changes = {}) => {
  const { config, shapes } = FOLDERS[name];
  return () => translateHuggingFace(fileOf(changed(shapes, changes)), { ...config, ...fields });
};

test.each<readonly [FolderName, object, RegExp]>([
  [
    'dinov2',
    { model_type: 'siglip2' },
    /model_type is "siglip2" in config\.json; the models that can be loaded are dinov2,/,
  ],
  ['dinov2', { model_type: undefined }, /model_type is absent in config\.json/],
  ['dinov2', { hidden_size: '24' }, /hidden_size is "24" in config\.json; expected a whole number of at least 1/],
  ['dinov2', { hidden_size: 24.5 }, /hidden_size is 24\.5/],
  [
    'dinov2',
    { num_attention_heads: 5 },
    /num_attention_heads is 5 in config\.json; it must divide hidden_size, which is 24/,
  ],
  ['vit', { head_dim: 16 }, /head_dim is 16 in config\.json; expected 12/],
  ['dinov2', { hidden_act: 'relu' }, /hidden_act is "relu" in config\.json; there are gelu,/],
  ['vit', { hidden_act: ['gelu'] }, /hidden_act is \["gelu"\]/],
  ['dinov2', { layer_norm_eps: -1 }, /layer_norm_eps is -1 in config\.json; expected a number above 0/],
  ['dinov2', { num_channels: 1 }, /num_channels is 1 in config\.json: a model of other images than colour ones; 3 can/],
  [
    'dinov2',
    { apply_layernorm: false },
    /apply_layernorm is false in config\.json: a backbone whose features are not normed/,
  ],
  ['dinov2', { image_size: [24, 32] }, /image_size is \[24,32\] in config\.json; only squares/],
  ['dinov2', { patch_size: [8, 4] }, /patch_size is \[8,4\]/],
  ['dinov2', { image_size: 4 }, /image_size is 4 in config\.json; expected at least one patch of 8/],
  ['dinov2', { use_swiglu_ffn: 'no' }, /use_swiglu_ffn is "no" in config\.json; expected true or false/],
  ['dinov2Registers', { num_register_tokens: -1 }, /num_register_tokens is -1/],
  ['siglip', { vision_use_head: false }, /vision_use_head is false in config\.json: a model without the head/],
  ['siglipModel', { vision_config: 'base' }, /vision_config is "base" in config\.json; expected the fields/],
  ['dinov3', { rope_theta: 0 }, /rope_theta is 0/],
  [
    'dinov3Gated',
    { hidden_act: 'gelu' },
    /hidden_act is "gelu" in config\.json; a gated layer \(use_gated_mlp\) is loaded with silu/,
  ],
  [
    'dinov3Gated',
    { intermediate_size: 44 },
    /intermediate_size is 44 in config\.json; a gated layer has a width that is a multiple of 8/,
  ],
])('%s with %o is refused by field and value', (name, fields, message) => {
  expect(loading(name, fields)).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringMatching(message) }),
  );
});

test('square sides may be written twice, and a silu under its other name is the same', () => {
  expect(loading('dinov2', { image_size: [24, 24], patch_size: [8, 8] })().config.imgSize).toBe(24);
  expect(loading('dinov3Gated', { hidden_act: 'swish' })().config.ffnLayer).toBe('swiglu');
});

test.each<readonly [string, FolderName, object, RegExp]>([
  [
    'a wider model',
    'vit',
    { hidden_size: 32 },
    /"vit\.embeddings\.cls_token" has shape \[1, 1, 24\]; config\.json makes it \[1, 1, 32\] \(hidden_size is 32, intermediate_size is 40, image_size/,
  ],
  [
    'another hidden width',
    'dinov2',
    { mlp_ratio: 3 },
    /"encoder\.layer\.0\.mlp\.fc1\.weight" has shape \[48, 24\]; config\.json makes it \[72, 24\]/,
  ],
  [
    'another grid',
    'dinov2',
    { image_size: 32 },
    /"embeddings\.position_embeddings" has shape \[1, 10, 24\]; .*\[1, 17, 24\]/,
  ],
  [
    'more layers',
    'dinov3',
    { num_hidden_layers: 3 },
    /num_hidden_layers is 3 in config\.json, and the tensors are those of 2 layers \(layer\.0/,
  ],
  ['a forged number of layers', 'clip', { num_hidden_layers: 1e15 }, /those of 2 layers/],
  [
    'fewer registers',
    'dinov3',
    { num_register_tokens: 2 },
    /register_tokens" has shape \[1, 4, 24\]; .*num_register_tokens is 2/,
  ],
  [
    'no bias',
    'vit',
    { qkv_bias: false },
    /qkv_bias is false in config\.json, and there is a tensor "vit\..*query\.bias"/,
  ],
])('a config.json of %s than the tensors is refused, naming both', (_, name, fields, message) => {
  expect(loading(name, fields)).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringMatching(message) }),
  );
});

test.each<readonly [string, FolderName, object, Changes, RegExp]>([
  [
    'those of another family',
    'vit',
    { model_type: 'dinov2', mlp_ratio: 2 },
    {},
    /config\.json says Dinov2Model, and there is no tensor "vit\.embeddings\.mask_token|"vit\.encoder\.layer\.0\.norm1\.weight"; .*nearest to ViTModel/,
  ],
  [
    'those of CLIP',
    'clip',
    { model_type: 'vit' },
    {},
    /says ViTModel, and there is no tensor "embeddings\.patch_embeddings\.projection\.weight"; there are vision_model\..*nearest to CLIPVisionModel/,
  ],
  [
    'those of SigLIP',
    'siglip',
    { model_type: 'clip_vision_model' },
    {},
    /no tensor "vision_model\.embeddings\.class_embedding".*nearest to SiglipVisionModel/,
  ],
  [
    'with registers',
    'dinov2Registers',
    { model_type: 'dinov2' },
    {},
    /"embeddings\.register_tokens" makes it another model than Dinov2Model/,
  ],
  [
    'with one missing',
    'dinov2',
    {},
    { 'encoder.layer.1.attention.attention.key.bias': undefined },
    /no tensor "encoder\.layer\.1\.attention\.attention\.key\.bias"; .*Dinov2Model is the nearest/,
  ],
  [
    'with norms of queries',
    'vit',
    {},
    { 'vit.encoder.layer.0.attention.q_norm.weight': [D] },
    /"vit\.encoder\.layer\.0\.attention\.q_norm\.weight" makes it another model than ViTModel/,
  ],
  [
    'with a distillation token',
    'deit',
    {},
    { 'embeddings.distillation_token': [1, 1, D] },
    /it is a distillation token/,
  ],
  [
    'with another norm',
    'siglip',
    {},
    { 'vision_model.pre_layrnorm.weight': [D] },
    /"vision_model\.pre_layrnorm\.weight" makes it another model/,
  ],
  [
    'of two models',
    'clip',
    {},
    { 'other.embeddings.patch_embedding.weight': [D, 3, 8, 8] },
    /2 vision models, under "vision_model\.", "other\."; keep one/,
  ],
])(
  'tensors %s are refused: the first that does not fit, and the nearest scheme',
  (_, name, fields, changes, message) => {
    expect(loading(name, fields, changes)).toThrow(
      expect.objectContaining({ code: 'weights', message: expect.stringMatching(message) }),
    );
  },
);

test('official names, no names and no file are called what they are', () => {
  const { config } = FOLDERS.dinov2;
  const { config: own } = loading('dinov2', {})();
  const official = Object.fromEntries(Object.entries(vitSpecs(own)).map(([name, { shape }]) => [name, shape]));
  expect(() => translateHuggingFace(fileOf(official), config)).toThrow(
    /nearest to official or timm weights, which are opened without/,
  );
  expect(() => translateHuggingFace(fileOf({}), config)).toThrow(/there are no tensors at all$/);
  expect(() => translateHuggingFace(fileOf({ a: [1] }), config)).toThrow(/like those of no family that is known/);
  expect(() => translateHuggingFace('a.safetensors' as never, config)).toThrow(/not from its path "a\.safetensors"/);
  expect(() => translateHuggingFace(fileOf({}), undefined as never)).toThrow(
    /config\.json are expected; undefined was given/,
  );
  expect(() => translateHuggingFace(fileOf({}), [] as never)).toThrow(/object was given: parse the file first/);
});

test.each(Object.keys(FOLDERS) as FolderName[])(
  '%s without its config.json: the message says what is missing',
  (name) => {
    expect(() => configOf(fileOf(FOLDERS[name].shapes))).toThrow(
      /these are names of Hugging Face, whose meaning stands in the config\.json of the same folder: translateHuggingFace/,
    );
  },
);
