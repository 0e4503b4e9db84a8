/**
 * `Dinov2Model` and `Dinov2WithRegistersModel`: DINOv2, Franca, Web-SSL. The same computation as the official one but for the resampling of positions. Names and
 * defaults: `models/dinov2`, `models/dinov2_with_registers` of transformers 5; version 5 writes the names of version 4.
 */
import type { VitConfig } from '../config';
import { type Family, type Names, positionNote, THREE_CHANNELS } from './family';
import { activation, count, type Fields, flag, positive, sizes } from './fields';

const ATTENTION = 'encoder.layer.#.attention';

const NAMES: Names = /* @__PURE__ */ (() => ({
  cls_token: 'embeddings.cls_token',
  pos_embed: 'embeddings.position_embeddings',
  mask_token: 'embeddings.mask_token',
  'patch_embed.proj': 'embeddings.patch_embeddings.projection',
  'blocks.#.norm1': 'encoder.layer.#.norm1',
  'blocks.#.attn.qkv': ['query', 'key', 'value'].map((part) => `${ATTENTION}.attention.${part}`),
  'blocks.#.attn.proj': `${ATTENTION}.output.dense`,
  'blocks.#.ls1.gamma': 'encoder.layer.#.layer_scale1.lambda1',
  'blocks.#.norm2': 'encoder.layer.#.norm2',
  'blocks.#.mlp.fc1': 'encoder.layer.#.mlp.fc1',
  'blocks.#.mlp.fc2': 'encoder.layer.#.mlp.fc2',
  'blocks.#.mlp.w12': 'encoder.layer.#.mlp.weights_in',
  'blocks.#.mlp.w3': 'encoder.layer.#.mlp.weights_out',
  'blocks.#.ls2.gamma': 'encoder.layer.#.layer_scale2.lambda1',
  norm: 'layernorm',
}))();

const DEFAULTS: Fields = {
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  mlp_ratio: 4,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-6,
  image_size: 224,
  patch_size: 14,
  num_channels: 3,
  qkv_bias: true,
  layerscale_value: 1,
  use_swiglu_ffn: false,
  apply_layernorm: true,
};

const SHARED: Pick<Family, 'required' | 'biases'> = /* @__PURE__ */ (() => ({
  required: { ...THREE_CHANNELS, apply_layernorm: [true, 'a backbone whose features are not normed'] },
  biases: { query: 'qkv_bias', key: 'qkv_bias', value: 'qkv_bias' },
}))();

const configOf = (fields: Fields): Omit<VitConfig, 'numRegisterTokens' | 'interpolateAntialias'> => {
  const gated = flag(fields, 'use_swiglu_ffn');
  return {
    ...sizes(fields),
    mlpRatio: positive(fields, 'mlp_ratio'),
    ffnLayer: gated ? 'swiglu' : 'mlp',
    layerScale: positive(fields, 'layerscale_value'),
    interpolateOffset: 0,
    ...(gated ? {} : activation(fields)),
  };
};

export const DINOV2: Family = /* @__PURE__ */ (() => ({
  name: 'Dinov2Model',
  type: 'dinov2',
  defaults: DEFAULTS,
  ...SHARED,
  names: NAMES,
  config: (fields) => ({ ...configOf(fields), numRegisterTokens: 0, interpolateAntialias: false }),
  notes: [positionNote('Dinov2Model')],
}))();

export const DINOV2_WITH_REGISTERS: Family = /* @__PURE__ */ (() => ({
  name: 'Dinov2WithRegistersModel',
  type: 'dinov2_with_registers',
  defaults: { ...DEFAULTS, patch_size: 16, num_register_tokens: 4 },
  ...SHARED,
  names: { ...NAMES, register_tokens: 'embeddings.register_tokens' },
  config: (fields) => ({
    ...configOf(fields),
    numRegisterTokens: count(fields, 'num_register_tokens', 0),
    interpolateAntialias: true,
  }),
  notes: [positionNote('Dinov2WithRegistersModel', true)],
}))();
