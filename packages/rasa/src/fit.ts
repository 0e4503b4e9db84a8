/**
 * Fitting RASA (Franca section 3.4). Stage by stage: train a head to read position, remove the plane that it stands for, and go on with what remains,
 * until position cannot be read any more. Whether it can is not for the head to say, which may just not have learned: least squares says it, in
 * closed form, from moments that are taken once and that every plane goes through exactly.
 */
import type { Gpu } from '@franca/tensor';
import { RasaError } from './errors';
import { leastSquares } from './least-squares';
import { gatherMoments, type Moments, withoutPlane } from './moments';
import { checkedOptions, type FitOptions, type Settings, settingsFor } from './options';
import type { PatchSource } from './patch-batches';
import { type HeadWeights, planeBasis, projectionMatrix } from './planes';
import { centreOf } from './position-head';
import type { Basis, PositionReading, RasaFit, RasaStage } from './result';
import { headTrainer, type View } from './train-head';

interface ScaledView extends View {
  /** Of each dimension, in `map` already: a head w on the view is the head w scale on features as they are. */
  readonly scale: Float64Array;
}

/** R^2 above chance from which on a head is asked whether it has learned. */
const LEAST_TO_LEARN = 0.01;

/** Above this much chance, nothing can be said of the rest. */
const MOST_CHANCE = 0.5;

/**
 * Fits planes on a source. Throws `RasaError`: `options`; `shape` or `source` for features that are of several shapes, too few, not finite, or gone at a
 * second pass; `not-learned`, `weights` for a head that does not find its plane: `fit` of the error is what was fitted before.
 */
export async function fitRasa(gpu: Gpu, source: PatchSource, options: FitOptions = {}): Promise<RasaFit> {
  const checked = checkedOptions(options);
  let moments = await gatherMoments(gpu, source);
  const settings = settingsFor(checked, moments.images);
  const { grid, dim: D } = moments;
  const first = leastSquares(moments);
  if (first.chance > MOST_CHANCE) throw tooFewImages(moments, first);
  const most = settings.orthogonal ? Math.min(settings.iterations, Math.floor(D / 2)) : settings.iterations;
  let fit = unfitted(moments, first, settings);
  if (fit.stopped === 'position-gone') return fit;
  const { mean } = moments;
  using trainer = await headTrainer(gpu, source, { grid, dim: D }, settings);
  while (fit.stopped === 'planes-spent' && fit.stages.length < most) {
    const view = settings.standardise ? standardised(moments, mean, fit.matrix) : asTheyAre(fit.matrix, D);
    const trained = await trainer.train(fit.stages.length, view);
    if (!learned(trained.r2, fit.after, settings)) throw notLearned(fit, trained.r2, settings);
    const head = trained.weights.map((value, i) => value * view.scale[i % D]!);
    const rows = settings.directions === 'patterns' ? patternsOf(head, moments) : head;
    const basis = basisOf(rows, fit, D, settings);
    const bias = biasOf(head, moments, settings);
    moments = withoutPlane(moments, basis);
    fit = withPlane(fit, { head, bias, basis, after: leastSquares(moments), read: trained }, settings);
  }
  return fit;
}

const unfitted = ({ dim: D, images }: Moments, before: PositionReading, settings: Settings): RasaFit => ({
  heads: [],
  biases: [],
  bases: [],
  directions: settings.directions,
  matrix: projectionMatrix([], D),
  before,
  after: before,
  stages: [],
  stopped: stoppedBy(before, settings),
  images,
  leftOut: settings.leftOut,
});

interface Plane {
  readonly head: Float32Array;
  readonly bias: Float32Array;
  readonly basis: Basis;
  readonly after: PositionReading;
  readonly read: RasaStage['head'];
}

function withPlane(fit: RasaFit, { head, bias, basis, after, read: { mse, r2 } }: Plane, settings: Settings): RasaFit {
  const bases = [...fit.bases, basis];
  return {
    ...fit,
    heads: [...fit.heads, head],
    biases: [...fit.biases, bias],
    bases,
    matrix: projectionMatrix(bases, head.length / 2),
    after,
    stages: [...fit.stages, { before: fit.after, after, head: { mse, r2 } }],
    stopped: stoppedBy(after, settings),
  };
}

