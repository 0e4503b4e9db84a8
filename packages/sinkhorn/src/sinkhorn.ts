/**
 * Sinkhorn-Knopp teacher targets in the log domain, on the tensor engine and in chunks of prototypes. With l the teacher's logits over the temperature,
 * u per sample and w per prototype:
 *
 *   w_k = -log sum over samples    of exp(l_sk + u_s)        u_s = -log sum over prototypes of exp(l_sk + w_k)
 *
 * from u = 0, three times; the target is exp(l_sk + u_s + w_k). Since u is what makes a row sum to 1, the target is softmax over prototypes of l + w: only w is
 * handed on, and the last u falls out of the cross-entropy. An iteration needs the logits of a chunk once for both updates: the sum over samples needs all rows
 * of the chunk only, the sum over prototypes is carried from chunk to chunk. Differences of logarithms only, so nothing overflows and a prototype that all samples
 * are far from still gets its share. Source: SwAV (Caron et al. 2020, section 3.1); Franca's official teacher (three iterations, prototypes first).
 */
import { type Logits, type SoftTargets, softTargets } from '@franca/nn';
import {
  broadcastTo,
  columnLogSums,
  literal,
  neg,
  notEqual,
  rowLogSums,
  select,
  stopGradient,
  type Tensor,
} from '@franca/tensor';
import { checkOptions } from './check-options';
import { SinkhornError } from './errors';

export interface SinkhornTargetOptions {
  /** Number of prototype-then-sample normalisations (default 3). */
  readonly iterations?: number;
  /**
   * Which rows are samples [B], any type: 0 marks padding, which then adds to no prototype. Default: all rows. Leaving it out with padded rows is the official
   * behaviour of Franca's patch targets, where padding takes its share of every prototype.
   */
  readonly valid?: Tensor;
}

const OPTIONS: Record<keyof SinkhornTargetOptions, true> = { iterations: true, valid: true };

/** In the log domain this much less than any logit: a padding row adds exp(-1e30) = 0 to every sum, and stays finite when there is nothing else. */
const EXCLUDED = -1e30;

/** Targets of teacher logits [B, K] over the temperature. Throws `SinkhornError` (`options`, `shape`). */
export function sinkhornTargets(teacher: Logits, options: SinkhornTargetOptions = {}): SoftTargets {
  checkOptions('sinkhornTargets', options, OPTIONS);
  const { iterations = 3, valid } = options;
  checkIterations(iterations);
  /** w [k] of the prototypes of one chunk of logits, for the potentials u [B] of all samples. */
  const potentials = (logits: Tensor, u: Tensor): Tensor => neg(columnLogSums(logits, u));
  let u = firstPotentials(teacher, valid);
  for (let i = 1; i < iterations; i++) u = samplePotentials(teacher, valid, (logits) => potentials(logits, u));
  return softTargets(teacher, (_, logits) => potentials(logits, u));
}

/** Throws `options` unless there is an iteration. */
export function checkIterations(iterations: number): void {
  if (!Number.isInteger(iterations) || iterations < 1)
    throw new SinkhornError('options', `iterations ${iterations} is not a positive integer`);
}

/** u [B] before the first iteration. Throws `shape` if `valid` does not mark the rows. */
export function firstPotentials({ rows }: Logits, valid: Tensor | undefined): Tensor {
  if (valid && (valid.shape.length !== 1 || valid.shape[0] !== rows))
    throw new SinkhornError('shape', `valid [${valid.shape.join(', ')}] does not mark ${rows} rows`);
  return onlySamples(broadcastTo(literal(0), [rows]), valid);
}

/** u [B] of all samples, with the w of each chunk as they come. */
export function samplePotentials(
  teacher: Logits,
  valid: Tensor | undefined,
  potentials: (logits: Tensor, chunk: number) => Tensor,
): Tensor {
  let sums: Tensor | undefined;
  teacher.chunks.forEach((_, i) => {
    const logits = stopGradient(teacher.chunk(i));
    sums = rowLogSums(logits, potentials(logits, i), sums);
  });
  return onlySamples(neg(sums!), valid);
}

const onlySamples = (u: Tensor, valid: Tensor | undefined): Tensor =>
  valid ? select(notEqual(valid, 0), u, EXCLUDED) : u;
