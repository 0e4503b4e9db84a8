/**
 * Sinkhorn-Knopp teacher targets in the log domain, on plain arrays.
 *
 * Q = exp(logits / tau) is scaled in turns: each prototype so that its samples (of all ranks) carry the same mass, then
 * each sample so that its prototypes sum to 1. The factors only rescale rows and columns, so it is enough to keep their
 * logarithms, u per prototype and v per sample:
 *
 *   u_k = logsumexp over samples    of (l_sk / tau - v_s)        v_s = logsumexp over prototypes of (l_sk / tau - u_k)
 *
 * from v = 0, three times; the target is exp(l_sk / tau - u_k - v_s). The usual constants 1/K and 1/B cancel. Since every
 * exponential is of a difference from a maximum, nothing overflows, and a prototype that all samples are far away from
 * still gets its share instead of 0 / 0. Source: SwAV (Caron et al. 2020, section 3.1); Franca's official teacher.
 */
import { checkOptions } from './check-options';
import { SinkhornError } from './errors';
import { checkShape, checkTemperature, checkValidRows, type Floats, notFinite, type Shape } from './logits';
import type { Reducer } from './reducer';
import { softmaxInPlace } from './softmax';

export interface SinkhornOptions {
  /** Teacher temperature tau: lower is sharper. */
  readonly temperature: number;
  /** Number of prototype-then-sample normalisations. Default 3. */
  readonly iterations?: number;
  /** Rows from this one on are padding. Default: all rows are samples. */
  readonly validRows?: number;
  /**
   * Padding rows are excluded: they add to no prototype and their targets are 0. `include` is the official behaviour of
   * Franca's patch targets, where padding takes its share of every prototype. Default 'exclude'.
   */
  readonly padding?: 'exclude' | 'include';
}

/**
 * Targets `[B, K]`, each row a distribution. No sample at all is valid and gives an empty (or zero) result.
 * Throws `shape`, `options`, and `not-finite` for a logit that is NaN or infinite.
 */
export function sinkhorn(logits: Floats, shape: Shape, options: SinkhornOptions): Float64Array<ArrayBuffer> {
  const kernel = logKernel(logits, shape, options);
  const invalid = firstNotFinite(kernel);
  if (invalid >= 0) throw notFinite(kernel.scaled[invalid]!, invalid, shape);
  let u = prototypeLogs(kernel, new Float64Array(kernel.rows));
  for (let i = 1; i < iterationsOf(options); i++) u = prototypeLogs(kernel, sampleLogs(kernel, u));
  return targetsOf(kernel, u);
}

/**
 * The same with the samples spread over ranks: every rank passes its own rows (any number, even none) and gets their
 * targets. One all-reduce of K values per iteration. A logit that is not finite fails every rank, not only its own.
 */
export async function sinkhornDistributed(
  logits: Floats,
  shape: Shape,
  options: SinkhornOptions,
  reducer: Reducer,
): Promise<Float64Array<ArrayBuffer>> {
  const kernel = logKernel(logits, shape, options);
  const invalid = firstNotFinite(kernel);
  const nextPrototypeLogs = async (v: Float64Array) => {
    const logs = prototypeLogs(kernel, v);
    // A rank that threw before the first all-reduce would leave the others waiting for ever.
    if (invalid >= 0) logs.fill(Number.POSITIVE_INFINITY);
    await reducer.allReduce(logs, logs, 'logSumExp');
    if (invalid >= 0) throw notFinite(kernel.scaled[invalid]!, invalid, shape);
    if (!(logs[0]! < Number.POSITIVE_INFINITY)) {
      throw new SinkhornError('not-finite', 'a logit of another rank is NaN or infinite: its own error says which');
    }
    return logs;
  };
  let u = await nextPrototypeLogs(new Float64Array(kernel.rows));
  for (let i = 1; i < iterationsOf(options); i++) u = await nextPrototypeLogs(sampleLogs(kernel, u));
  return targetsOf(kernel, u);
}

