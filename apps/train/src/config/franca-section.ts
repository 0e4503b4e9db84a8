/** The section `franca:` of a configuration: what this implementation adds, and the official quirks as switches. The official files do not have it. */
import { z } from 'zod';
import { amount, count, flag, positive, range, share } from './fields';
import type { FrancaSection } from './train-config';

export const francaSection: z.ZodType<FrancaSection> = z
  .strictObject({
    precision: z
      .enum(['auto', 'f32', 'f16'])
      .default('auto')
      .describe(
        'auto: f16 where compute_precision asks for fp16 and the adapter is a GPU with f16; weights are f32 always',
      ),
    remat: z
      .union([z.boolean(), z.literal('auto')], 'expected true, false or auto')
      .default('auto')
      .describe(
        'true: compute block activations again in the backward pass, less memory for a third more work; auto: only where the device has not the memory to keep them',
      ),
    total_batch: positive()
      .nullable()
      .default(null)
      .describe('images per update over all devices, reached by accumulating gradients; null: one micro-step'),
    gpus: z
      .union([positive(), z.literal('auto')], 'expected a whole number above 0 or auto')
      .default('auto')
      .describe(
        'devices that train.batch_size_per_gpu is meant for; a run may be computed by fewer or more (see "Several ranks"); auto: as many as the run begins with',
      ),
    koleo_distributed: flag()
      .default(false)
      .describe('KoLeo finds neighbours among the images of all devices; officially among those of one'),
    small_batch: flag()
      .default(false)
      .describe('fewer prototypes and a colder teacher where the batch is small (see "Small batches")'),
    nesting: z
      .enum(['slice', 'project'])
      .default('slice')
      .describe('slice: level i sees the first components; project: the whole token, as in the first official release'),
    nesting_list: z
      .array(positive())
      .min(1)
      .nullable()
      .default(null)
      .describe('widths of the levels, ascending, the last one D; null: D/16, D/8, D/4, D/2, D'),
    head_init_std: amount()
      .default(0.02)
      .describe(
        'standard deviation of the initial linear layers of heads; narrow heads start at the official scale of logits with 0.02 sqrt(2048 / hidden)',
      ),
    freeze_prototype_norms: flag()
      .default(false)
      .describe('keep the length of every prototype (weight_g) at 1; officially it is trained'),
    carry_heads: flag()
      .default(false)
      .describe(
        'with starting weights: take their projection heads too, where there are some, in the size that they have; officially heads start fresh',
      ),
    backbone_lr_mult: amount()
      .default(1)
      .describe(
        'learning rate of the backbone relative to that of heads: low where it is trained already and they are fresh',
      ),
    freeze_backbone_epochs: amount()
      .default(0)
      .describe(
        'virtual epochs for which a backbone that was trained before stays as it is while fresh heads learn; its own warm-up follows',
      ),
    vit: z
      .strictObject({
        embed_dim: positive().nullable().default(null).describe('width D of tokens; null: that of student.arch'),
        depth: positive().nullable().default(null).describe('blocks; null: those of student.arch'),
        num_heads: positive().nullable().default(null).describe('attention heads; null: those of student.arch'),
        mlp_ratio: amount()
          .nullable()
          .default(null)
          .describe('hidden width of the feed-forward layer over D; null: that of student.arch'),
        init_std: amount()
          .default(0.02)
          .describe(
            'standard deviation of the initial linear layers of the backbone; narrow ones learn sooner with 1 / sqrt(D)',
          ),
        activation: z
          .enum(['gelu', 'gelu_tanh', 'quick_gelu'])
          .default('gelu')
          .describe('of the feed-forward layer mlp; others are of weights of other families, as is what follows'),
        norm_eps: amount().gt(0, 'expected a number above 0').default(1e-6).describe('added to variances by all norms'),
        pre_norm: flag().default(false).describe('a norm between embedding and first block, as in CLIP'),
        rope_theta: amount()
          .gt(0, 'expected a number above 0')
          .nullable()
          .default(null)
          .describe('base of rotary positions, as in DINOv3; null: a learned table'),
      })
      .prefault({})
      .describe('what differs from student.arch'),
    distillation: z
      .strictObject({
        teacher: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe(
            'weights with heads (the folder of a run, a teacher checkpoint) that the student learns from in place of its own average; null: none, as in Franca (see "Distillation")',
          ),
      })
      .prefault({}),
    quirks: z
      .strictObject({
        blur: z
          .enum(['actual', 'nominal'])
          .default('actual')
          .describe(
            'actual: blur probabilities 0, 0.9, 0.5, which the official code applies; nominal: 1, 0.1, 0.5, which it states',
          ),
        padding_rows: flag()
          .default(false)
          .describe('let the empty rows of the masked-patch buffer take part in the teacher targets, as officially'),
      })
      .prefault({}),
    augment: z
      .strictObject({
        device: z
          .enum(['auto', 'gpu', 'cpu'])
          .default('auto')
          .describe('where crops are made; the pixels are the same'),
        crops_ratio: range(amount())
          .default([3 / 4, 4 / 3])
          .describe('aspect of a crop'),
        flip_probability: share().default(0.5).describe('of a horizontal flip'),
        jitter_probability: share().default(0.8).describe('of the four changes of colour below, in random order'),
        jitter_brightness: amount().default(0.4).describe('factor between 1 - this and 1 + this'),
        jitter_contrast: amount().default(0.4).describe('factor between 1 - this and 1 + this'),
        jitter_saturation: amount().default(0.2).describe('factor between 1 - this and 1 + this'),
        jitter_hue: amount().max(0.5).default(0.1).describe('largest shift, in turns of the colour circle'),
        grayscale_probability: share().default(0.2).describe('of losing all colour'),
        blur_sigma: range(amount()).default([0.1, 2]).describe('standard deviation of the Gaussian blur in pixels'),
        solarize_probability: share().default(0.2).describe('of solarizing; second global crop only'),
        solarize_threshold: amount().max(255).default(128).describe('8-bit values from this on are inverted'),
      })
      .prefault({}),
    data: z
      .strictObject({
        max_bad_share: share().default(0.1).describe('share of unusable images above which the run stops'),
        held_out_share: share().default(0.1).describe('share kept out of training for the online k-NN'),
        max_pixels: positive()
          .default(2 ** 26)
          .describe('images with more pixels are skipped before they are decoded'),
        decode_short_side: count()
          .nullable()
          .default(null)
          .describe(
            'larger photographs are reduced to this shorter side while they are decoded; null: 1.5 times what keeps the smallest crop from being enlarged; 0: never, as officially',
          ),
      })
      .prefault({}),
    checkpoint: z
      .strictObject({
        every: positive().nullable().default(null).describe('iterations; null: one virtual epoch'),
        keep_last: positive().default(2).describe('newest checkpoints that stay'),
        keep_every: positive().nullable().default(null).describe('checkpoints at multiples of this stay for good'),
      })
      .prefault({}),
    log: z
      .strictObject({
        interval: positive().default(10).describe('iterations between log lines'),
        picture_interval: count().default(1000).describe('iterations between pictures; 0: none but the last'),
      })
      .prefault({}),
    ranks: z
      .strictObject({
        check_every: count()
          .default(0)
          .describe(
            'iterations between comparisons of the weights of all ranks; 0: at the start and before every checkpoint only',
          ),
      })
      .prefault({}),
    knn: z
      .strictObject({
        interval: positive().nullable().default(null).describe('iterations; null: one virtual epoch'),
        k: positive().default(20).describe('neighbours'),
        max_train: positive().default(10_000).describe('images of the bank'),
        max_test: positive().default(2000).describe('held-out images that are classified'),
      })
      .prefault({}),
  })
  .prefault({});
