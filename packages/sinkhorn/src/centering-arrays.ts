/**
 * Softmax centering: the teacher targets of DINO, on plain arrays. A running mean of the teacher logits, the centre, is
 * subtracted before the softmax, so that no prototype wins everywhere:
 *
 *   target = softmax((l - c) / tau)          c <- m c + (1 - m) mean of l over the samples of all ranks
 *
 * All functions are pure: the caller holds the centre `[K]`, starts it at 0, takes this step's targets with it, and only
 * then updates it. Source: DINO (Caron et al. 2021, section 3.1, equation 4); DINOv2's official code.
 */
import { checkOptions } from './check-options';
import { SinkhornError } from './errors';
import { checkShape, checkTemperature, checkValidRows, type Floats, notFinite, type Shape } from './logits';
import type { Reducer } from './reducer';
import { softmaxInPlace } from './softmax';

export interface CenteringOptions {
  /** Centre `[K]`. */
  readonly center: Floats;
  /** Teacher temperature tau. */
  readonly temperature: number;
}

const OPTIONS: Record<keyof CenteringOptions, true> = { center: true, temperature: true };

/** Targets `[B, K]`, each row a distribution. Throws `shape`, `options`, `not-finite`. */
export function centeredSoftmax(logits: Floats, shape: Shape, options: CenteringOptions): Float64Array<ArrayBuffer> {
  checkOptions('centeredSoftmax', options, OPTIONS);
  const { center, temperature } = options;
  checkShape(logits, shape);
  checkTemperature(temperature);
  const [samples, prototypes] = shape;
  checkCenter(center, prototypes);
  const targets = Float64Array.from(logits, (logit, i) => (logit - center[i % prototypes]!) / temperature);
  const invalid = targets.findIndex((value) => !Number.isFinite(value));
  if (invalid >= 0) throw notFinite(targets[invalid]!, invalid, shape);
  for (let s = 0; s < samples; s++) softmaxInPlace(targets.subarray(s * prototypes, (s + 1) * prototypes));
  return targets;
}

/** Which rows a mean is over. */
export interface MeanOptions {
  /** Rows from this one on are padding. Default: all rows are samples. */
  readonly validRows?: number;
}

/** Mean of the logits over the samples, `[K]`. Throws `shape`, also when there is no sample, and `not-finite`. */
export function batchMean(logits: Floats, shape: Shape, options: MeanOptions = {}): Float64Array<ArrayBuffer> {
  return meanOf(sumAndCount(logits, shape, options));
}

/** Mean over the samples of all ranks; a rank may have none. */
export async function batchMeanDistributed(
  logits: Floats,
  shape: Shape,
  reducer: Reducer,
  options: MeanOptions = {},
): Promise<Float64Array<ArrayBuffer>> {
  const sums = sumAndCount(logits, shape, options);
  await reducer.allReduce(sums, sums, 'sum');
  return meanOf(sums);
}

/** The next centre: `momentum * center + (1 - momentum) * mean`. Throws `shape`, `options`. */
export function nextCenter(center: Floats, mean: Floats, momentum = 0.9): Float64Array<ArrayBuffer> {
  checkCenter(center, mean.length);
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new SinkhornError('options', `centre momentum ${momentum} is not a number from 0 to 1`);
  }
  return Float64Array.from(center, (value, k) => momentum * value + (1 - momentum) * mean[k]!);
}

function checkCenter(center: Floats, prototypes: number): void {
  if (center?.length !== prototypes) {
    throw new SinkhornError('shape', `a centre of ${center?.length} values does not fit ${prototypes} prototypes`);
  }
}

/** Sums `[K]` followed by the number of samples, so that one all-reduce carries both. */
function sumAndCount(logits: Floats, shape: Shape, options: MeanOptions): Float64Array<ArrayBuffer> {
  checkOptions('batchMean', options, { validRows: true } satisfies Record<keyof MeanOptions, true>);
  checkShape(logits, shape);
  const rows = checkValidRows(options.validRows, shape);
  const prototypes = shape[1];
  const sums = new Float64Array(prototypes + 1);
  for (let i = 0; i < rows * prototypes; i++) sums[i % prototypes]! += logits[i]!;
  sums[prototypes] = rows;
  return sums;
}

function meanOf(sums: Float64Array): Float64Array<ArrayBuffer> {
  const samples = sums.at(-1)!;
  if (samples === 0) throw new SinkhornError('shape', 'the mean of no samples is not defined: skip the update');
  const mean = sums.slice(0, -1).map((sum) => sum / samples);
  const invalid = mean.findIndex((value) => !Number.isFinite(value));
  if (invalid >= 0) {
    throw new SinkhornError(
      'not-finite',
      `the mean logit of prototype ${invalid} is ${mean[invalid]}, which would stay in the centre for ever: skip the step`,
    );
  }
  return mean;
}
