/** From a configuration to the numbers of a run: learning rate, iterations, prototypes, intervals of the loop. */
import { strategyOfFlags } from '@franca/cyclic-mask';
import type { DecodeOptions } from '@franca/data';
import { scaledLearningRate } from '@franca/nn';
import { type Distillation, LEAST_IMAGES, pretrainOptions, type Schedule } from '@franca/pretraining';
import { type VitConfig, vitConfig } from '@franca/vit';
import { TrainError } from '../errors';
import { deriveHeads } from './derive-heads';
import type { DerivedOptions, LoopOptions, Machine } from './derived-options';
import { prototypesFor, teacherTempFor } from './small-batch';
import type { FrancaSection, TrainConfig } from './train-config';

/** One rank, on a device without f16. */
export const SINGLE_DEVICE: Machine = { size: 1, rank: 0, f16: false };

/**
 * Everything that the training step and the loop need to know. Files are not opened here: a teacher that is distilled counts as far as `machine` knows it.
 * @throws TrainError `config` where settings do not go together
 */
export function derive(config: TrainConfig, machine: Machine = SINGLE_DEVICE): DerivedOptions {
  const { franca, train, optim } = config;
  const teacher = franca.distillation.teacher === null ? undefined : machine.teacher;
  const gpus = gpusOf(config, machine);
  const batch = deriveBatch(config, gpus, machine);
  const together = batch.group * gpus;
  checkCropSizes(config);
  const vit = deriveVit(config);
  const teacherTemp = deriveTeacherTemp(config, together);
  const heads = deriveHeads(config, vit.embedDim, together, teacher?.heads);
  const precision = derivePrecision(config, machine);
  const { device: _, ...augment } = franca.augment;
  const crops = { ...augment, ...config.crops, blur_probability: franca.quirks.blur };
  const { global_crops_size, local_crops_size, local_crops_number } = crops;
  const options = pretrainOptions({
    seed: train.seed,
    precision,
    batch: { perDevice: batch.perDevice, group: batch.group, accumulation: batch.accumulation },
    ranks: { rank: machine.rank, size: machine.size },
    koleoDistributed: franca.koleo_distributed,
    vit,
    vitInitStd: config.franca.vit.init_std,
    ...(teacher ? { distillation: { vit: teacher.vit, heads: teacher.heads } } : {}),
    remat: franca.remat,
    dropPathRates: deriveDropPath(config, vit.depth),
    crops: { global_crops_size, local_crops_size, local_crops_number },
    masks: deriveMasks(config),
    heads,
    freezePrototypeNorms: franca.freeze_prototype_norms,
    losses: { dino: config.dino.loss_weight, koleo: config.dino.koleo_loss_weight, ibot: config.ibot.loss_weight },
    centering: train.centering,
    paddingRows: franca.quirks.padding_rows,
    adamW: { betas: [optim.adamw_beta1, optim.adamw_beta2], clip: optim.clip_grad },
    layerwiseDecay: optim.layerwise_decay,
    backboneLrMultiplier: franca.backbone_lr_mult,
    patchEmbedLrMultiplier: optim.patch_embed_lr_mult,
    lossScaling: precision === 'f16' && config.compute_precision.grad_scaler,
    schedule: deriveSchedule(config, batch.total, teacherTemp),
  });
  const notes = notesOn(config, { heads, teacherTemp, together, precision, teacher });
  return { ...options, batch: { ...options.batch, total: batch.total }, gpus, crops, loop: deriveLoop(config), notes };
}

/** Devices that a configuration is written for. */
const gpusOf = ({ franca: { gpus } }: TrainConfig, { size }: Pick<Machine, 'size'>): number =>
  gpus === 'auto' ? size : gpus;

/** A configuration as one rank would run it: the same but for how many images a rank takes, and it always divides. */
export const deriveWhole = (config: TrainConfig, machine: Machine): DerivedOptions =>
  derive({ ...config, franca: { ...config.franca, gpus: gpusOf(config, machine) } }, { ...machine, size: 1, rank: 0 });

/** The images of a micro-step are those of `gpus` devices, and each rank computes its share of them. */
function deriveBatch({ train, franca }: TrainConfig, gpus: number, { size }: Machine): DerivedOptions['batch'] {
  const group = train.batch_size_per_gpu;
  if (group < LEAST_IMAGES)
    throw new TrainError(
      'config',
      `train.batch_size_per_gpu is ${group}; KoLeo needs ${LEAST_IMAGES} images at a time or more: an image and its neighbour`,
    );
  const step = group * gpus;
  if (step % size !== 0)
    throw new TrainError(
      'config',
      `the ${step} images of a micro-step (train.batch_size_per_gpu ${group} for ${gpus} devices) do not divide among ${size} ranks; start ${choices(divisorsOf(step))}`,
    );
  const total = franca.total_batch ?? step;
  if (total % step !== 0)
    throw new TrainError(
      'config',
      `franca.total_batch is ${total}, no multiple of the ${step} images of one micro-step (batch_size_per_gpu ${group} on ${gpus} devices); use ${Math.max(step, step * Math.round(total / step))}`,
    );
  return { perDevice: step / size, group, accumulation: total / step, total };
}

const divisorsOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

/** `1, 2 or 4`. */
const choices = (numbers: readonly number[]): string =>
  numbers.length === 1 ? `${numbers[0]}` : `${numbers.slice(0, -1).join(', ')} or ${numbers.at(-1)}`;

function checkCropSizes({ crops, student }: TrainConfig): void {
  for (const key of ['global_crops_size', 'local_crops_size'] as const) {
    const side = crops[key] / student.patch_size;
    if (!Number.isInteger(side))
      throw new TrainError(
        'config',
        `crops.${key} is ${crops[key]}, no multiple of student.patch_size ${student.patch_size}; use ${Math.max(1, Math.round(side)) * student.patch_size}`,
      );
  }
}

/** The model alone. */
export function deriveVit({ student, crops, franca }: TrainConfig): VitConfig {
  const named = vitConfig(student.arch.slice('vit_'.length) as Parameters<typeof vitConfig>[0]);
  const embedDim = franca.vit.embed_dim ?? named.embedDim;
  const numHeads = franca.vit.num_heads ?? named.numHeads;
  if (embedDim % numHeads !== 0)
    throw new TrainError(
      'config',
      `an embedding of ${embedDim} does not divide into ${numHeads} heads; set franca.vit.num_heads`,
    );
  return {
    ...named,
    embedDim,
    numHeads,
    depth: franca.vit.depth ?? named.depth,
    mlpRatio: franca.vit.mlp_ratio ?? named.mlpRatio,
    imgSize: crops.global_crops_size,
    patchSize: student.patch_size,
    ffnLayer: student.ffn_layer === 'mlp' ? 'mlp' : 'swiglu',
    numRegisterTokens: student.num_register_tokens,
    layerScale: student.layerscale === 0 ? undefined : student.layerscale,
    interpolateOffset: student.interpolate_offset,
    interpolateAntialias: student.interpolate_antialias,
    ...ofOtherFamilies(franca.vit),
  };
}

/** What a model says only where it is not as Franca's. */
const ofOtherFamilies = ({ activation, norm_eps, pre_norm, rope_theta }: FrancaSection['vit']) => ({
  ...(activation !== 'gelu' ? { activation } : {}),
  ...(norm_eps !== 1e-6 ? { normEps: norm_eps } : {}),
  ...(pre_norm ? { preNorm: true } : {}),
  ...(rope_theta !== null ? { ropeTheta: rope_theta } : {}),
});

function derivePrecision({ franca, compute_precision: { student } }: TrainConfig, machine: Machine): 'f16' | 'f32' {
  if (franca.precision !== 'auto') return franca.precision;
  return machine.f16 && student.backbone.mixed_precision.param_dtype === 'fp16' ? 'f16' : 'f32';
}

/** The rate of every block: all the same, or growing linearly from 0. */
function deriveDropPath({ student, franca: { distillation } }: TrainConfig, depth: number): number[] {
  const rate = distillation.teacher === null ? student.drop_path_rate : 0;
  return Array.from({ length: depth }, (_, i) =>
    student.drop_path_uniform || depth === 1 ? rate : (rate * i) / (depth - 1),
  );
}

const deriveMasks = ({ ibot, train }: TrainConfig) => ({
  strategy: strategyOfFlags(train),
  probability: ibot.mask_sample_probability,
  ratio: ibot.mask_ratio_min_max,
});

const deriveTeacherTemp = ({ franca, teacher }: TrainConfig, together: number): number =>
  franca.small_batch
    ? teacherTempFor(teacher.warmup_teacher_temp, teacher.teacher_temp, together)
    : teacher.teacher_temp;

function deriveSchedule(
  { optim, teacher, train, franca }: TrainConfig,
  totalBatch: number,
  teacherTemp: number,
): Schedule {
  const iterations = (epochs: number) => Math.round(epochs * train.OFFICIAL_EPOCH_LENGTH);
  const [total, warmup] = [iterations(optim.epochs), iterations(optim.warmup_epochs)];
  const freezeBackbone = iterations(franca.freeze_backbone_epochs);
  if (warmup + freezeBackbone > total) {
    const frozen = freezeBackbone > 0 ? ` and franca.freeze_backbone_epochs ${franca.freeze_backbone_epochs}` : '';
    throw new TrainError(
      'config',
      `the warm-up (optim.warmup_epochs ${optim.warmup_epochs}${frozen}) is longer than the run (optim.epochs ${optim.epochs})`,
    );
  }
  return {
    iterations: total,
    warmup,
    freezeLastLayer: iterations(optim.freeze_last_layer_epochs),
    freezeBackbone,
    lr: scaledLearningRate(optim.base_lr, totalBatch),
    minLr: optim.min_lr,
    weightDecay: [optim.weight_decay, optim.weight_decay_end],
    momentum: [teacher.momentum_teacher, teacher.final_momentum_teacher],
    teacherTemp: [teacher.warmup_teacher_temp, teacherTemp],
    teacherTempWarmup: iterations(teacher.warmup_teacher_temp_epochs),
  };
}

