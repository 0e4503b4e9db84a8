/** What a run is, worked out from its configuration: options of the method, and of the loop around its step. */
import type { DecodeOptions, MultiCropConfig } from '@franca/data';
import type { BatchSize, Distillation, PretrainOptions } from '@franca/pretraining';

/** The machine a configuration is worked out for. */
export interface Machine {
  /** Ranks that train together, each with a device, and which of them this is. */
  readonly size: number;
  readonly rank: number;
  /** Whether the adapter is a GPU that stores f16, and gets it right. */
  readonly f16: boolean;
  /** What the teacher is made of that `franca.distillation.teacher` names, a file of this machine; absent: not looked at. */
  readonly teacher?: Distillation | undefined;
}

export interface DerivedOptions extends PretrainOptions {
  /** `total`: images of one update over all micro-steps and ranks. */
  readonly batch: BatchSize & { readonly total: number };
  /** Devices that the configuration is written for. */
  readonly gpus: number;
  readonly crops: MultiCropConfig;
  readonly loop: LoopOptions;
  /** What was changed on account of the batch size or the adapter, in words. */
  readonly notes: readonly string[];
}

/** The loop around the step. Intervals are in iterations. */
export interface LoopOptions {
  /** Images; empty: none chosen. */
  readonly datasetPath: string;
  /** Backbone to start from; empty: none. */
  readonly pretrainedWeights: string;
  /** Whether heads come from there too, where there are some. */
  readonly carryHeads: boolean;
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
  /** Iterations between comparisons of the weights of all ranks; 0: at checkpoints only. */
  readonly checkEvery: number;
  readonly knn: { readonly every: number; readonly k: number; readonly maxTrain: number; readonly maxTest: number };
}
