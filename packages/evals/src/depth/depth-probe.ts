/** A trained depth probe as plain data: all that predicting needs, and all that a file would have to hold. */
import type { DepthTokens } from './depth-features';
import type { DepthHead, DepthProtocol } from './depth-protocol';

/** A named tensor of a probe. */
export interface ProbeTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface DepthProbe {
  readonly protocol: DepthProtocol;
  readonly head: DepthHead;
  /** Levels and width of each that it reads. */
  readonly levels: number;
  readonly dim: number;
  /** Width of the DPT head. */
  readonly hidden: number;
  /** Tensors by their names in the official state dict, such as `head.conv_0.weight`. */
  readonly weights: Readonly<Record<string, ProbeTensor>>;
  /** Loss of each step, before it. */
  readonly losses: Float64Array;
  /** Batches without any measured pixel, which changed nothing. */
  readonly skipped: number;
}

/** Where a training stands after an epoch: `trainDepthProbe` goes on from it to the same bits. */
export interface DepthTrainingState {
  /** Epochs that are over, and steps taken in them. */
  readonly epoch: number;
  readonly step: number;
  readonly losses: Float64Array;
  readonly skipped: number;
  /** Weights and what the optimizer keeps, as `group/name`. */
  readonly tensors: Readonly<Record<string, Float32Array>>;
}

/** A step that is over; epochs and steps count from 0. */
export interface DepthProgress {
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  /** NaN where the batch had no measured pixel. */
  readonly loss: number;
}

export interface TrainDepthOptions {
  readonly protocol: DepthProtocol;
  /** Default: the first of the protocol's: `dpt`, and `linear` for `dinov3`. */
  readonly head?: DepthHead;
  /** Batches of an epoch (full ones, where the protocol drops the last), which the schedule must know beforehand. */
  readonly stepsPerEpoch: number;
  /** Default: the protocol's. */
  readonly epochs?: number;
  /** Images of a full batch; the last one of an epoch may be smaller. Default: the protocol's. */
  readonly batchSize?: number;
  /** Width of the DPT head; default 512. */
  readonly hidden?: number;
  /** Of the initial values, where they are drawn; default 0. */
  readonly seed?: number;
  readonly onStep?: (progress: DepthProgress) => void;
  /** Receives where training stands after each epoch. */
  readonly onEpoch?: (state: DepthTrainingState) => void | Promise<void>;
  /** Goes on from here. */
  readonly resume?: DepthTrainingState;
}

/** Maps of depth from features; holds weights and compiled steps on the device, so dispose of it. */
export interface DepthPredictor extends Disposable {
  /**
   * Metres `[n, depthSize]` for the images of a batch.
   *
   * @throws EvalsError `features` where the tokens are not of the kind that the probe reads
   */
  predict(features: DepthTokens): Promise<Float32Array>;
}
