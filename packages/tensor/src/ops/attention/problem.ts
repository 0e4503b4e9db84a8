/** What the fused attention kernels of either family are given: one segment of the tokens in qkv [B, N, 3 H d] or [R, 3 H d]; the output and its gradient have H d columns. */
import type { Shape } from '../../base/shape';
import type { Target } from '../../base/target';
import type { Tensor } from '../../graph/op';

/** B images of N tokens each, whose rows follow one another. Tokens see those of their own image only. */
export interface TokenSegment {
  readonly B: number;
  readonly N: number;
}

export interface AttentionDims extends TokenSegment {
  readonly H: number;
  /** Elements per head. */
  readonly d: number;
  /** Rows of tokens that lie before those of the segment. */
  readonly before: number;
}

export interface AttentionAttrs {
  readonly heads: number;
  readonly segments: readonly TokenSegment[];
}

export interface AttentionProblem {
  readonly dims: AttentionDims;
  readonly qkv: Tensor;
  readonly out: Tensor;
  /** Log-sum-exp of each of the segment's queries' logits, [B, H, N]. */
  readonly lse: Tensor;
  readonly target: Target;
}

export interface AttentionGradientProblem {
  readonly dims: AttentionDims;
  readonly qkv: Tensor;
  readonly gradient: Tensor;
  readonly out: Tensor;
  readonly lse: Tensor;
  readonly dqkv: Tensor;
  readonly target: Target;
}

/** The dimensions of every segment. */
export function attentionDims(
  { shape }: { readonly shape: Shape },
  { heads, segments }: AttentionAttrs,
): AttentionDims[] {
  let before = 0;
  return segments.map(({ B, N }) => {
    const dims = { B, H: heads, N, d: shape.at(-1)! / (3 * heads), before };
    before += B * N;
    return dims;
  });
}

/** Labels of the fused kernels, and what kinds they are. */
export const ATTENTION_KINDS = { attention: 'attention', attentionGradient: 'attention gradient' } as const;
export const MATRIX_KINDS = {
  attention: 'matrix attention',
  attentionGradient: 'matrix attention gradient',
} as const;
export type AttentionLabel = keyof typeof ATTENTION_KINDS;

/** Whether the fused kernels take heads of d elements: they read vec4 and hold whole rows of the result in registers. */
export const isFusedHead = (d: number): boolean => d % 4 === 0 && d >= 16 && d <= 128;

/** Multiplications and additions of one product over all pairs of tokens and all heads. */
export const productFlops = ({ B, H, N, d }: AttentionDims): number => 2 * B * H * N * N * d;
