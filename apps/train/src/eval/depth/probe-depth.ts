/** Learns a depth probe at one size and scores it, picture by picture. */
import { join } from 'node:path';
import {
  DEPTH_RANGE,
  type DepthMetrics,
  type DepthTokens,
  type DepthTrainingState,
  depthMetrics,
  type EvalBackend,
  fitDepthRidge,
  judgedDepth,
  mirroredMean,
  openDepthPredictor,
  predictDepthRidge,
  type SavedProgress,
  trainDepthProbe,
} from '@franca/evals';
import { TrainError } from '../../errors';
import type { FeatureSession } from '../../features/session';
import type { DepthImages } from '../../image-sets/depth-set';
import { describePreparation, inputSides } from '../../image-sets/preparation';
import { duration } from '../../text/amounts';
import { countProgress } from '../../text/count-progress';
import { progressFile } from '../progress-file';
import { type DepthBatch, type DepthReading, depthBatches } from './depth-batches';
import type { DepthPart } from './depth-part';
import { type DepthPlan, levelsOf } from './depth-plan';
import type { DepthSize } from './depth-sizes';

/** One test picture. */
export interface ScoredDepth {
  /** In the test set. */
  readonly index: number;
  /** Undefined where it has no reading. */
  readonly metrics: DepthMetrics | undefined;
  /** RMSE of the mean depth of train. */
  readonly ofConstant?: number;
  /** Of the pictures that are shown. */
  readonly shown?: { readonly truth: Float32Array; readonly prediction: Float32Array };
}

export interface ProbedDepth {
  readonly scored: readonly ScoredDepth[];
  /** Of each step; none of ridge regression. */
  readonly losses: readonly number[];
  /** Batches without any reading, which changed nothing. */
  readonly skipped: number;
  /** What one has for nothing, by name: the error of the mean depth of what was learnt from. Empty where a training was taken up at its end. */
  readonly constant: Readonly<Record<string, number>>;
  readonly cost: DepthCost;
}

/** Seconds of this run, features included. */
export interface DepthCost {
  /** Steps that were taken in it, and what they took together. */
  readonly steps: number;
  readonly learning: number;
  readonly testing: number;
}

export interface ProbeSettings {
  readonly plan: DepthPlan;
  readonly size: DepthSize;
  /** Numbers of the test pictures whose maps are kept. */
  readonly shown: ReadonlySet<number>;
  readonly backend: EvalBackend;
}

/** Maps [n, pixels] of the pictures of a batch; disposed of when all are predicted. */
interface Predictor extends Disposable {
  predict(features: DepthTokens): Promise<Float32Array>;
}

export async function probeDepth({ session, train, test }: DepthPart, settings: ProbeSettings): Promise<ProbedDepth> {
  const { plan, size } = settings;
  if (!train) throw new TrainError('data', `${test.dataset} has nothing to learn from; name such data by --train-data`);
  const reading: DepthReading = {
    levels: levelsOf(plan.facts, session.model.config.depth),
    joinCls: plan.facts.joinCls,
    preparation: size.preparation,
    depthSize: size.depthSize,
  };
  const mean = runningMean();
  const began = performance.now();
  const learnt = plan.head
    ? await learn(session, train, reading, mean, settings)
    : { predictor: await regress(session, train, reading, mean, settings), losses: [], skipped: 0, steps: 0 };
  using predictor = learnt.predictor;
  const middle = performance.now();
  const scored = await scoreAll(session, test, reading, predictor, { ...settings, constant: mean.value() });
  const errors = scored.flatMap(({ ofConstant }) => ofConstant ?? []);
  return {
    scored,
    losses: learnt.losses,
    skipped: learnt.skipped,
    constant: errors.length > 0 ? { [CONSTANT]: errors.reduce((sum, error) => sum + error) / errors.length } : {},
    cost: {
      steps: learnt.steps,
      learning: (middle - began) / 1000,
      testing: (performance.now() - middle) / 1000,
    },
  };
}

const CONSTANT = 'RMSE of the mean depth';

/** The mean of all readings that pass by. */
function runningMean() {
  let [sum, count] = [0, 0];
  return {
    async *over(batches: AsyncIterable<DepthBatch>): AsyncGenerator<DepthBatch> {
      for await (const batch of batches) {
        for (const depth of batch.depths) {
          if (depth <= 0 || depth > DEPTH_RANGE[1]) continue;
          sum += depth;
          count++;
        }
        yield batch;
      }
    },
    value: (): number | undefined => (count > 0 ? sum / count : undefined),
  };
}

type RunningMean = ReturnType<typeof runningMean>;

/** What features of a whole set may take on disk; of larger ones nothing is kept. */
const KEPT_BYTES = 32 * 2 ** 30;

const isKept = ({ model }: FeatureSession, set: DepthImages, { levels, preparation }: DepthReading): boolean => {
  const { embedDim, patchSize } = model.config;
  const [height, width] = inputSides(preparation);
  const tokens = 1 + (height / patchSize) * (width / patchSize);
  return 4 * set.length * levels.blocks.length * tokens * embedDim <= KEPT_BYTES;
};

