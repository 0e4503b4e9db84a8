/**
 * Fused self-attention and its gradient on the packed layout (FlashAttention, Dao et al., 2022; Dao, 2023). q, k and v are read where the
 * projection left them and their gradients are written in the same places. The forward pass keeps only the log-sum-exp of each query's
 * logits; the backward pass computes the weights again from it. Nothing of size N x N outlives a kernel or, on CPU adapters, a bounded
 * piece of scratch memory.
 */
import type { Target } from '../../base/target';
import type { Op, Spec, Tensor } from '../../graph/op';
import { record, record1 } from '../../graph/record';
import { padded } from './chunk-kernel';
import { chunkedAttention, chunkedAttentionGradient } from './chunked';
import { matrixAttention, matrixAttentionGradient } from './matrices';
import { attentionDims } from './problem';
import { attentionGradientReference, attentionReference } from './reference';
import { tiledAttention, tiledAttentionGradient } from './tiled';

interface AttentionAttrs {
  readonly heads: number;
}

/** One matrix of logits, rows and columns padded to vec4. */
const matrixBytes = (N: number): number => 4 * padded(N) ** 2;

/** CPU adapters with subgroups compute head by head through scratch memory, as long as a head's logits can be bound. */
const usesChunks = ({ family, subgroupSize, maxBindingBytes }: Target, N: number): boolean =>
  family === 'cpu' && subgroupSize !== undefined && subgroupSize <= 32 && matrixBytes(N) <= maxBindingBytes;

/** Subgroup matrices multiply f16, where a tile of them fits the adapter. */
const usesMatrices = ({ family, f16 }: Target, { dtype }: Spec): boolean => family === 'gpu' && f16 && dtype === 'f16';

/** Outputs [B, N, H d] and the log-sum-exp [B, H, N]. */
const attentionOp: Op<AttentionAttrs> = {
  name: 'attention',
  infer([qkv], { heads }) {
    const { B, H, N, d } = attentionDims(qkv!, heads);
    return [
      { shape: [B, N, H * d], dtype: qkv!.dtype },
      { shape: [B, H, N], dtype: 'f32' },
    ];
  },
  reference: ([qkv], { heads }) => attentionReference(qkv!, heads),
  gradient: ({ inputs: [qkv], outputs: [out, lse], attrs, grads: [gradient] }) => [
    gradient && record1(attentionGradientOp, [qkv!, out!, lse!, gradient], attrs),
  ],
  lower({ inputs: [qkv], outputs: [out, lse], attrs: { heads }, target }) {
    const dims = attentionDims(qkv!, heads);
    const problem = { dims, qkv: qkv!, out: out!, lse: lse!, target };
    if (usesChunks(target, dims.N)) return chunkedAttention(problem);
    return (usesMatrices(target, qkv!) && matrixAttention(problem)) || tiledAttention(problem);
  },
};

const attentionGradientOp: Op<AttentionAttrs> = {
  name: 'attentionGradient',
  infer: ([qkv]) => [qkv!],
  reference: ([qkv, out, lse, gradient], { heads }) => [
    attentionGradientReference([qkv!, out!, lse!, gradient!], heads),
  ],
  lower({ inputs: [qkv, out, lse, gradient], outputs: [dqkv], attrs: { heads }, target }) {
    const dims = attentionDims(qkv!, heads);
    const problem = { dims, qkv: qkv!, gradient: gradient!, out: out!, lse: lse!, dqkv: dqkv!, target };
    if (usesChunks(target, dims.N)) return chunkedAttentionGradient(problem);
    return (usesMatrices(target, qkv!) && matrixAttentionGradient(problem)) || tiledAttentionGradient(problem);
  },
};

/** Fused attention of qkv [B, N, 3 H d], d a multiple of 4 from 16 to 128. */
export const fusedAttention = (qkv: Tensor, heads: number): Tensor => record(attentionOp, [qkv], { heads })[0]!;
