/**
 * Tiny models under the names of the transformers library, one of each family: what its config.json says and which tensors its `state_dict` has, written down from the
 * modules of its code, not from the tables that are tested. Values are random, the same for the same name.
 */
import type { WeightFile } from '../src/index';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** A folder: config.json, and the shapes of model.safetensors. */
export interface Folder {
  readonly config: Readonly<Record<string, unknown>>;
  readonly shapes: Shapes;
}

/** Width, hidden width, patches of 8 px in images of 24 px. */
export const D = 24;
export const HIDDEN = 40;
export const PATCH = 8;
const SIDE = 3;
export const DEPTH = 2;
export const HEADS = 2;

const COMMON = {
  hidden_size: D,
  num_hidden_layers: DEPTH,
  num_attention_heads: HEADS,
  image_size: SIDE * PATCH,
  patch_size: PATCH,
};

const linear = (name: string, out: number, inputs: number, bias = true): Shapes => ({
  [`${name}.weight`]: [out, inputs],
  ...(bias && { [`${name}.bias`]: [out] }),
});
const norm = (name: string): Shapes => ({ [`${name}.weight`]: [D], [`${name}.bias`]: [D] });
const convolution = (name: string, bias = true): Shapes => ({
  [`${name}.weight`]: [D, 3, PATCH, PATCH],
  ...(bias && { [`${name}.bias`]: [D] }),
});
const layers = (before: string, one: (at: string) => Shapes): Shapes =>
  Object.assign({}, ...Array.from({ length: DEPTH }, (_, i) => one(`${before}.${i}`)));
const behind = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));

const vitEmbeddings: Shapes = {
  'embeddings.cls_token': [1, 1, D],
  'embeddings.position_embeddings': [1, 1 + SIDE * SIDE, D],
  ...convolution('embeddings.patch_embeddings.projection'),
};
const attention = (at: string): Shapes => ({
  ...linear(`${at}.attention.attention.query`, D, D),
  ...linear(`${at}.attention.attention.key`, D, D),
  ...linear(`${at}.attention.attention.value`, D, D),
  ...linear(`${at}.attention.output.dense`, D, D),
});

/** `mlp_ratio` 2: hidden width 48, of SwiGLU 32. */
const dinov2 = (gated: boolean): Shapes => ({
  ...vitEmbeddings,
  'embeddings.mask_token': [1, D],
  ...layers('encoder.layer', (at) => ({
    ...norm(`${at}.norm1`),
    ...attention(at),
    [`${at}.layer_scale1.lambda1`]: [D],
    ...norm(`${at}.norm2`),
    ...(gated
      ? { ...linear(`${at}.mlp.weights_in`, 64, D), ...linear(`${at}.mlp.weights_out`, D, 32) }
      : { ...linear(`${at}.mlp.fc1`, 48, D), ...linear(`${at}.mlp.fc2`, D, 48) }),
    [`${at}.layer_scale2.lambda1`]: [D],
  })),
  ...norm('layernorm'),
});

const vit: Shapes = {
  ...vitEmbeddings,
  ...layers('encoder.layer', (at) => ({
    ...norm(`${at}.layernorm_before`),
    ...attention(at),
    ...norm(`${at}.layernorm_after`),
    ...linear(`${at}.intermediate.dense`, HIDDEN, D),
    ...linear(`${at}.output.dense`, D, HIDDEN),
  })),
  ...norm('layernorm'),
};

const clipLayers: Shapes = {
  ...layers('encoder.layers', (at) => ({
    ...norm(`${at}.layer_norm1`),
    ...linear(`${at}.self_attn.q_proj`, D, D),
    ...linear(`${at}.self_attn.k_proj`, D, D),
    ...linear(`${at}.self_attn.v_proj`, D, D),
    ...linear(`${at}.self_attn.out_proj`, D, D),
    ...norm(`${at}.layer_norm2`),
    ...linear(`${at}.mlp.fc1`, HIDDEN, D),
    ...linear(`${at}.mlp.fc2`, D, HIDDEN),
  })),
  ...norm('post_layernorm'),
};
const clip: Shapes = {
  'embeddings.class_embedding': [D],
  'embeddings.position_embedding.weight': [1 + SIDE * SIDE, D],
  'embeddings.position_ids': [1, 1 + SIDE * SIDE],
  ...convolution('embeddings.patch_embedding', false),
  ...norm('pre_layrnorm'),
  ...clipLayers,
};
const siglip: Shapes = {
  'embeddings.position_embedding.weight': [SIDE * SIDE, D],
  ...convolution('embeddings.patch_embedding'),
  ...clipLayers,
  'head.probe': [1, 1, D],
  'head.attention.in_proj_weight': [3 * D, D],
  'head.attention.in_proj_bias': [3 * D],
  ...linear('head.attention.out_proj', D, D),
  ...norm('head.layernorm'),
  ...linear('head.mlp.fc1', HIDDEN, D),
  ...linear('head.mlp.fc2', D, HIDDEN),
};
const textModel: Shapes = { 'text_model.embeddings.token_embedding.weight': [9, D], logit_scale: [] };

