/**
 * Softmax centering on the tensor engine: the teacher targets of DINO. A running mean of the teacher's logits, the centre, is subtracted before the softmax:
 *
 *   target = softmax((l - c) / tau)          c <- m c + (1 - m) mean of l over the samples
 *
 * The centre [K] is state: take the targets with it, then assign it `nextCenterOf`. Source: DINO (Caron et al. 2021, section 3.1, equation 4).
 */
import { type Logits, type SoftTargets, softTargets } from '@franca/nn';
import {
  add,
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
import { SinkhornError } from './errors';

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

/**
 * The next centre [K]: momentum * center + (1 - momentum) * mean of the logits over the rows where `valid` [B] is not 0 (default: all). Without any such row the
 * mean counts as 0. Throws `SinkhornError` (`shape`).
 */
export function nextCenterOf(
  teacher: Logits,
  { center, temperature }: CenteringTargetOptions,
  { momentum = 0.9, valid }: { readonly momentum?: number; readonly valid?: Tensor } = {},
): Tensor {
  checkCenter(teacher, center);
  const weights = valid && cast(notEqual(valid, 0), 'f32');
  const count = weights ? maximum(sum(weights), 1) : teacher.rows;
  const means = teacher.chunks.map((_, i) => {
    const logits = cast(teacher.chunk(i), 'f32');
    return sum(weights ? mul(logits, reshape(weights, [teacher.rows, 1])) : logits, [0]);
  });
  return add(mul(center, momentum), mul(div(mul(concat(means), temperature), count), 1 - momentum));
}