/**
 * A camera's photograph has many times the pixels that any crop keeps, and cutting crops from all of them costs more than decoding them. Short side s and
 * a crop of size c that covers a share a of the picture at aspect r: its shorter side is at least s sqrt(a r), not enlarged while s >= c / sqrt(a r).
 */
function deriveDecode({ crops, franca: { data, augment } }: TrainConfig): DecodeOptions {
  const side = (size: number, [share]: readonly number[]) => size / Math.sqrt(share! * augment.crops_ratio[0]);
  const needed = Math.max(
    side(crops.global_crops_size, crops.global_crops_scale),
    crops.local_crops_number > 0 ? side(crops.local_crops_size, crops.local_crops_scale) : 0,
  );
  const shortSide = data.decode_short_side ?? Math.ceil(1.5 * needed);
  return { maxPixels: data.max_pixels, ...(shortSide > 0 && Number.isFinite(shortSide) ? { shortSide } : {}) };
}

function deriveLoop(config: TrainConfig): LoopOptions {
  const { franca, train, student, evaluation } = config;
  const { checkpoint, knn, log, data, ranks } = franca;
  return {
    // the official default has no root and cannot be opened: it stands for data that nobody chose
    datasetPath: train.dataset_path === 'ImageNet:split=TRAIN' ? '' : train.dataset_path,
    pretrainedWeights: student.pretrained_weights,
    carryHeads: franca.carry_heads,
    inFlight: train.num_workers || undefined,
    augmentDevice: franca.augment.device,
    maxBadShare: data.max_bad_share,
    decode: deriveDecode(config),
    heldOutShare: data.held_out_share,
    checkpoint: {
      every: checkpoint.every ?? train.OFFICIAL_EPOCH_LENGTH,
      keepLast: checkpoint.keep_last,
      keepEvery: checkpoint.keep_every ?? undefined,
    },
    exportEvery: evaluation.eval_period_iterations,
    logEvery: log.interval,
    picturesEvery: log.picture_interval,
    checkEvery: ranks.check_every,
    knn: {
      every: knn.interval ?? train.OFFICIAL_EPOCH_LENGTH,
      k: knn.k,
      maxTrain: knn.max_train,
      maxTest: knn.max_test,
    },
  };
}

interface Derived {
  readonly heads: DerivedOptions['heads'];
  readonly teacherTemp: number;
  /** Images that Sinkhorn-Knopp sees together. */
  readonly together: number;
  readonly precision: 'f32' | 'f16';
  /** The frozen one. */
  readonly teacher: Distillation | undefined;
}

function notesOn(config: TrainConfig, { heads, teacherTemp, together, precision, teacher: frozen }: Derived): string[] {
  const notes = distillationNotes(config, frozen);
  const { dino, teacher, franca, compute_precision } = config;
  const K = heads.dino.levels.at(-1)!.prototypes;
  if (!frozen && K !== dino.head_n_prototypes)
    notes.push(`${K} prototypes instead of ${dino.head_n_prototypes}, for ${together} images at a time`);
  if (teacherTemp !== teacher.teacher_temp)
    notes.push(
      `teacher temperature ends at ${teacherTemp.toFixed(4)} instead of ${teacher.teacher_temp}, for ${together} images at a time`,
    );
  if (!frozen && !franca.small_batch && prototypesFor(K, together) < K)
    notes.push(`${K} prototypes are many for ${together} images at a time; franca.small_batch=true adapts them`);
  if (
    franca.precision === 'auto' &&
    precision === 'f32' &&
    compute_precision.student.backbone.mixed_precision.param_dtype === 'fp16'
  )
    notes.push(
      'computes in f32: the adapter is no GPU with f16 that is sound (franca.precision=f16 computes in f16 wherever there is some)',
    );
  return notes;
}

/** What distillation changes, in words. */
function distillationNotes(
  { franca: { distillation }, ibot }: TrainConfig,
  teacher: Distillation | undefined,
): string[] {
  if (distillation.teacher === null) return [];
  if (!teacher)
    return [`${distillation.teacher}, the teacher, was not opened: neither its memory nor its prototypes are counted`];
  const everywhere = ibot.mask_sample_probability === 1 && ibot.mask_ratio_min_max[0] === 1;
  return [
    `distils a ViT of width ${teacher.vit.embedDim} and depth ${teacher.vit.depth}: nothing is masked, and patches are compared ${everywhere ? 'everywhere, as in DINOv2' : 'where they would have been masked, as in DINOv3'}`,
  ];
}
