/**
 * Training of one position head on the features of a frozen backbone: AdamW with a cosine schedule lowers the error of the predicted positions. Only the
 * 2 D numbers of the head learn. The head sees features x, centred and mapped, but instead of the features the head is mapped, which gives the same for a
 * fraction of the work:
 *
 *   ((x - mean) A) w^T = (x - mean) (w A^T)^T
 *
 * A [D, D] removes the planes of earlier heads, and scales what remains to unit variance, so that one learning rate serves features of any size. A head of
 * centred features starts from the middle of the grid.
 */
import { adamW, cosine, optimizerState } from '@franca/nn';
import {
  compile,
  constant,
  createState,
  type Gpu,
  grad,
  matmul,
  mean,
  randomStream,
  type Spec,
  type Step,
  store,
  sub,
  type Tensor,
} from '@franca/tensor';
import type { Settings } from './options';
import { endlessBatches, evenBatches, type PatchShape, type PatchSource, valuesPerImage } from './patch-batches';
import { centreOf, constantError, positionErrors } from './position-head';

/** Official name of the head's weight. */
const HEAD = 'pos_pred.weight';

/** Steps that are submitted before their losses are waited for, and bytes of features that may wait on their way to the device meanwhile. */
const MOST_AHEAD = 16;
const BYTES_AHEAD = 2 ** 26;

/** What a head sees of the features: (x - mean) map. */
export interface View {
  readonly mean: ArrayLike<number>;
  /** A, [D, D]. */
  readonly map: ArrayLike<number>;
}

export interface TrainedHead {
  /** Weights [2, D] on what the view shows. */
  readonly weights: Float32Array;
  /** Mean squared error and R^2 of its predictions, over one pass. */
  readonly mse: number;
  readonly r2: number;
}

export interface HeadTrainer extends Disposable {
  /** Trains a fresh head for a stage. */
  train(stage: number, view: View): Promise<TrainedHead>;
}

/** One trainer for all stages: its steps are compiled once. */
export async function headTrainer(
  gpu: Gpu,
  source: PatchSource,
  shape: PatchShape,
  settings: Settings,
): Promise<HeadTrainer> {
  const { batchSize, steps, lr, finalLr, weightDecay, lastBatch, onProgress } = settings;
  const ahead = Math.max(1, Math.min(MOST_AHEAD, Math.floor(BYTES_AHEAD / (4 * batchSize * valuesPerImage(shape)))));
  const schedule = cosine({ base: lr, final: finalLr, total: steps });
  const state = headState(gpu, shape.dim);
  const step = await trainingStep(gpu, state, shape, settings);
  const judge = await judgingStep(gpu, state, shape, settings);

  async function meanError(): Promise<number> {
    let [sum, images] = [0, 0];
    for await (const { patches, count } of evenBatches(source, shape, batchSize)) {
      judge.run({ patches });
      for (const error of (await judge.read('errors')).subarray(0, count)) sum += error;
      images += count;
    }
    return sum / images;
  }

  return {
    async train(stage, { mean, map }) {
      startHead(state, shape.dim, stage, settings);
      state.write('view', 'mean', mean);
      state.write('view', 'map', map);
      let [given, done] = [0, 0];
      for await (const patches of endlessBatches(source, shape, batchSize, lastBatch)) {
        step.run({ patches }, { lr: schedule(given), weightDecay });
        given++;
        if (given % ahead !== 0 && given < steps) continue;
        for (const { loss } of (await step.metrics()).rows) {
          done++;
          onProgress?.({ stage, stages: settings.iterations, step: done, steps, loss });
        }
        if (given === steps) break;
      }
      const mse = await meanError();
      return {
        weights: Float32Array.from(await state.read('head', HEAD)),
        mse,
        r2: 1 - mse / constantError(shape.grid),
      };
    },
    [Symbol.dispose]() {
      judge.dispose();
      step.dispose();
      state.dispose();
    },
  };
}

type HeadState = ReturnType<typeof headState>;

function headState(gpu: Gpu, D: number) {
  const head = { [HEAD]: { shape: [2, D], dtype: 'f32' } } as const;
  return createState(gpu, {
    head,
    ...optimizerState(head),
    view: { mean: { shape: [D], dtype: 'f32' }, map: { shape: [D, D], dtype: 'f32' } },
  });
}

/** A fresh head and optimizer. */
function startHead(state: HeadState, D: number, stage: number, { init, seed }: Settings): void {
  const random = randomStream(seed, stage);
  const bound = init === 'zero' ? 0 : 1 / Math.sqrt(D);
  state.write(
    'head',
    HEAD,
    Float32Array.from({ length: 2 * D }, () => bound * (2 * random.uniform() - 1)),
  );
  state.write('m', HEAD, new Float32Array(2 * D));
  state.write('v', HEAD, new Float32Array(2 * D));
  state.write('optimizer', 'corrections', [0, 0]);
}

/** Squared errors of each image [B], of the head on what the view shows of patches [B, N, D]. */
function errorsOf(patches: Tensor, head: Tensor, view: { mean: Tensor; map: Tensor }, recipe: Recipe): Tensor {
  const centre = centreOf(recipe.activation);
  const mapped = matmul(head, view.map, { transposeB: true });
  const bias = recipe.standardise ? constant([centre, centre], [2]) : undefined;
  return positionErrors(sub(patches, view.mean), mapped, recipe.grid, recipe.activation, bias);
}

interface Recipe extends PatchShape, Settings {}

/** One step of AdamW on patches [batchSize, N, D]; its loss is a metric. */
function trainingStep(
  gpu: Gpu,
  state: HeadState,
  shape: PatchShape,
  settings: Settings,
): Promise<Step<{ patches: Spec }, { lr: []; weightDecay: [] }, { loss: Tensor }>> {
  return compile(
    gpu,
    (s, { patches }, knobs) => {
      const weight = s.head.tensors[HEAD];
      const loss = mean(errorsOf(patches, weight, s.view.tensors, { ...shape, ...settings }));
      const { lr, weightDecay } = knobs;
      const gradients = store(s.gradient, grad(loss, { [HEAD]: weight }));
      const { corrections } = s.optimizer.tensors;
      adamW({ weights: s.head, m: s.m, v: s.v, gradients, corrections, lr, weightDecay });
      return { loss };
    },
    { state, batch: patchesSpec(shape, settings), knobs: { lr: [], weightDecay: [] } },
  );
}

/** Errors of the head as it is. */
function judgingStep(
  gpu: Gpu,
  state: HeadState,
  shape: PatchShape,
  settings: Settings,
): Promise<Step<{ patches: Spec }, Record<never, never>, { errors: Tensor }>> {
  return compile(
    gpu,
    (s, { patches }) => ({
      errors: errorsOf(patches, s.head.tensors[HEAD], s.view.tensors, { ...shape, ...settings }),
    }),
    { state, batch: patchesSpec(shape, settings) },
  );
}

const patchesSpec = ({ grid, dim }: PatchShape, { batchSize }: Settings): { patches: Spec } => ({
  patches: { shape: [batchSize, grid[0] * grid[1], dim], dtype: 'f32' },
});