async function learn(
  session: FeatureSession,
  train: DepthImages,
  reading: DepthReading,
  mean: RunningMean,
  { plan }: ProbeSettings,
) {
  const { protocol, facts, head, hidden, epochs, batchSize, augment } = plan;
  const { dropLast } = facts;
  const stepsPerEpoch = dropLast ? Math.floor(train.length / batchSize) : Math.ceil(train.length / batchSize);
  if (stepsPerEpoch === 0)
    throw new TrainError(
      'data',
      `${train.length} pictures do not fill a batch of ${batchSize}; give a smaller --train-batch`,
    );
  const kept = isKept(session, train, reading);
  const source = (epoch: number): AsyncGenerator<DepthBatch> =>
    mean.over(
      depthBatches(session, train, reading, {
        batchSize,
        dropLast,
        keepPlaces: true,
        fresh: !kept,
        pass: augment ? { seed: SEED, pass: epoch } : undefined,
      }),
    );
  const file = progressFile(join(session.cacheFolder, 'progress'), {
    task: 'depth',
    ...{ weights: session.extraction.weights, code: session.extraction.code },
    ...{ protocol, head, hidden, epochs, batchSize, augment, levels: reading.levels, depthSize: reading.depthSize },
    ...{ preparation: describePreparation(reading.preparation), dataset: train.dataset, notes: train.notes },
    images: await session.extraction.versions(train, 0, train.length),
    readings: await session.extraction.versions({ ...train, version: train.depthVersion }, 0, train.length),
  });
  const resume = trainingState(await file.load());
  if (kept && !augment) for await (const _ of source(0)) void _;
  const progress = countProgress(`depth probe on ${train.dataset}`, { items: 'steps', unit: 'steps' });
  let steps = 0;
  const probe = await trainDepthProbe(session.gpu, source, {
    protocol,
    ...(head && { head }),
    hidden,
    stepsPerEpoch,
    ...(epochs !== undefined && { epochs }),
    batchSize,
    seed: SEED,
    onStep({ epoch, step, steps: all, loss }) {
      steps++;
      progress.update(step + 1, all, false, `epoch ${epoch + 1}  loss ${loss.toFixed(3)}`);
    },
    onEpoch: (state) => file.save(savedState(state)),
    ...(resume && { resume }),
  }).finally(progress.end);
  await file.done();
  return {
    predictor: openDepthPredictor(session.gpu, probe),
    losses: Array.from(probe.losses),
    skipped: probe.skipped,
    steps,
  };
}

const SEED = 0;
const LOSSES = 'losses';

const savedState = ({ epoch, step, skipped, losses, tensors }: DepthTrainingState): SavedProgress => ({
  state: { epoch, step, skipped },
  arrays: { ...tensors, [LOSSES]: losses },
});

function trainingState(saved: SavedProgress | undefined): DepthTrainingState | undefined {
  if (!saved) return undefined;
  const { [LOSSES]: losses, ...tensors } = saved.arrays as Record<string, Float32Array>;
  const state = saved.state as Pick<DepthTrainingState, 'epoch' | 'step' | 'skipped'>;
  return { ...state, losses: Float64Array.from(losses!), tensors };
}

async function regress(
  session: FeatureSession,
  train: DepthImages,
  reading: DepthReading,
  mean: RunningMean,
  { backend }: ProbeSettings,
): Promise<Predictor> {
  const read = () => mean.over(depthBatches(session, train, reading, { batchSize: TEST_BATCH }));
  const batches = { [Symbol.asyncIterator]: read };
  const began = performance.now();
  const ridge = await fitDepthRidge(batches, { backend });
  console.error(`ridge regression on ${train.length} pictures: ${duration((performance.now() - began) / 1000)}`);
  return { predict: async (features) => predictDepthRidge(ridge, features), [Symbol.dispose]: () => {} };
}

const TEST_BATCH = 8;

async function scoreAll(
  session: FeatureSession,
  test: DepthImages,
  reading: DepthReading,
  predictor: Predictor,
  { plan: { protocol, facts }, shown, constant }: ProbeSettings & { readonly constant: number | undefined },
): Promise<ScoredDepth[]> {
  const scored: ScoredDepth[] = [];
  const pixels = reading.depthSize[0] * reading.depthSize[1];
  const mirrored = facts.flip ? { ...reading, preparation: { ...reading.preparation, flip: true } } : undefined;
  const others = mirrored && depthBatches(session, test, mirrored, { batchSize: TEST_BATCH });
  const progress = countProgress(`depth of ${test.dataset} ${test.split}`);
  for await (const batch of depthBatches(session, test, reading, { batchSize: TEST_BATCH })) {
    const maps = await predictor.predict(batch);
    const other = others && (await others.next()).value;
    const back = other && (await predictor.predict(other));
    for (const [i, index] of batch.images.entries()) {
      const of = (all: Float32Array): Float32Array => all.slice(i * pixels, (i + 1) * pixels);
      const prediction = back ? mirroredMean(of(maps), of(back), reading.depthSize) : of(maps);
      const truth = judgedDepth(protocol, of(batch.depths), reading.depthSize);
      const metrics = depthMetrics(prediction, truth);
      const ofConstant =
        constant === undefined
          ? undefined
          : depthMetrics(
              truth.map(() => constant),
              truth,
            )?.rmse;
      scored.push({
        index,
        metrics,
        ...(ofConstant !== undefined && { ofConstant }),
        ...(shown.has(index) && { shown: { truth, prediction } }),
      });
    }
    progress.update(scored.length, test.length, false);
  }
  progress.end();
  return scored;
}
