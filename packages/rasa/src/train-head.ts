/**
 * Training of one position head on the features of a frozen backbone. The planes of earlier heads are removed from them by a matrix; AdamW with a
 * cosine schedule lowers the error of the predicted positions. Only the 2 D numbers of the head learn.
 */
import { adamW, cosine } from '@franca/nn';
import {
  compile,
  createState,
  type Gpu,
  grad,
  matmul,
  randomStream,
  type Seed,
  type Spec,
  type State,
  type Step,
  store,
  type Tensor,
} from '@franca/tensor';
import { countBatches, evenBatches, type PatchShape, type PatchSource } from './patch-batches';
import { type Activation, constantError, positionLoss } from './position-head';

/** Official name of the head's weight. */
const HEAD = 'pos_pred.weight';

export interface HeadOptions {
  /** Passes over the source per plane (default 5). */
  readonly epochs?: number;
  /** Images per optimizer step (default 128); a last partial batch of a pass is left out, as officially. */
  readonly batchSize?: number;
  /** Peak learning rate (default 2e-4), falling by half a cosine to `finalLr` (default 0). */
  readonly lr?: number;
  readonly finalLr?: number;
  readonly weightDecay?: number;
  readonly activation?: Activation;
  /**
   * Where each head starts: at zero (default), so that its rows lie where features vary with position, or uniform in +-1 / sqrt(D) as officially: what
   * training does not move of that stays in the plane and is removed for nothing.
   */
  readonly init?: 'zero' | 'uniform';
  /** Of a head that starts at random values (default 0). */
  readonly seed?: Seed;
  readonly onProgress?: (progress: StageProgress) => void;
}

export interface StageProgress {
  readonly stage: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

export interface StageResult {
  /** Mean squared error and R^2 of the trained head over its last epoch, on features with all earlier planes removed. */
  readonly mse: number;
  readonly r2: number;
}

export interface HeadTrainer extends Disposable {
  /** Trains a fresh head for a stage on features mapped by `matrix` [D, D]; its weights are [2, D]. */
  train(stage: number, matrix: Float64Array): Promise<{ readonly weights: Float32Array; readonly result: StageResult }>;
}

/** One trainer for all stages: its step is compiled once. Throws `RasaError` as `countBatches`. */
export async function headTrainer(
  gpu: Gpu,
  source: PatchSource,
  shape: PatchShape,
  options: HeadOptions,
): Promise<HeadTrainer> {
  const { epochs = 5, batchSize = 128, lr = 2e-4, finalLr = 0, weightDecay = 0 } = options;
  const perEpoch = await countBatches(source, shape, batchSize);
  const steps = perEpoch * epochs;
  const schedule = cosine({ base: lr, final: finalLr, total: steps });
  const state = headState(gpu, shape.dim);
  const step = await headStep(gpu, state, shape, batchSize, options.activation);
  return {
    async train(stage, matrix) {
      startHead(state, shape.dim, stage, options);
      state.write('removal', 'matrix', matrix);
      let done = 0;
      let total = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        total = 0;
        for await (const patches of evenBatches(source, shape, batchSize)) {
          step.run({ patches }, { lr: schedule(done), weightDecay });
          const { loss } = await step.latest();
          total += loss;
          done++;
          options.onProgress?.({ stage, step: done, steps, loss });
        }
      }
      const mse = total / perEpoch;
      return {
        weights: Float32Array.from(await state.read('head', HEAD)),
        result: { mse, r2: 1 - mse / constantError(shape.grid) },
      };
    },
    [Symbol.dispose]() {
      step.dispose();
      state.dispose();
    },
  };
}

function headState(gpu: Gpu, D: number): State {
  const head = { [HEAD]: { shape: [2, D], dtype: 'f32' as const } };
  return createState(gpu, {
    head,
    m: head,
    v: head,
    gradient: head,
    optimizer: { corrections: { shape: [2], dtype: 'f32' } },
    removal: { matrix: { shape: [D, D], dtype: 'f32' } },
  });
}

/** A fresh head and optimizer. */
function startHead(state: State, D: number, stage: number, { init = 'zero', seed = 0 }: HeadOptions): void {
  const random = randomStream(seed, stage);
  const bound = init === 'zero' ? 0 : 1 / Math.sqrt(D);
  state.write(
    'head',
    HEAD,
    Float32Array.from({ length: 2 * D }, () => bound * (2 * random.uniform() - 1)),
  );
  for (const moment of ['m', 'v']) state.write(moment, HEAD, new Float32Array(2 * D));
  state.write('optimizer', 'corrections', [0, 0]);
}

type HeadStep = Step<{ patches: Spec }, { lr: []; weightDecay: [] }, { loss: Tensor }>;

/** One step of AdamW on patches [batchSize, N, D]; its loss is a metric. */
function headStep(
  gpu: Gpu,
  state: State,
  { grid, dim: D }: PatchShape,
  batchSize: number,
  activation?: Activation,
): Promise<HeadStep> {
  return compile(
    gpu,
    (s, { patches }, knobs) => {
      const weight = s.head!.tensors[HEAD]!;
      const loss = positionLoss(matmul(patches, s.removal!.tensors.matrix!), weight, grid, activation);
      adamW(
        {
          weights: s.head!,
          m: s.m!,
          v: s.v!,
          gradients: store(s.gradient!, grad(loss, { [HEAD]: weight })),
          corrections: s.optimizer!.tensors.corrections!,
          lr: knobs.lr,
          weightDecay: knobs.weightDecay,
        },
        { rule: () => ({ lrMultiplier: 1, weightDecayMultiplier: 1, isLastLayer: false }) },
      );
      return { loss };
    },
    {
      state,
      batch: { patches: { shape: [batchSize, grid[0] * grid[1], D], dtype: 'f32' } },
      knobs: { lr: [], weightDecay: [] },
    },
  );
}