const dinov3 = (gated: boolean): Shapes => ({
  'embeddings.cls_token': [1, 1, D],
  'embeddings.mask_token': [1, 1, D],
  'embeddings.register_tokens': [1, 4, D],
  ...convolution('embeddings.patch_embeddings'),
  ...layers('layer', (at) => ({
    ...norm(`${at}.norm1`),
    ...linear(`${at}.attention.q_proj`, D, D),
    ...linear(`${at}.attention.k_proj`, D, D, false),
    ...linear(`${at}.attention.v_proj`, D, D),
    ...linear(`${at}.attention.o_proj`, D, D),
    [`${at}.layer_scale1.lambda1`]: [D],
    ...norm(`${at}.norm2`),
    ...(gated && linear(`${at}.mlp.gate_proj`, HIDDEN, D)),
    ...linear(`${at}.mlp.up_proj`, HIDDEN, D),
    ...linear(`${at}.mlp.down_proj`, D, HIDDEN),
    [`${at}.layer_scale2.lambda1`]: [D],
  })),
  ...norm('norm'),
});

const vision = { ...COMMON, intermediate_size: HIDDEN };
const registers: Shapes = { 'embeddings.register_tokens': [1, 3, D] };

export type FolderName =
  | 'dinov2'
  | 'dinov2Classifier'
  | 'dinov2Registers'
  | 'vit'
  | 'deit'
  | 'mae'
  | 'clip'
  | 'clipModel'
  | 'siglip'
  | 'siglipModel'
  | 'dinov3'
  | 'dinov3Gated';

/** Config.json and tensors by what they are an example of. */
export const FOLDERS: Readonly<Record<FolderName, Folder>> = {
  dinov2: { config: { model_type: 'dinov2', ...COMMON, mlp_ratio: 2 }, shapes: dinov2(false) },
  dinov2Classifier: {
    config: { model_type: 'dinov2', ...COMMON, mlp_ratio: 2, use_swiglu_ffn: true },
    shapes: { ...behind('dinov2.', dinov2(true)), ...linear('classifier', 5, 2 * D) },
  },
  dinov2Registers: {
    config: { model_type: 'dinov2_with_registers', ...COMMON, mlp_ratio: 2, num_register_tokens: 3 },
    shapes: { ...dinov2(false), ...registers },
  },
  vit: {
    config: { model_type: 'vit', ...vision },
    shapes: { ...behind('vit.', vit), ...linear('classifier', 5, D) },
  },
  deit: { config: { model_type: 'deit', ...vision }, shapes: { ...vit, ...linear('pooler.dense', D, D) } },
  mae: {
    config: { model_type: 'vit_mae', ...vision },
    shapes: { ...behind('vit.', vit), 'decoder.mask_token': [1, 1, 16], ...linear('decoder.decoder_embed', 16, D) },
  },
  clip: { config: { model_type: 'clip_vision_model', ...vision }, shapes: behind('vision_model.', clip) },
  clipModel: {
    config: { model_type: 'clip', text_config: {}, vision_config: { ...vision, hidden_act: 'gelu' } },
    shapes: { ...behind('vision_model.', clip), ...textModel },
  },
  siglip: { config: { model_type: 'siglip_vision_model', ...vision }, shapes: behind('vision_model.', siglip) },
  siglipModel: {
    config: { model_type: 'siglip', text_config: {}, vision_config: vision },
    shapes: { ...behind('vision_model.', siglip), ...textModel },
  },
  dinov3: {
    config: { model_type: 'dinov3_vit', ...vision, num_register_tokens: 4 },
    shapes: dinov3(false),
  },
  dinov3Gated: {
    config: {
      model_type: 'dinov3_vit',
      ...vision,
      num_register_tokens: 4,
      use_gated_mlp: true,
      hidden_act: 'silu',
    },
    shapes: dinov3(true),
  },
};

/** Random numbers of a name: those of scales about 1, the others small. */
function valuesOf(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const size = shape.reduce((a, b) => a * b, 1);
  const scale = /norm\w*\.weight$|norm[12]\.weight$|lambda1$|pre_layrnorm\.weight$/.test(name);
  let state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5);
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (scale ? 1 : 0) + (state / 2 ** 32 - 0.5) * 0.6;
  });
}

/** An open file of these tensors. */
export function fileOf(shapes: Shapes, metadata?: Readonly<Record<string, string>>): WeightFile {
  const tensors = new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));
  return {
    tensors,
    readFloat32: async (name) => {
      const found = tensors.get(name);
      if (!found) throw new Error(`no tensor ${name}`);
      return valuesOf(name, found.shape);
    },
    ...(metadata && { metadata }),
  };
}
