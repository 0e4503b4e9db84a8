/** The type of a complete configuration. What each setting means is said in its schema, beside its default and its bounds. */
type Range = readonly [low: number, high: number];

export interface TrainConfig {
  readonly MODEL: { readonly WEIGHTS: string };
  readonly compute_precision: {
    readonly grad_scaler: boolean;
    readonly teacher: NetworkPrecision;
    readonly student: NetworkPrecision;
  };
  readonly dino: HeadSection & {
    readonly loss_weight: number;
    readonly koleo_loss_weight: number;
    readonly MRL: boolean;
  };
  readonly ibot: HeadSection & {
    readonly loss_weight: number;
    readonly mask_sample_probability: number;
    readonly mask_ratio_min_max: Range;
    readonly separate_head: boolean;
  };
  readonly train: {
    readonly batch_size_per_gpu: number;
    readonly dataset_path: string;
    readonly output_dir: string;
    readonly saveckp_freq: number;
    readonly seed: number;
    readonly num_workers: number;
    readonly OFFICIAL_EPOCH_LENGTH: number;
    readonly cache_dataset: boolean;
    readonly centering: 'centering' | 'sinkhorn_knopp';
    readonly use_block_masking: boolean;
    readonly use_inverse_block: boolean;
    readonly roll: boolean;
    readonly high_resolution_finetune: boolean;
  };
  readonly student: {
    readonly arch: Arch;
    readonly patch_size: number;
    readonly drop_path_rate: number;
    readonly layerscale: number;
    readonly drop_path_uniform: boolean;
    readonly pretrained_weights: string;
    readonly ffn_layer: 'mlp' | 'swiglu' | 'swiglufused';
    readonly block_chunks: number;
    readonly qkv_bias: true;
    readonly proj_bias: true;
    readonly ffn_bias: true;
    readonly num_register_tokens: number;
    readonly interpolate_antialias: boolean;
    readonly interpolate_offset: number;
  };
  readonly teacher: {
    readonly momentum_teacher: number;
    readonly final_momentum_teacher: number;
    readonly warmup_teacher_temp: number;
    readonly teacher_temp: number;
    readonly warmup_teacher_temp_epochs: number;
  };
  readonly optim: {
    readonly epochs: number;
    readonly weight_decay: number;
    readonly weight_decay_end: number;
    readonly base_lr: number;
    readonly lr: number;
    readonly warmup_epochs: number;
    readonly min_lr: number;
    readonly clip_grad: number;
    readonly freeze_last_layer_epochs: number;
    readonly scaling_rule: 'sqrt_wrt_1024';
    readonly patch_embed_lr_mult: number;
    readonly layerwise_decay: number;
    readonly adamw_beta1: number;
    readonly adamw_beta2: number;
  };
  readonly crops: {
    readonly global_crops_scale: Range;
    readonly local_crops_number: number;
    readonly local_crops_scale: Range;
    readonly global_crops_size: number;
    readonly local_crops_size: number;
  };
  readonly evaluation: { readonly eval_period_iterations: number };
  readonly franca: FrancaSection;
}

export type Arch = 'vit_tiny' | 'vit_small' | 'vit_base' | 'vit_large' | 'vit_giant2';

/** Settings of a projection head, in `dino:` and `ibot:` alike. */
export interface HeadSection {
  readonly head_n_prototypes: number;
  readonly head_bottleneck_dim: number;
  readonly head_nlayers: number;
  readonly head_hidden_dim: number;
}

type Float = 'fp16' | 'fp32';

export interface PartPrecision {
  readonly sharding_strategy: 'NO_SHARD' | 'SHARD_GRAD_OP' | 'FULL_SHARD';
  readonly mixed_precision: { readonly param_dtype: Float; readonly reduce_dtype: Float; readonly buffer_dtype: Float };
}

export interface NetworkPrecision {
  readonly backbone: PartPrecision;
  readonly dino_head: PartPrecision;
  readonly ibot_head: PartPrecision;
}

/** The section `franca:`. */
export interface FrancaSection {
  readonly precision: 'auto' | 'f32' | 'f16';
  readonly remat: boolean | 'auto';
  readonly total_batch: number | null;
  readonly gpus: number | 'auto';
  readonly koleo_distributed: boolean;
  readonly small_batch: boolean;
  readonly nesting: 'slice' | 'project';
  readonly nesting_list: readonly number[] | null;
  readonly head_init_std: number;
  readonly freeze_prototype_norms: boolean;
  readonly carry_heads: boolean;
  readonly backbone_lr_mult: number;
  readonly freeze_backbone_epochs: number;
  readonly vit: {
    readonly embed_dim: number | null;
    readonly depth: number | null;
    readonly num_heads: number | null;
    readonly mlp_ratio: number | null;
    readonly init_std: number;
    readonly activation: 'gelu' | 'gelu_tanh' | 'quick_gelu';
    readonly norm_eps: number;
    readonly pre_norm: boolean;
    readonly rope_theta: number | null;
  };
  readonly distillation: { readonly teacher: string | null };
  readonly quirks: { readonly blur: 'actual' | 'nominal'; readonly padding_rows: boolean };
  readonly augment: {
    readonly device: 'auto' | 'gpu' | 'cpu';
    readonly crops_ratio: Range;
    readonly flip_probability: number;
    readonly jitter_probability: number;
    readonly jitter_brightness: number;
    readonly jitter_contrast: number;
    readonly jitter_saturation: number;
    readonly jitter_hue: number;
    readonly grayscale_probability: number;
    readonly blur_sigma: Range;
    readonly solarize_probability: number;
    readonly solarize_threshold: number;
  };
  readonly data: {
    readonly max_bad_share: number;
    readonly held_out_share: number;
    readonly max_pixels: number;
    readonly decode_short_side: number | null;
  };
  readonly checkpoint: {
    readonly every: number | null;
    readonly keep_last: number;
    readonly keep_every: number | null;
  };
  readonly log: { readonly interval: number; readonly picture_interval: number };
  readonly ranks: { readonly check_every: number };
  readonly knn: {
    readonly interval: number | null;
    readonly k: number;
    readonly max_train: number;
    readonly max_test: number;
  };
}
