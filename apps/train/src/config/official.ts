/**
 * The sections of the official configuration, with defaults and bounds. Every key of the default file of DINOv2 and Franca is here, and the keys that only
 * Franca's own files set (`dino.MRL`, the mask switches): a file of either project loads unchanged.
 */
import { z } from 'zod';
import { amount, count, flag, positive, range, share, text } from './fields';
import type { TrainConfig } from './train-config';

const mixedPrecision = (reduce: 'fp16' | 'fp32') =>
  z
    .strictObject({
      param_dtype: z
        .enum(['fp16', 'fp32'])
        .default('fp16')
        .describe('that of student.backbone is the type that everything computes in'),
      reduce_dtype: z.enum(['fp16', 'fp32']).default(reduce).describe('without effect; gradients are always f32'),
      buffer_dtype: z.enum(['fp16', 'fp32']).default('fp32').describe('without effect; there are no buffers'),
    })
    .prefault({});

const part = (reduce: 'fp16' | 'fp32') =>
  z
    .strictObject({
      sharding_strategy: z
        .enum(['NO_SHARD', 'SHARD_GRAD_OP', 'FULL_SHARD'])
        .default('SHARD_GRAD_OP')
        .describe('without effect; every device holds the whole model'),
      mixed_precision: mixedPrecision(reduce),
    })
    .prefault({});

const network = (headReduce: 'fp16' | 'fp32') =>
  z.strictObject({ backbone: part('fp16'), dino_head: part(headReduce), ibot_head: part(headReduce) }).prefault({});

const head = {
  head_n_prototypes: positive().default(65536).describe('prototypes of the widest level; level i has this × width / D'),
  head_bottleneck_dim: positive().default(256).describe('width before the prototypes'),
  head_nlayers: positive().default(3).describe('linear layers of the MLP'),
  head_hidden_dim: positive().default(2048).describe('hidden width of the MLP'),
};

