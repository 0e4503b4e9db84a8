/** What a run is, worked out from its configuration: plain numbers for the training step and for the loop around it. */
import type { MaskStrategyName } from '@franca/cyclic-mask';
import type { DecodeOptions, MultiCropConfig } from '@franca/data';
import type { VitConfig } from '@franca/vit';

/** The machine a configuration is worked out for. */
export interface World {
  /** Devices that train together, and which of them this is. */
  readonly size: number;
  readonly rank: number;
  /** Whether the adapter is a GPU that stores f16. */
  readonly f16: boolean;
}

/** One level of nested prototypes. */
export interface HeadLevel {
  /** Components of the token that the level sees. */
  readonly width: number;
  /** K, its prototypes. */
  readonly prototypes: number;
}

export interface HeadOptions {
  /** `matryoshka`: nested levels; `dino`: the plain head of DINOv2, one level, its bottleneck L2-normalised. */
  readonly kind: 'matryoshka' | 'dino';
  /** Level i sees the first components of the token (`slice`) or all of it (`project`). */
  readonly nesting: 'slice' | 'project';
  readonly levels: readonly HeadLevel[];
  readonly layers: number;
  readonly hiddenDim: number;
  readonly bottleneckDim: number;
  /** Standard deviation of the initial linear layers. */
  readonly initStd?: number;
  /** The length of every prototype stays 1. */
  readonly freezePrototypeNorms: boolean;
}

/** Samples that each residual branch of a block runs on, of the 2b global and of the local crops. */
export interface KeptCrops {
  readonly global: number;
  readonly local: number;
}

export interface MaskOptions {
  readonly strategy: MaskStrategyName;
  readonly probability: number;
  readonly ratio: readonly [number, number];
  /** Rows and columns of patches of a global crop. */
  readonly grid: readonly [number, number];
  /** U, the most patches that a batch can mask: the fixed size of masked-patch buffers. */
  readonly bound: number;
}

/** A value that starts, maybe warms up, and moves to its end along half a cosine. */
export interface Schedule {
  readonly iterations: number;
  readonly warmup: number;
  /** Iterations for which prototypes have learning rate 0. */
  readonly freezeLastLayer: number;
  readonly lr: number;
  readonly minLr: number;
  readonly weightDecay: readonly [start: number, end: number];
  readonly momentum: readonly [start: number, end: number];
  readonly teacherTemp: readonly [start: number, end: number];
  readonly teacherTempWarmup: number;
}

export interface PretrainOptions {
  readonly seed: number;
  readonly precision: 'f32' | 'f16';
  /** Images: b of one device and micro-step, micro-steps per update, all of one update. */
  readonly batch: { readonly perDevice: number; readonly accumulation: number; readonly total: number };
  readonly vit: VitConfig;
  readonly remat: boolean;
  /** Stochastic depth: share of samples dropped, and samples kept, by block. */
  readonly dropPathRates: readonly number[];
  readonly kept: readonly KeptCrops[];
  readonly crops: MultiCropConfig;
  /** Rows and columns of patches of a local crop. */
  readonly localGrid: readonly [number, number];
  readonly masks: MaskOptions;
  readonly heads: {
    readonly dino: HeadOptions;
    /** undefined: patches go through the DINO head. */
    readonly ibot: HeadOptions | undefined;
  };
  readonly losses: { readonly dino: number; readonly koleo: number; readonly ibot: number };
  readonly centering: 'centering' | 'sinkhorn_knopp';
  /** Empty rows of the masked-patch buffer take part in the teacher's targets. */
  readonly paddingRows: boolean;
  readonly adamW: { readonly betas: readonly [number, number]; readonly clip: number };
  readonly layerwiseDecay: number;
  readonly patchEmbedLrMultiplier: number;
  readonly lossScaling: boolean;
  readonly schedule: Schedule;
  readonly run: RunOptions;
  /** What was changed on account of the batch size or the adapter, in words. */
  readonly notes: readonly string[];
}

/** The loop around the step. Intervals are in iterations. */
export interface RunOptions {
  /** Images; empty: none chosen. */
  readonly datasetPath: string;
  readonly outputDir: string;
  /** Backbone to start from; empty: none. */
  readonly pretrainedWeights: string;
  /** Images read and decoded at once; undefined: the loader's choice. */
  readonly inFlight: number | undefined;
  readonly augmentDevice: 'auto' | 'gpu' | 'cpu';
  readonly maxBadShare: number;
  readonly decode: DecodeOptions;
  readonly heldOutShare: number;
  readonly checkpoint: { readonly every: number; readonly keepLast: number; readonly keepEvery: number | undefined };
  /** Iterations between exports of the teacher; 0: only at the end. */
  readonly exportEvery: number;
  readonly logEvery: number;
  readonly picturesEvery: number;
  readonly knn: { readonly every: number; readonly k: number; readonly maxTrain: number; readonly maxTest: number };
  /** Chunks in the block names of exported checkpoints. */
  readonly blockChunks: number;
}
