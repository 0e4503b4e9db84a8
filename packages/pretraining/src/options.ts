/** Everything that decides a pretraining run: model, crops, masks, heads, losses, optimizer, schedules. */
import type { MaskStrategyName } from '@franca/cyclic-mask';
import type { LossWeights } from '@franca/losses';
import type { HeadConfig } from '@franca/matryoshka-heads';
import type { VitConfig } from '@franca/vit';

/** Global crops of an image; the method swaps the two views. */
export const GLOBAL_CROPS = 2;

/** Images of a group: KoLeo compares each with its nearest neighbour. */
export const LEAST_IMAGES = 2;

/**
 * What the step, its inputs and its schedules depend on. `pretrainOptions` fills in what nobody chose; where defaults are stated below, they are those of Franca's
 * ViT-B on ImageNet-21K.
 */
export interface PretrainOptions {
  /** What masks, kept samples and initial weights are drawn with, a whole number; default 0. */
  readonly seed: number;
  /** Type that backbone and heads compute in, default f32; weights, losses and targets are f32 always. */
  readonly precision: 'f32' | 'f16';
  readonly batch: BatchSize;
  /** The ranks that run each micro-step together, and which of them this is; default 0 of 1. */
  readonly ranks: RankOf;
  /** KoLeo finds neighbours among all images of a micro-step, on all ranks; default false: among those of a group. */
  readonly koleoDistributed: boolean;
  readonly vit: VitConfig;
  /** A larger network whose targets the student learns, in place of its own moving average's; default none, as in Franca. */
  readonly distillation?: Distillation;
  /** Standard deviation of the backbone's initial linear layers. Default 0.02, the official one. */
  readonly vitInitStd?: number;
  /** Compute block activations again in the backward pass: less memory, a third more work; default false. `auto`: as `fitPretraining` finds for a device. */
  readonly remat: boolean | 'auto';
  /**
   * In f16: keep rounded copies of the weights instead of rounding them in every pass: fewer kernels for 2 bytes more per weight of student and teacher, and the
   * same bits; default true. `fitPretraining` does without where memory is short.
   */
  readonly weightCopies?: boolean;
  /** Stochastic depth: the share of the samples that skip each branch of a block, by block; default 0.1 for all, 0 with `distillation`. */
  readonly dropPathRates: readonly number[];
  /** How many samples of a group that leaves, by block. */
  readonly kept: readonly KeptCrops[];
  readonly crops: CropSizes;
  readonly masks: MaskOptions;
  readonly heads: {
    /** Head of the CLS tokens; default Franca's with 131,072 prototypes at the finest level. */
    readonly dino: HeadConfig;
    /** Head of the masked patches; default as for CLS tokens with a bottleneck of 256. undefined: patches go through the DINO head. */
    readonly ibot: HeadConfig | undefined;
  };
  /** The length of every prototype stays 1; default false: it is trained. */
  readonly freezePrototypeNorms: boolean;
  /** Weights of the losses, default 1 for DINO and iBOT, 0.1 for KoLeo. */
  readonly losses: LossWeights;
  /** How the teacher's scores become targets; default `sinkhorn_knopp`. */
  readonly centering: 'centering' | 'sinkhorn_knopp';
  /** Momentum of the centres where targets are centred; default 0.9. */
  readonly centerMomentum: number;
  /** Empty rows of the list of masked patches take part in the targets, as in the official code; default false. Needs whole groups on every rank. */
  readonly paddingRows: boolean;
  /** Temperature of the student's softmax, default 0.1; the teacher's is scheduled. */
  readonly studentTemp: number;
  readonly adamW: AdamWSettings;
  /** Learning rate of a block relative to the one above; default 1. */
  readonly layerwiseDecay: number;
  /** Learning rate of the backbone relative to that of the heads; default 1. A backbone that is trained already moves less than fresh heads. */
  readonly backboneLrMultiplier: number;
  /** Learning rate of the patch embedding, relative; default 0.2. */
  readonly patchEmbedLrMultiplier: number;
  /** Dynamic loss scale: a step whose gradients are not finite is left out; default where `precision` is f16. */
  readonly lossScaling: boolean;
  readonly schedule: Schedule;
}