export const officialSections: {
  readonly [K in Exclude<keyof TrainConfig, 'franca'>]: z.ZodType<TrainConfig[K]>;
} = {
  MODEL: z
    .strictObject({
      WEIGHTS: text()
        .default('')
        .describe('without effect; student.pretrained_weights starts from weights, `--resume` and `--fork` go on'),
    })
    .prefault({}),
  compute_precision: z
    .strictObject({
      grad_scaler: flag().default(true).describe('dynamic loss scale when computing in f16'),
      teacher: network('fp16'),
      student: network('fp32'),
    })
    .prefault({}),
  dino: z
    .strictObject({
      loss_weight: amount().default(1).describe('weight of the CLS loss'),
      ...head,
      koleo_loss_weight: amount().default(0.1).describe('weight of KoLeo, summed over both global crops'),
      MRL: flag().default(true).describe('Matryoshka heads; false: the plain head of DINOv2'),
    })
    .prefault({}),
  ibot: z
    .strictObject({
      loss_weight: amount().default(1).describe('weight of the masked patch loss'),
      mask_sample_probability: share().default(0.5).describe('share of the global crops that get a mask'),
      mask_ratio_min_max: range(share()).default([0.1, 0.65]).describe('masked share of a masked crop'),
      separate_head: flag().default(false).describe('a head of its own for patches'),
      ...head,
    })
    .prefault({}),
  train: z
    .strictObject({
      batch_size_per_gpu: positive().default(64).describe('images per device and micro-step'),
      dataset_path: text().default('ImageNet:split=TRAIN').describe('images; `--data` on the command line'),
      output_dir: text().default('.').describe('run folder, where `--out` is not given; `.`: none chosen'),
      saveckp_freq: count().default(20).describe('without effect; the official code does not read it'),
      seed: count().default(0).describe('seed of everything'),
      num_workers: count().default(10).describe('images read and decoded at once; 0: twice the cores'),
      OFFICIAL_EPOCH_LENGTH: positive().default(1250).describe('iterations of one virtual epoch'),
      cache_dataset: flag().default(true).describe('without effect; the official code does not read it'),
      centering: z
        .enum(['centering', 'sinkhorn_knopp'])
        .default('centering')
        .describe('how teacher scores become targets'),
      use_block_masking: flag().default(true).describe('false: the multi-block masks of BEiT and DINOv2'),
      use_inverse_block: flag().default(true).describe('mask everything but a block'),
      roll: flag().default(true).describe('roll the block around the edges; with the two above: CyclicMask'),
      high_resolution_finetune: flag()
        .default(false)
        .describe('without effect; `pretrain --fork` continues a whole run at another crop size'),
    })
    .prefault({}),
  student: z
    .strictObject({
      arch: z
        .enum(['vit_tiny', 'vit_small', 'vit_base', 'vit_large', 'vit_giant2'])
        .default('vit_large')
        .describe('size of the backbone'),
      patch_size: positive().default(16).describe('side of a patch in pixels'),
      drop_path_rate: share().default(0.3).describe('share of the samples that skip a residual branch'),
      layerscale: amount().default(1e-5).describe('initial LayerScale; 0: none'),
      drop_path_uniform: flag().default(true).describe('false: the rate grows linearly from 0 over depth'),
      pretrained_weights: text()
        .default('')
        .describe('weights to start from, which say the architecture; `--from` sets it'),
      ffn_layer: z.enum(['mlp', 'swiglu', 'swiglufused']).default('mlp').describe('feed-forward layer'),
      block_chunks: count().default(0).describe('without effect; chunks in the block names of official checkpoints'),
      qkv_bias: z.literal(true, 'only true is supported').default(true).describe('bias of queries, keys and values'),
      proj_bias: z.literal(true, 'only true is supported').default(true).describe('bias after attention'),
      ffn_bias: z.literal(true, 'only true is supported').default(true).describe('bias of the feed-forward layer'),
      num_register_tokens: count().default(0).describe('register tokens'),
      interpolate_antialias: flag().default(false).describe('antialias when the position table is resampled'),
      interpolate_offset: amount().default(0.1).describe('added to the target grid of that resampling'),
    })
    .prefault({}),
  teacher: z
    .strictObject({
      momentum_teacher: share().default(0.992).describe('EMA momentum at the start'),
      final_momentum_teacher: share().default(1).describe('EMA momentum at the end (cosine)'),
      warmup_teacher_temp: amount().default(0.04).describe('teacher temperature at the start'),
      teacher_temp: amount().default(0.07).describe('teacher temperature after the warm-up'),
      warmup_teacher_temp_epochs: amount().default(30).describe('virtual epochs from one to the other'),
    })
    .prefault({}),
  optim: z
    .strictObject({
      epochs: amount().default(100).describe('length in virtual epochs'),
      weight_decay: amount().default(0.04).describe('weight decay at the start'),
      weight_decay_end: amount().default(0.4).describe('weight decay at the end (cosine)'),
      base_lr: amount().default(0.004).describe('peak learning rate of a total batch of 1024'),
      lr: amount().default(0).describe('without effect; set by the scaling rule'),
      warmup_epochs: amount().default(10).describe('virtual epochs of linear warm-up'),
      min_lr: amount().default(1e-6).describe('learning rate at the end (cosine)'),
      clip_grad: amount().default(3).describe('largest gradient norm of backbone and of each head; 0: no clipping'),
      freeze_last_layer_epochs: amount().default(1).describe('virtual epochs for which prototypes stay'),
      scaling_rule: z
        .literal('sqrt_wrt_1024', 'only sqrt_wrt_1024 exists')
        .default('sqrt_wrt_1024')
        .describe('lr = base_lr × sqrt(total batch / 1024)'),
      patch_embed_lr_mult: amount().default(0.2).describe('learning rate of the patch embedding, relative'),
      layerwise_decay: amount().default(0.9).describe('learning rate of a block relative to the one above'),
      adamw_beta1: share().default(0.9).describe('decay of the mean of gradients'),
      adamw_beta2: share().default(0.999).describe('decay of the mean of squared gradients'),
    })
    .prefault({}),
  crops: z
    .strictObject({
      global_crops_scale: range(share()).default([0.32, 1]).describe('share of the image that a global crop covers'),
      local_crops_number: count().default(8).describe('local crops per image'),
      local_crops_scale: range(share()).default([0.05, 0.32]).describe('share of the image that a local crop covers'),
      global_crops_size: positive().default(224).describe('side in pixels, a multiple of the patch size'),
      local_crops_size: positive().default(96).describe('side in pixels, a multiple of the patch size'),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      eval_period_iterations: count()
        .default(12500)
        .describe('iterations between exports of the teacher; 0: only at the end'),
    })
    .prefault({}),
};
