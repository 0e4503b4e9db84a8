/**
 * Fused self-attention and its gradient on the packed layout (FlashAttention, Dao et al., 2022; Dao, 2023). q, k and v are read where the
 * projection left them and their gradients are written in the same places. The forward pass keeps only the log-sum-exp of each query's
 * logits; the backward pass computes the weights again from it. Nothing of size N x N outlives a kernel or, on CPU adapters, a bounded
 * piece of scratch memory. Segments of images of different sizes are computed one after the other, by kernels that fit each, and write
 * their rows of one output.
 */
import type { Target } from '../../base/target';
import type { Op, Spec, Tensor } from '../../graph/op';
import { record, record1 } from '../../graph/record';
import { padded } from './chunk-kernel';
import { chunkedAttention, chunkedAttentionGradient } from './chunked';
import { matrixAttention, matrixAttentionGradient } from './matrices';
import { type AttentionAttrs, attentionDims, type TokenSegment } from './problem';
import { attentionGradientReference, attentionReference } from './reference';
import { tiledAttention, tiledAttentionGradient } from './tiled';

/** One matrix of logits, rows and columns padded to vec4. */
const matrixBytes = (N: number): number => 4 * padded(N) ** 2;

/** CPU adapters with subgroups compute head by head through scratch memory, as long as a head's logits can be bound. */
const usesChunks = ({ family, subgroupSize, maxBindingBytes }: Target, N: number): boolean =>
  family === 'cpu' && subgroupSize !== undefined && subgroupSize <= 32 && matrixBytes(N) <= maxBindingBytes;

/** Subgroup matrices multiply f16, where a tile of them fits the adapter. */
const usesMatrices = ({ family, f16 }: Target, { dtype }: Spec): boolean => family === 'gpu' && f16 && dtype === 'f16';

/** Outputs [.., H d] and the log-sum-exp [B, H, N] of every segment. */
const attentionOp: Op<AttentionAttrs> = {
  name: 'attention',
  infer([qkv], attrs) {
    const { shape, dtype } = qkv!;
    return [
      { shape: [...shape.slice(0, -1), shape.at(-1)! / 3], dtype },
      ...attentionDims(qkv!, attrs).map(({ B, H, N }) => ({ shape: [B, H, N], dtype: 'f32' as const })),
    ];
  },
  reference: ([qkv], attrs) => attentionReference(qkv!, attrs),
  gradient: ({ inputs: [qkv], outputs: [out, ...sums], attrs, grads: [gradient] }) => [
    gradient && record1(attentionGradientOp, [qkv!, out!, gradient, ...sums], attrs),
  ],
  lower({ inputs: [qkv], outputs: [out, ...sums], attrs, target }) {
    return attentionDims(qkv!, attrs).flatMap((dims, segment) => {
      const problem = { dims, qkv: qkv!, out: out!, lse: sums[segment]!, target };
      if (usesChunks(target, dims.N)) return chunkedAttention(problem);
      return (usesMatrices(target, qkv!) && matrixAttention(problem)) || tiledAttention(problem);
    });
  },
};

const attentionGradientOp: Op<AttentionAttrs> = {
  name: 'attentionGradient',
  infer: ([qkv]) => [qkv!],
  reference: ([qkv, out, gradient, ...sums], attrs) => [
    attentionGradientReference([qkv!, out!, gradient!, ...sums], attrs),
  ],
  lower({ inputs: [qkv, out, gradient, ...sums], outputs: [dqkv], attrs, target }) {
    return attentionDims(qkv!, attrs).flatMap((dims, segment) => {
      const problem = { dims, qkv: qkv!, gradient: gradient!, out: out!, lse: sums[segment]!, dqkv: dqkv!, target };
      if (usesChunks(target, dims.N)) return chunkedAttentionGradient(problem);
      return (usesMatrices(target, qkv!) && matrixAttentionGradient(problem)) || tiledAttentionGradient(problem);
    });
  },
};

/** Fused attention of qkv [.., 3 H d], the tokens of all segments in order, d a multiple of 4 from 16 to 128. */
export const fusedAttention = (qkv: Tensor, heads: number, segments: readonly TokenSegment[]): Tensor =>
  record(attentionOp, [qkv], { heads, segments })[0]!;
