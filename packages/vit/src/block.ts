/**
 * One pre-norm transformer block with LayerScale (Franca section 3, as DINOv2).
 *
 *   x <- x + g1 Attn(LN1(x)),   x <- x + g2 FFN(LN2(x)).
 * With stochastic depth each branch runs on a kept part of the batch only. Only attention knows of images: all else works on rows of tokens, so that images of
 * several sizes can share one tensor of them.
 */
import { dropPathSubset, layerScale, linear, mlp, norm, type Parameters, swiglu, within } from '@franca/nn';
import { add, attention, segmentAttention, type Tensor, type TokenSegment } from '@franca/tensor';
import type { VitConfig } from './config';
import { type RotaryTable, rotate, rotateSegments } from './rotary';

/** Samples (u32) that each branch of a block runs on. */
export interface KeptSamples {
  readonly attention: Tensor;
  readonly ffn: Tensor;
  /** What the branches are multiplied by, f32 per kept sample; default: all samples over the kept ones. See `dropPathSubset`. */
  readonly scales?: { readonly attention: Tensor; readonly ffn: Tensor };
}

export interface BlockOutput {
  readonly x: Tensor;
  /** The packed projection [B, N, 3 D] or [R, 3 D] the attention saw; with rotary positions queries and keys are turned. */
  readonly qkv: Tensor;
}

/** What a block must know of the model. */
export type BlockConfig = Pick<VitConfig, 'numHeads' | 'ffnLayer' | 'layerScale' | 'activation' | 'normEps'>;

/** Where the tokens of a block belong. */
export interface TokenLayout {
  /**
   * Images of several sizes, whose tokens are rows [R, D]: the segments of the rows that attention sees, those of x, or of the kept rows, which are rows of
   * tokens then and not images. Default: x is [B, N, D].
   */
  readonly segments?: readonly TokenSegment[];
  /** Rotary positions, for each segment a table, or one for all images; default none. */
  readonly rotary?: readonly RotaryTable[];
}

/** x [B, N, D] through one block, or tokens of images of several sizes [R, D] (see `TokenLayout`). */
export function block(
  p: Parameters,
  x: Tensor,
  config: BlockConfig,
  kept?: KeptSamples,
  layout: TokenLayout = {},
): BlockOutput {
  const { segments } = layout;
  const layerNorm = (name: string, input: Tensor) => norm(within(p, name), input, config.normEps);
  const attend = (packed: Tensor) =>
    segments ? segmentAttention(packed, config.numHeads, segments) : attention(packed, config.numHeads);
  const scaled = (name: string, branch: Tensor) =>
    config.layerScale === undefined ? branch : layerScale(within(p, name), branch);
  const residual = (input: Tensor, name: 'attention' | 'ffn', branch: (x: Tensor) => Tensor) =>
    kept ? dropPathSubset(input, kept[name], branch, kept.scales?.[name]) : add(input, branch(input));
  let qkv!: Tensor;
  const afterAttention = residual(x, 'attention', (input) => {
    qkv = placed(linear(within(p, 'attn.qkv'), layerNorm('norm1', input)), config.numHeads, layout);
    return scaled('ls1', linear(within(p, 'attn.proj'), attend(qkv)));
  });
  const feedForward = (input: Tensor) =>
    config.ffnLayer === 'swiglu' ? swiglu(within(p, 'mlp'), input) : mlp(within(p, 'mlp'), input, config.activation);
  const out = residual(afterAttention, 'ffn', (input) => scaled('ls2', feedForward(layerNorm('norm2', input))));
  return { x: out, qkv };
}

/** The packed projection with positions in it, where they are rotary. */
function placed(packed: Tensor, heads: number, { segments, rotary }: TokenLayout): Tensor {
  if (!rotary) return packed;
  return segments ? rotateSegments(packed, heads, segments, rotary) : rotate(packed, heads, rotary[0]!);
}