const OPTIONS: Record<keyof SinkhornOptions, true> = {
  temperature: true,
  iterations: true,
  validRows: true,
  padding: true,
};

interface LogKernel {
  /** l / tau, `[B, K]`. */
  readonly scaled: Float64Array<ArrayBuffer>;
  /** Rows that take part: the first ones. */
  readonly rows: number;
  readonly prototypes: number;
}

function logKernel(logits: Floats, shape: Shape, options: SinkhornOptions): LogKernel {
  checkOptions('sinkhorn', options, OPTIONS);
  checkShape(logits, shape);
  checkTemperature(options.temperature);
  checkPadding(options.padding);
  iterationsOf(options);
  const validRows = checkValidRows(options.validRows, shape);
  const [samples, prototypes] = shape;
  return {
    scaled: Float64Array.from(logits, (logit) => logit / options.temperature),
    rows: options.padding === 'include' ? samples : validRows,
    prototypes,
  };
}

function checkPadding(padding: SinkhornOptions['padding'] = 'exclude'): void {
  if (padding !== 'exclude' && padding !== 'include')
    throw new SinkhornError('options', `padding ${JSON.stringify(padding)} is neither "exclude" nor "include"`);
}

function iterationsOf({ iterations = 3 }: SinkhornOptions): number {
  if (Number.isInteger(iterations) && iterations > 0) return iterations;
  throw new SinkhornError('options', `iterations ${iterations} is not a positive integer`);
}

function firstNotFinite({ scaled, rows, prototypes }: LogKernel): number {
  return scaled.subarray(0, rows * prototypes).findIndex((value) => !Number.isFinite(value));
}

/** u = logsumexp over the samples of this rank of (l / tau - v), `[K]`; -Infinity where there is no sample. */
function prototypeLogs(kernel: LogKernel, v: Float64Array): Float64Array<ArrayBuffer> {
  const max = prototypeMax(kernel, v);
  return prototypeSums(kernel, v, max).map((sum, k) => max[k]! + Math.log(sum));
}

function prototypeMax({ scaled, rows, prototypes }: LogKernel, v: Float64Array): Float64Array<ArrayBuffer> {
  const max = new Float64Array(prototypes).fill(Number.NEGATIVE_INFINITY);
  for (let s = 0; s < rows; s++) {
    for (let k = 0; k < prototypes; k++) max[k] = Math.max(max[k]!, scaled[s * prototypes + k]! - v[s]!);
  }
  return max;
}

function prototypeSums(
  { scaled, rows, prototypes }: LogKernel,
  v: Float64Array,
  max: Float64Array,
): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(prototypes);
  for (let s = 0; s < rows; s++) {
    for (let k = 0; k < prototypes; k++) sums[k]! += Math.exp(scaled[s * prototypes + k]! - v[s]! - max[k]!);
  }
  return sums;
}

/** v = logsumexp over prototypes of (l / tau - u), `[rows]`. */
function sampleLogs({ scaled, rows, prototypes }: LogKernel, u: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: rows }, (_, s) => {
    const row = scaled.subarray(s * prototypes, (s + 1) * prototypes);
    let max = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < prototypes; k++) max = Math.max(max, row[k]! - u[k]!);
    let sum = 0;
    for (let k = 0; k < prototypes; k++) sum += Math.exp(row[k]! - u[k]! - max);
    return max + Math.log(sum);
  });
}

/** Softmax over prototypes of l / tau - u, which is exp(l / tau - u - v), in place of `scaled`; 0 in padding rows. */
function targetsOf({ scaled, rows, prototypes }: LogKernel, u: Float64Array): Float64Array<ArrayBuffer> {
  for (let s = 0; s < rows; s++) {
    const row = scaled.subarray(s * prototypes, (s + 1) * prototypes);
    row.forEach((value, k) => {
      row[k] = value - u[k]!;
    });
    softmaxInPlace(row);
  }
  return scaled.fill(0, rows * prototypes);
}
