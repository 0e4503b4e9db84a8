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

/** Samples (u32) that each branch of a block runs on. */
export interface KeptSamples {
  readonly attention: Tensor;
  readonly ffn: Tensor;
  /** What the branches are multiplied by, f32 per kept sample; default: all samples over the kept ones. See `dropPathSubset`. */
  readonly scales?: { readonly attention: Tensor; readonly ffn: Tensor };
}

export interface BlockOutput {
  readonly x: Tensor;
  /** The packed projection [B, N, 3 D] or [R, 3 D] the attention saw. */
  readonly qkv: Tensor;
}

/** What a block must know of the model. */
export type BlockConfig = Pick<VitConfig, 'numHeads' | 'ffnLayer' | 'layerScale'>;

/**
 * x [B, N, D] through one block. Or tokens of images of several sizes [R, D], with the `segments` of the rows that attention sees: those of x, or of the
 * kept rows, which are rows of tokens then and not images.
 */
export function block(
  p: Parameters,
  x: Tensor,
  config: BlockConfig,
  kept?: KeptSamples,
  segments?: readonly TokenSegment[],
): BlockOutput {
  const attend = (packed: Tensor) =>
    segments ? segmentAttention(packed, config.numHeads, segments) : attention(packed, config.numHeads);
  const scaled = (name: string, branch: Tensor) =>
    config.layerScale === undefined ? branch : layerScale(within(p, name), branch);
  const residual = (input: Tensor, name: 'attention' | 'ffn', branch: (x: Tensor) => Tensor) =>
    kept ? dropPathSubset(input, kept[name], branch, kept.scales?.[name]) : add(input, branch(input));
  let qkv!: Tensor;
  const afterAttention = residual(x, 'attention', (input) => {
    qkv = linear(within(p, 'attn.qkv'), norm(within(p, 'norm1'), input));
    return scaled('ls1', linear(within(p, 'attn.proj'), attend(qkv)));
  });
  const feedForward = config.ffnLayer === 'swiglu' ? swiglu : mlp;
  const out = residual(afterAttention, 'ffn', (input) =>
    scaled('ls2', feedForward(within(p, 'mlp'), norm(within(p, 'norm2'), input))),
  );
  return { x: out, qkv };
}
