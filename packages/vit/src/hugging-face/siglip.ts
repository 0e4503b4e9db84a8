/**
 * `SiglipVisionModel`, by itself or in a `SiglipModel`: no class token; attention with a query of its own pools the patches. SigLIP 2 of fixed resolution is the same,
 * its config.json says so. Names and defaults: `models/siglip` of transformers 5.
 */
import { CLIP_DEFAULTS, CLIP_LAYERS } from './clip';
import { type Family, positionNote, THREE_CHANNELS } from './family';
import { plainVit } from './fields';

const PROJECTIONS = 'head.attention.in_proj';

export const SIGLIP: Family = /* @__PURE__ */ (() => ({
  name: 'SiglipVisionModel',
  type: 'siglip_vision_model',
  partOf: 'siglip',
  defaults: {
    ...CLIP_DEFAULTS,
    hidden_act: 'gelu_pytorch_tanh',
    layer_norm_eps: 1e-6,
    patch_size: 16,
    vision_use_head: true,
  },
  required: {
    ...THREE_CHANNELS,
    vision_use_head: [true, 'a model without the head that pools its patches, so that nothing stands for the image'],
  },
  names: {
    ...CLIP_LAYERS,
    'attn_pool.latent': 'head.probe',
    'attn_pool.q.weight': { of: `${PROJECTIONS}_weight`, thirds: [0, 1] },
    'attn_pool.q.bias': { of: `${PROJECTIONS}_bias`, thirds: [0, 1] },
    'attn_pool.kv.weight': { of: `${PROJECTIONS}_weight`, thirds: [1, 3] },
    'attn_pool.kv.bias': { of: `${PROJECTIONS}_bias`, thirds: [1, 3] },
    'attn_pool.proj': 'head.attention.out_proj',
    'attn_pool.norm': 'head.layernorm',
    'attn_pool.mlp.fc1': 'head.mlp.fc1',
    'attn_pool.mlp.fc2': 'head.mlp.fc2',
  },
  biases: {},
  config: (fields) => ({
    ...plainVit(fields),
    classToken: false,
  }),
  notes: [
    positionNote('SiglipVisionModel'),
    'there is no class token: what stands for it is pooler_output, the patches pooled by the head',
  ],
}))();