/** A frozen teacher: what it is made of. Its weights are the group `frozen_teacher` of the state, which `writeFrozenTeacher` fills. */
export interface Distillation {
  readonly vit: VitConfig;
  readonly heads: PretrainOptions['heads'];
}

/** A rank among others. */
export interface RankOf {
  readonly rank: number;
  readonly size: number;
}

export interface BatchSize {
  /** b, images of one micro-step on this device. */
  readonly perDevice: number;
  /**
   * Images that masks, kept samples and KoLeo's neighbours are drawn among, at least 2: officially those of one GPU, whichever device computes them. The images of a
   * micro-step, of all ranks in order, are groups one after the other; default `perDevice`.
   */
  readonly group: number;
  /** Micro-steps per update; default 1. */
  readonly accumulation: number;
}

/** Crops of an image, under the names of the official `crops:` section. */
export interface CropSizes {
  /** Side of the two global crops in pixels, a multiple of the patch size; default the model's image size, officially 224. */
  readonly global_crops_size: number;
  /** Side of the local crops in pixels, a multiple of the patch size; default 98. */
  readonly local_crops_size: number;
  /** L, local crops of an image; default 8. */
  readonly local_crops_number: number;
}

/** Samples that each residual branch of a block runs on, of the 2g global and of the L g local crops of a group of g images. */
export interface KeptCrops {
  readonly global: number;
  readonly local: number;
}

/** Which patches iBOT compares. The student sees them masked; with `distillation` nothing is masked, and they are compared as they are. */
export interface MaskOptions {
  /** How the masked patches of a crop are chosen; default `cyclic`. */
  readonly strategy: MaskStrategyName;
  /** Share of the global crops that get a mask; default 0.5. */
  readonly probability: number;
  /** Least and largest masked share of a masked crop; default 0.1 to 0.65. */
  readonly ratio: readonly [low: number, high: number];
  /** Rows and columns of patches of a global crop. */
  readonly grid: readonly [rows: number, columns: number];
  /** U, the most patches that a micro-step can mask on one rank: the fixed length of the lists of masked patches, the same on all ranks. */
  readonly bound: number;
}

export interface AdamWSettings {
  /** Decay of the means of gradients and of their squares; default 0.9 and 0.999. */
  readonly betas: readonly [number, number];
  /** Added to the root of the second mean; default 1e-8. */
  readonly eps: number;
  /** Largest gradient norm of the backbone and of each head, default 3; 0: no clipping. */
  readonly clip: number;
}

/** Schedules over a run; all lengths are in iterations (updates). Defaults of lengths are the shares that they have of the official 625,000 iterations. */
export interface Schedule {
  readonly iterations: number;
  /** Linear warm-up of the learning rate; default 16 % of the iterations. */
  readonly warmup: number;
  /** Iterations for which prototypes have learning rate 0; default 0.2 %. */
  readonly freezeLastLayer: number;
  /**
   * Iterations for which the backbone of student and teacher stays, to the bit, while heads learn, fresh ones on a trained backbone for one. Then its rate goes through the
   * whole schedule, warm-up included, in what is left. A mask token learns from the start. Default 0.
   */
  readonly freezeBackbone: number;
  /** Peak learning rate; default 7.01e-4 sqrt(images per update / 1024), the images of all ranks. */
  readonly lr: number;
  /** Learning rate at the end of its half cosine; default 1e-6. */
  readonly minLr: number;
  /** Along half a cosine; default 0.04 to 0.2. */
  readonly weightDecay: readonly [start: number, end: number];
  /** Momentum of the teacher, along half a cosine; default 0.994 to 1. */
  readonly momentum: readonly [start: number, end: number];
  /** Temperature of the teacher's softmax, linear over `teacherTempWarmup` iterations, then constant; default 0.04 to 0.07. */
  readonly teacherTemp: readonly [start: number, end: number];
  /** Default 6 %. */
  readonly teacherTempWarmup: number;
}
