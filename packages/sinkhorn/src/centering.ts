/**
 * Softmax centering on the tensor engine: the teacher targets of DINO. A running mean of the teacher's logits, the centre, is subtracted before the softmax:
 *
 *   target = softmax((l - c) / tau)          c <- m c + (1 - m) mean of l over the samples of all ranks
 *
 * The centre [K] is state: take the targets with it, then assign it `nextCenterOf`. Source: DINO (Caron et al. 2021, section 3.1, equation 4).
 */
import { type Logits, type SoftTargets, softTargets } from '@franca/nn';
import {
  add,
  allReduce,
  cast,
  concat,
  div,
  maximum,
  mul,
  neg,
  notEqual,
  reshape,
  sliceAxis,
  sum,
  type Tensor,
} from '@franca/tensor';
import { checkOptions } from './check-options';
import { SinkhornError } from './errors';
import { together } from './together';

export interface CenteringTargetOptions {
  /** Centre [K] of the logits before division by the temperature. */
  readonly center: Tensor;
  /** The temperature that `teacher` was divided by. */
  readonly temperature: Tensor | number;
}

function checkCenter(teacher: Logits, center: Tensor): void {
  const K = teacher.chunks.at(-1)!.end;
  if (center.shape.length !== 1 || center.shape[0] !== K)
    throw new SinkhornError('shape', `a centre of shape [${center.shape.join(', ')}] does not fit ${K} prototypes`);
}

/** Targets of teacher logits [B, K] over the temperature. Throws `SinkhornError` (`shape`). */
export function centeringTargets(teacher: Logits, { center, temperature }: CenteringTargetOptions): SoftTargets {
  checkCenter(teacher, center);
  const bias = neg(div(center, temperature));
  return softTargets(teacher, (i) => sliceAxis(bias, 0, teacher.chunks[i]!.first, teacher.chunks[i]!.end));
}

/** A teacher whose centre moves. */
export interface CenteredTeacher extends CenteringTargetOptions {
  /** Logits [B, K] of this rank's samples, over the temperature. */
  readonly logits: Logits;
  /** Rows [B] where it is 0 are padding. Default: all rows are samples. */
  readonly valid?: Tensor | undefined;
}

export interface NextCenterOptions {
  /** Share of the centre that stays (default 0.9). */
  readonly momentum?: number;
  /** R, the number of ranks whose samples count (default 1). Every rank passes as many teachers with as many prototypes. */
  readonly size?: number;
}

const OPTIONS: Record<keyof NextCenterOptions, true> = { momentum: true, size: true };

/**
 * The next centre [K] of each teacher: momentum * center + (1 - momentum) * mean of the logits over the samples of all ranks, which exchange the sums of all teachers
 * in one message. Without any sample the mean counts as 0. Throws `SinkhornError` (`options`, `shape`).
 */
export function nextCentersOf(teachers: readonly CenteredTeacher[], options: NextCenterOptions = {}): Tensor[] {
  checkOptions('nextCentersOf', options, OPTIONS);
  const { momentum = 0.9, size = 1 } = options;
  const own = teachers.map(sampleSums);
  const counts = own.flatMap(({ count }) => (typeof count === 'number' ? [] : [count]));
  const lists = [...own.map(({ sums }) => sums), ...counts];
  const all = size === 1 ? lists : together(lists, (sums) => allReduce(sums, size));
  const counted = all.slice(teachers.length).values();
  return teachers.map(({ center, temperature }, i) => {
    const { count } = own[i]!;
    const samples = typeof count === 'number' ? count * size : maximum(counted.next().value!, 1);
    return add(mul(center, momentum), mul(div(mul(all[i]!, temperature), samples), 1 - momentum));
  });
}

/** `nextCentersOf` of one teacher on one rank. */
export const nextCenterOf = (
  logits: Logits,
  centred: CenteringTargetOptions,
  { momentum, valid }: { readonly momentum?: number; readonly valid?: Tensor } = {},
): Tensor => nextCentersOf([{ logits, ...centred, valid }], momentum === undefined ? {} : { momentum })[0]!;

/** Sum of the logits over the samples of this rank [K], and their number: a tensor [1] where it varies. */
function sampleSums({ logits: teacher, center, valid }: CenteredTeacher): { sums: Tensor; count: Tensor | number } {
  checkCenter(teacher, center);
  const weights = valid && cast(notEqual(valid, 0), 'f32');
  const count = weights ? sum(weights, [0], { keepDims: true }) : teacher.rows;
  const sums = teacher.chunks.map((_, i) => {
    const logits = cast(teacher.chunk(i), 'f32');
    return sum(weights ? mul(logits, reshape(weights, [teacher.rows, 1])) : logits, [0]);
  });
  return { sums: concat(sums), count };
}
