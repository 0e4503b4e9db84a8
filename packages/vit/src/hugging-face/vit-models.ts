/**
 * `ViTModel`, `DeiTModel` without distillation token, and the encoder of `ViTMAEModel`: plain vision transformers without LayerScale. Names and defaults:
 * `models/vit`, `models/deit`, `models/vit_mae` of transformers 5; version 5 writes the names of version 4.
 */
import { type Family, type Names, positionNote, THREE_CHANNELS } from './family';
import { type Fields, plainVit } from './fields';

const ATTENTION = 'encoder.layer.#.attention';

const ENCODER: Names = /* @__PURE__ */ (() => ({
  cls_token: 'embeddings.cls_token',
  pos_embed: 'embeddings.position_embeddings',
  'patch_embed.proj': 'embeddings.patch_embeddings.projection',
  'blocks.#.norm1': 'encoder.layer.#.layernorm_before',
  'blocks.#.attn.qkv': ['query', 'key', 'value'].map((part) => `${ATTENTION}.attention.${part}`),
  'blocks.#.attn.proj': `${ATTENTION}.output.dense`,
  'blocks.#.norm2': 'encoder.layer.#.layernorm_after',
  'blocks.#.mlp.fc1': 'encoder.layer.#.intermediate.dense',
  'blocks.#.mlp.fc2': 'encoder.layer.#.output.dense',
  norm: 'layernorm',
}))();

const DEFAULTS: Fields = {
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  image_size: 224,
  patch_size: 16,
  num_channels: 3,
  qkv_bias: true,
};

const SHARED: Pick<Family, 'defaults' | 'required' | 'biases' | 'config'> = /* @__PURE__ */ (() => ({
  defaults: DEFAULTS,
  required: THREE_CHANNELS,
  biases: { query: 'qkv_bias', key: 'qkv_bias', value: 'qkv_bias' },
  config: plainVit,
}))();

export const VIT: Family = /* @__PURE__ */ (() => ({
  name: 'ViTModel',
  type: 'vit',
  ...SHARED,
  names: { ...ENCODER, mask_token: 'embeddings.mask_token' },
  notes: [positionNote('ViTModel')],
}))();

export const DEIT: Family = /* @__PURE__ */ (() => ({
  name: 'DeiTModel',
  type: 'deit',
  ...SHARED,
  names: { ...ENCODER, mask_token: 'embeddings.mask_token' },
  notes: [positionNote('DeiTModel')],
}))();

export const VIT_MAE: Family = /* @__PURE__ */ (() => ({
  name: 'ViTMAEModel',
  type: 'vit_mae',
  ...SHARED,
  names: ENCODER,
  notes: [
    positionNote('ViTMAEModel'),
    'all patches are seen, in their order; ViTMAEModel leaves out and shuffles what mask_ratio says, outside of training too',
  ],
}))();
