/**
 * `CLIPVisionModel`, by itself or in a `CLIPModel`: a norm before the blocks, no bias of the patch embedding. Names and defaults: `models/clip` of transformers
 * 5; a config.json of both halves says what differs from the defaults alone.
 */
import { type Family, type Names, positionNote, THREE_CHANNELS } from './family';
import { type Fields, plainVit } from './fields';

/** Layers as CLIP and SigLIP name them. */
export const CLIP_LAYERS: Names = /* @__PURE__ */ (() => ({
  'patch_embed.proj': 'embeddings.patch_embedding',
  pos_embed: 'embeddings.position_embedding.weight',
  'blocks.#.norm1': 'encoder.layers.#.layer_norm1',
  'blocks.#.attn.qkv': ['q', 'k', 'v'].map((part) => `encoder.layers.#.self_attn.${part}_proj`),
  'blocks.#.attn.proj': 'encoder.layers.#.self_attn.out_proj',
  'blocks.#.norm2': 'encoder.layers.#.layer_norm2',
  'blocks.#.mlp.fc1': 'encoder.layers.#.mlp.fc1',
  'blocks.#.mlp.fc2': 'encoder.layers.#.mlp.fc2',
  norm: 'post_layernorm',
}))();

export const CLIP_DEFAULTS: Fields = {
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
  image_size: 224,
  patch_size: 32,
  num_channels: 3,
};

export const CLIP: Family = /* @__PURE__ */ (() => ({
  name: 'CLIPVisionModel',
  type: 'clip_vision_model',
  partOf: 'clip',
  defaults: CLIP_DEFAULTS,
  required: THREE_CHANNELS,
  names: { ...CLIP_LAYERS, cls_token: 'embeddings.class_embedding', norm_pre: 'pre_layrnorm' },
  biases: { patch_embedding: false },
  config: (fields) => ({
    ...plainVit(fields),
    preNorm: true,
  }),
  notes: [
    positionNote('CLIPVisionModel'),
    'all tokens are given after post_layernorm, as timm and open_clip give them; CLIPVisionModel applies it to the pooled class token alone, and its last_hidden_state is before it',
  ],
}))();
