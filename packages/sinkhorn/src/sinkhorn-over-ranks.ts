/**
 * Sinkhorn-Knopp teacher targets whose samples are spread over ranks, on the tensor engine, for several teachers at once (the levels of all heads). As in `sinkhorn.ts`,
 * but a prototype's sum is over the samples of all R ranks:
 *
 *   w_k = -log sum_r exp(c_rk)        c_rk = log sum over samples of rank r of exp(l_sk + u_s)
 *
 * Ranks exchange the c of all prototypes of all teachers in one message [K_1 + K_2 + ...] per iteration, so that an iteration waits once however many levels there are.
 * Since the message stands between the sums over samples and those over prototypes, an iteration goes through the logits twice. A rank without any sample sends -1e30,
 * which adds nothing.
 */
import { type Logits, type SoftTargets, softTargets } from '@franca/nn';
import { allReduce, columnLogSums, neg, stopGradient, type Tensor } from '@franca/tensor';
import { checkOptions } from './check-options';
import { checkIterations, firstPotentials, samplePotentials, sinkhornTargets } from './sinkhorn';
import { together } from './together';

/** What targets are made of. */
export interface Teacher {
  /** Logits [B, K] of this rank's samples, over the temperature. */
  readonly logits: Logits;
  /** Which rows are samples [B], any type: 0 marks padding, which adds to no prototype. Default: all rows. */
  readonly valid?: Tensor | undefined;
}

export interface RankedSinkhornOptions {
  /** R, the number of ranks; with one, targets are those of `sinkhornTargets`. */
  readonly size: number;
  /** Number of prototype-then-sample normalisations (default 3). */
  readonly iterations?: number;
}

const OPTIONS: Record<keyof RankedSinkhornOptions, true> = { size: true, iterations: true };

/** Targets of each teacher, in order. Every rank passes as many teachers with as many prototypes. Throws `SinkhornError` (`options`, `shape`). */
export function sinkhornTargetsOverRanks(teachers: readonly Teacher[], options: RankedSinkhornOptions): SoftTargets[] {
  checkOptions('sinkhornTargetsOverRanks', options, OPTIONS);
  const { size, iterations = 3 } = options;
  checkIterations(iterations);
  if (size === 1)
    return teachers.map(({ logits, valid }) => sinkhornTargets(logits, { iterations, ...(valid ? { valid } : {}) }));
  let u = teachers.map(({ logits, valid }) => firstPotentials(logits, valid));
  let w = prototypePotentials(teachers, u, size);
  for (let i = 1; i < iterations; i++) {
    u = teachers.map(({ logits, valid }, t) => samplePotentials(logits, valid, (_, chunk) => w[t]![chunk]!));
    w = prototypePotentials(teachers, u, size);
  }
  return teachers.map(({ logits }, t) => softTargets(logits, (chunk) => w[t]![chunk]!));
}

/** w [k] of each chunk of prototypes of each teacher, for the potentials u [B] of its samples on all ranks. */
function prototypePotentials(teachers: readonly Teacher[], u: readonly Tensor[], size: number): Tensor[][] {
  const own = teachers.flatMap(({ logits }, t) =>
    logits.chunks.map((_, i) => columnLogSums(stopGradient(logits.chunk(i)), u[t]!)),
  );
  const w = together(own, (sums) => neg(allReduce(sums, size, 'logSumExp'))).values();
  return teachers.map(({ logits }) => logits.chunks.map(() => w.next().value!));
}