/** Until position is gone, planes are what ends the fit. */
const stoppedBy = ({ r2, chance }: PositionReading, { minR2 }: Settings): RasaFit['stopped'] =>
  minR2 > 0 && r2 - chance < minR2 ? 'position-gone' : 'planes-spent';

/** Whether a head reads its share of what is there above chance. Where that is next to nothing there is nothing to learn. */
function learned(head: number, { r2, chance }: PositionReading, { minLearned }: Settings): boolean {
  const there = r2 - chance;
  return minLearned === 0 || there < LEAST_TO_LEARN || head >= minLearned * there;
}

/** Mean 0 and variance 1 in every dimension of what `matrix` leaves; dimensions of which it leaves nothing stay at 0. */
function standardised({ dim: D, covariance }: Moments, mean: Float64Array, matrix: Float64Array): ScaledView {
  const variance = Float64Array.from({ length: D }, (_, i) => covariance[i * D + i]!);
  const nothing = 1e-12 * variance.reduce((a, b) => Math.max(a, b), 0);
  const scale = variance.map((value) => (value > nothing ? 1 / Math.sqrt(value) : 0));
  return { mean, scale, map: matrix.map((value, i) => value * scale[i % D]!) };
}

const asTheyAre = (map: Float64Array, D: number): ScaledView => ({
  mean: new Float64Array(D),
  scale: new Float64Array(D).fill(1),
  map,
});

/** What turns a head of standardised features into one of features as they are: the bias is what it gives for their mean. */
function biasOf(head: Float32Array, { mean, dim: D }: Moments, { standardise, activation }: Settings): Float32Array {
  if (!standardise) return new Float32Array(2);
  return Float32Array.from({ length: 2 }, (_, axis) =>
    mean.reduce((sum, value, i) => sum - value * head[axis * D + i]!, centreOf(activation)),
  );
}

/**
 * Along which directions features vary with what a head reads: Cov(x, w x) = Cov(x, x) w of each row (Haufe et al. 2014, "On the interpretation of weight
 * vectors of linear models in multivariate neuroimaging"). For the least-squares head w = Cov(x, x)^-1 Cov(x, y) it is Cov(x, y), and without it nothing linear
 * is left.
 */
function patternsOf(head: Float32Array, { covariance, dim: D }: Moments): Float64Array {
  const patterns = new Float64Array(2 * D);
  for (const axis of [0, 1])
    for (let i = 0; i < D; i++)
      for (let j = 0; j < D; j++) patterns[axis * D + i]! += covariance[i * D + j]! * head[axis * D + j]!;
  return patterns;
}

function basisOf(head: HeadWeights, fit: RasaFit, D: number, { orthogonal }: Settings): Basis {
  try {
    return planeBasis(head, D, orthogonal ? fit.bases.flat() : []);
  } catch (cause) {
    const message = `after ${fit.bases.length} planes the features have no plane left to remove; lower iterations to ${fit.bases.length}`;
    throw new RasaError('weights', message, { cause, fit });
  }
}

function tooFewImages({ images, grid, dim }: Moments, { r2, chance }: PositionReading): RasaError {
  return new RasaError(
    'source',
    `${images} images of ${grid[0]} x ${grid[1]} patches of width ${dim} cannot tell position from chance: least squares reads R2 ${r2.toFixed(2)}, ` +
      `of which ${chance.toFixed(2)} is chance; give more images`,
  );
}

function notLearned(fit: RasaFit, r2: number, { lr, steps, standardise, minLearned }: Settings): RasaError {
  const removed = fit.bases.length === 0 ? '' : `; the ${fit.bases.length} planes before it are in the error's fit`;
  return new RasaError(
    'not-learned',
    `the position head reads R2 ${r2.toFixed(3)} where least squares reads ${fit.after.r2.toFixed(3)}, less than ${minLearned} of it: ` +
      `it has not learned in ${steps} steps at lr ${lr}; raise minSteps or epochs, ` +
      `${standardise ? 'or leave lr at its default' : "raise lr to the features' size, or leave standardise at true"}${removed}`,
    { fit },
  );
}
