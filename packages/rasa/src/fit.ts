/**
 * Fitting RASA. Stage by stage: learn the plane from which position can be read best, remove it, and look for the next one in what remains, until position
 * cannot be read any more. Per stage the head is trained by AdamW with a cosine schedule on features of a frozen backbone; only 2 D numbers learn.
 */
import { adamW, cosine } from '@franca/nn';
import { compile, createState, type Gpu, grad, matmul, randomStream, store } from '@franca/tensor';
import { RasaError } from './errors';
import { type Basis, chainBases, projectionMatrix } from './planes';
import { type Activation, constantError, positionLoss } from './position-head';

/** Patch tokens of some images after the final norm: [n, rows * columns, D]. */
export interface PatchBatch {
  readonly patches: Float32Array;
  readonly grid: readonly [rows: number, columns: number];
  readonly dim: number;
}

/**
 * Features to fit on: called once per epoch, and twice before to learn grid, width and number of images, so a source may shuffle or augment. All
 * batches have one grid.
 */
export type PatchSource = () => AsyncIterable<PatchBatch> | Iterable<PatchBatch>;

export interface FitOptions {
  /** Planes at most (default 9, as published). */
  readonly iterations?: number;
  /** Passes over the source per plane (default 5). */
  readonly epochs?: number;
  /** Images per optimizer step (default 128); a last partial batch of a pass is left out, as officially. */
  readonly batchSize?: number;
  /** Peak learning rate (default 2e-4), falling by half a cosine to `finalLr` (default 0). */
  readonly lr?: number;
  readonly finalLr?: number;
  readonly weightDecay?: number;
  readonly activation?: Activation;
  /** Planes orthogonal to all before (default true); false gives the official chain. */
  readonly orthogonal?: boolean;
  /** Stop before a plane from which position is read no better than this R^2 (default 0.01). */
  readonly minR2?: number;
  /**
   * Where each head starts: at zero (default), so that its rows lie where features vary with position, or uniform in +-1 / sqrt(D) as officially: what
   * training does not move of that stays in the plane and is removed for nothing.
   */
  readonly init?: 'zero' | 'uniform';
  readonly seed?: readonly [number, number];
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

export interface RasaFit {
  /** Trained heads [2, D], in order: `toOfficial` names them. */
  readonly heads: readonly Float32Array[];
  readonly bases: readonly Basis[];
  /** z' = z L, [D, D]. */
  readonly matrix: Float64Array;
  /** How well position could be read before each plane was removed, and, last, after all. */
  readonly stages: readonly StageResult[];
  readonly stoppedEarly: boolean;
}

/** Fits planes on a source. Throws `RasaError` if the source gives too few images for a batch, or changes its grid or width. */
export async function fitRasa(gpu: Gpu, source: PatchSource, options: FitOptions = {}): Promise<RasaFit> {
  const { iterations = 9, orthogonal = true, minR2 = 0.01 } = options;
  const first = await firstBatch(source);
  const D = first.dim;
  const trainer = await headTrainer(gpu, source, first, options);
  try {
    const heads: Float32Array[] = [];
    const stages: StageResult[] = [];
    for (;;) {
      const bases = chainBases(heads, D, orthogonal);
      const { weights, result } = await trainer.stage(heads.length, projectionMatrix(bases, D));
      stages.push(result);
      const done = heads.length === iterations || result.r2 < minR2;
      if (done)
        return { heads, bases, matrix: projectionMatrix(bases, D), stages, stoppedEarly: heads.length < iterations };
      heads.push(weights);
    }
  } finally {
    trainer.dispose();
  }
}

async function firstBatch(source: PatchSource): Promise<PatchBatch> {
  for await (const batch of source()) return batch;
  throw new RasaError('options', 'the source gave no features');
}

interface HeadTrainer {
  /** Trains a fresh head on features mapped by `matrix`. */
  stage(index: number, matrix: Float64Array): Promise<{ weights: Float32Array; result: StageResult }>;
  dispose(): void;
}

async function headTrainer(
  gpu: Gpu,
  source: PatchSource,
  { dim: D, grid }: PatchBatch,
  options: FitOptions,
): Promise<HeadTrainer> {
  const {
    epochs = 5,
    batchSize = 128,
    lr = 2e-4,
    finalLr = 0,
    weightDecay = 0,
    activation = 'sigmoid',
    init = 'zero',
    seed = [0, 0],
    onProgress,
  } = options;
  const N = grid[0] * grid[1];
  async function countBatches(): Promise<number> {
    let images = 0;
    for await (const batch of source()) images += imagesOf(batch);
    const batches = Math.floor(images / batchSize);
    if (batches === 0)
      throw new RasaError('options', `the source has ${images} images, a batch needs ${batchSize}; lower batchSize`);
    return batches;
  }
  const imagesOf = ({ patches, grid: [h, w], dim }: PatchBatch): number => {
    if (h !== grid[0] || w !== grid[1] || dim !== D)
      throw new RasaError(
        'shape',
        `a batch of ${h} x ${w} patches of width ${dim} came after ${grid[0]} x ${grid[1]} of width ${D}`,
      );
    return patches.length / (N * D);
  };
  const perEpoch = await countBatches();
  const head = { 'pos_pred.weight': { shape: [2, D], dtype: 'f32' as const } };
  const state = createState(gpu, {
    head,
    m: head,
    v: head,
    gradient: head,
    optimizer: { corrections: { shape: [2], dtype: 'f32' } },
    removal: { matrix: { shape: [D, D], dtype: 'f32' } },
  });
  const step = await compile(
    gpu,
    (s, { patches }, knobs) => {
      const z = matmul(patches, s.removal!.tensors.matrix!);
      const weight = s.head!.tensors['pos_pred.weight']!;
      const loss = positionLoss(z, weight, grid, activation);
      adamW(
        {
          weights: s.head!,
          m: s.m!,
          v: s.v!,
          gradients: store(s.gradient!, grad(loss, { 'pos_pred.weight': weight })),
          corrections: s.optimizer!.tensors.corrections!,
          lr: knobs.lr,
          weightDecay: knobs.weightDecay,
        },
        { rule: () => ({ lrMultiplier: 1, weightDecayMultiplier: 1, isLastLayer: false }) },
      );
      return { loss };
    },
    { state, batch: { patches: { shape: [batchSize, N, D], dtype: 'f32' } }, knobs: { lr: [], weightDecay: [] } },
  );

  const steps = perEpoch * epochs;
  const schedule = cosine({ base: lr, final: finalLr, total: steps });

  async function* fixedBatches(): AsyncGenerator<Float32Array> {
    const buffer = new Float32Array(batchSize * N * D);
    let filled = 0;
    for await (const batch of source()) {
      imagesOf(batch);
      for (let at = 0; at < batch.patches.length; ) {
        const part = batch.patches.subarray(at, at + buffer.length - filled);
        buffer.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled === buffer.length) {
          yield buffer;
          filled = 0;
        }
      }
    }
  }

  return {
    async stage(index, matrix) {
      const random = randomStream(seed, index);
      const bound = init === 'zero' ? 0 : 1 / Math.sqrt(D);
      state.write(
        'head',
        'pos_pred.weight',
        Float32Array.from({ length: 2 * D }, () => bound * (2 * random.uniform() - 1)),
      );
      for (const moment of ['m', 'v']) state.write(moment, 'pos_pred.weight', new Float32Array(2 * D));
      state.write('optimizer', 'corrections', [0, 0]);
      state.write('removal', 'matrix', matrix);
      let done = 0;
      let total = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        total = 0;
        for await (const patches of fixedBatches()) {
          step.run({ patches }, { lr: schedule(done), weightDecay });
          const [row] = (await step.metrics()).slice(-1);
          total += row!.loss!;
          done++;
          onProgress?.({ stage: index, step: done, steps, loss: row!.loss! });
        }
      }
      const mse = total / perEpoch;
      return {
        weights: Float32Array.from(await state.read('head', 'pos_pred.weight')),
        result: { mse, r2: 1 - mse / constantError(grid) },
      };
    },
    dispose() {
      step.dispose();
      state.dispose();
    },
  };
}
