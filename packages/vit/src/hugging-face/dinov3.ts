/**
 * `DINOv3ViTModel`: rotary positions, registers, keys without bias, and at the large sizes a gated feed-forward layer silu(gate x) up x, which is SwiGLU with gate and up
 * one below the other. Names and defaults: `models/dinov3_vit` of transformers 5, which may write `model.layer.` for `layer.`.
 */
import type { VitConfig } from '../config';
import { type Family, THREE_CHANNELS } from './family';
import { activation, count, type Fields, feedForward, flag, positive, refuse, sizes } from './fields';

/** The gate of SwiGLU is silu; the plain layer has the activations that all have. */
function layer(fields: Fields): Pick<VitConfig, 'mlpRatio' | 'ffnLayer' | 'activation'> {
  if (!flag(fields, 'use_gated_mlp')) return { ...feedForward(fields), ...activation(fields) };
  if (fields.hidden_act !== 'silu' && fields.hidden_act !== 'swish')
    refuse(fields, 'hidden_act', 'a gated layer (use_gated_mlp) is loaded with silu alone');
  return feedForward(fields, 'swiglu');
}

export const DINOV3: Family = /* @__PURE__ */ (() => ({
  name: 'DINOv3ViTModel',
  type: 'dinov3_vit',
  defaults: {
    hidden_size: 384,
    num_hidden_layers: 12,
    num_attention_heads: 6,
    intermediate_size: 1536,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-5,
    image_size: 224,
    patch_size: 16,
    num_channels: 3,
    rope_theta: 100,
    query_bias: true,
    key_bias: false,
    value_bias: true,
    proj_bias: true,
    mlp_bias: true,
    layerscale_value: 1,
    use_gated_mlp: false,
    num_register_tokens: 0,
    apply_layernorm: true,
  },
  required: { ...THREE_CHANNELS, apply_layernorm: [true, 'a backbone whose features are not normed'] },
  names: {
    cls_token: 'embeddings.cls_token',
    register_tokens: 'embeddings.register_tokens',
    mask_token: 'embeddings.mask_token',
    'patch_embed.proj': 'embeddings.patch_embeddings',
    'blocks.#.norm1': 'layer.#.norm1',
    'blocks.#.attn.qkv': ['q', 'k', 'v'].map((part) => `layer.#.attention.${part}_proj`),
    'blocks.#.attn.proj': 'layer.#.attention.o_proj',
    'blocks.#.ls1.gamma': 'layer.#.layer_scale1.lambda1',
    'blocks.#.norm2': 'layer.#.norm2',
    'blocks.#.mlp.fc1': 'layer.#.mlp.up_proj',
    'blocks.#.mlp.fc2': 'layer.#.mlp.down_proj',
    'blocks.#.mlp.w12': ['layer.#.mlp.gate_proj', 'layer.#.mlp.up_proj'],
    'blocks.#.mlp.w3': 'layer.#.mlp.down_proj',
    'blocks.#.ls2.gamma': 'layer.#.layer_scale2.lambda1',
    norm: 'norm',
  },
  biases: {
    q_proj: 'query_bias',
    k_proj: 'key_bias',
    v_proj: 'value_bias',
    o_proj: 'proj_bias',
    gate_proj: 'mlp_bias',
    up_proj: 'mlp_bias',
    down_proj: 'mlp_bias',
  },
  alias: ['model.layer.', 'layer.'],
  config: (fields) => ({
    ...sizes(fields),
    ...layer(fields),
    numRegisterTokens: count(fields, 'num_register_tokens', 0),
    layerScale: positive(fields, 'layerscale_value'),
    interpolateOffset: 0,
    interpolateAntialias: false,
    ropeTheta: positive(fields, 'rope_theta'),
  }),
  notes: [],
}))();
