/** What the fused attention kernels of either family are given. qkv is [B, N, 3 H d], the output and its gradient [B, N, H d]. */
import type { Target } from '../../base/target';
import type { Spec, Tensor } from '../../graph/op';

export interface AttentionDims {
  readonly B: number;
  readonly H: number;
  readonly N: number;
  /** Elements per head. */
  readonly d: number;
}

export interface AttentionProblem {
  readonly dims: AttentionDims;
  readonly qkv: Tensor;
  readonly out: Tensor;
  /** Log-sum-exp of each query's logits, [B, H, N]. */
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

export function attentionDims(qkv: Pick<Spec, 'shape'>, heads: number): AttentionDims {
  const [B, N, width] = qkv.shape as [number, number, number];
  return { B, H: heads, N, d: width / (3 * heads) };
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
