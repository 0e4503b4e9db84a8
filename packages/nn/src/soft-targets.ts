/**
 * Teacher targets over K prototypes and the cross-entropy against them. Every way of making targets (softmax centering, Sinkhorn-Knopp) ends in a softmax over
 * prototypes of the teacher's logits plus a bias per prototype, so a target is logits and a bias, and is never written out: the cross-entropy kernel evaluates it
 * chunk by chunk beside the student's logits.
 */
import {
  add,
  broadcastTo,
  cast,
  concat,
  literal,
  log,
  maximum,
  remat,
  softCrossEntropy,
  softCrossEntropyChunk,
  softmax,
  stopGradient,
  type TargetPairing,
  type Tensor,
  TensorError,
} from '@franca/tensor';
import { type Chunk, type ChunkPlan, type Logits, perChunk, wholeLogits } from './prototypes';

/** Target distributions softmax(logits + bias) [T, K], in chunks. No gradient flows into them. */
export interface SoftTargets extends ChunkPlan {
  readonly rows: number;
  /** Logits [T, k] and bias [k] of chunk i, k = end - first. */
  chunk(i: number): { readonly logits: Tensor; readonly bias: Tensor };
}

/** Targets from logits and the bias of each chunk. */
export const softTargets = (logits: Logits, bias: (i: number, logits: Tensor) => Tensor): SoftTargets => ({
  rows: logits.rows,
  chunks: logits.chunks,
  recompute: logits.recompute,
  chunk: perChunk(logits, (i) => {
    const own = stopGradient(logits.chunk(i));
    return { logits: own, bias: stopGradient(bias(i, own)) };
  }),
});

/** Targets given as probabilities [T, K], rows of which sum to 1 (a row of zeros counts as uniform: give it weight 0). */
export const probabilityTargets = (probabilities: Tensor): SoftTargets =>
  // the smallest normal f32 stands for probability zero
  softTargets(wholeLogits(log(maximum(cast(probabilities, 'f32'), 1.2e-38))), (_, { shape }) =>
    broadcastTo(literal(0), [shape[1]!]),
  );

/** All targets as one tensor of probabilities f32 [T, K]. For looking at them and for small K: losses take them in chunks. */
export const targetProbabilities = (targets: SoftTargets): Tensor =>
  softmax(
    concat(
      targets.chunks.map((_, i) => {
        const { logits, bias } = targets.chunk(i);
        return add(cast(logits, 'f32'), bias);
      }),
      1,
    ),
  );

/**
 * Cross-entropy f32 [R] of student logits against the targets of each row (summed over them, see `TargetPairing`). Both must have the same chunks; what they
 * do not keep is computed again in the backward pass. Throws `TensorError` if the chunks differ.
 */
export function targetCrossEntropy(student: Logits, targets: SoftTargets, pairing: TargetPairing): Tensor {
  const same = (a: Chunk, b: Chunk | undefined) => a.first === b?.first && a.end === b.end;
  if (
    student.chunks.length !== targets.chunks.length ||
    !student.chunks.every((chunk, i) => same(chunk, targets.chunks[i]))
  )
    throw new TensorError(
      'shape',
      `logits come in ${describe(student)}, targets in ${describe(targets)}; make both with one plan`,
    );
  let statistics: Tensor | undefined;
  student.chunks.forEach((_, i) => {
    const previous = statistics;
    const run = () => softCrossEntropyChunk(student.chunk(i), targets.chunk(i), pairing, previous);
    statistics = student.recompute ? remat(run) : run();
  });
  return softCrossEntropy(statistics!, pairing);
}

const describe = ({ chunks }: ChunkPlan): string => `${chunks.length} chunks of ${chunks.at(-1)!.end} prototypes`;
