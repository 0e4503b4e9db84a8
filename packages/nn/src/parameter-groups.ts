/**
 * Which learning rate and weight decay each parameter gets, by the official rules. No decay for biases, norms and LayerScale gammas; the
 * patch embedding learns slower; layer-wise decay, where used, multiplies the rate by decay^(L + 1 - layer), embeddings (and a norm of them) being layer 0 and
 * everything outside the blocks layer L + 1; prototypes ("last_layer") follow a schedule of their own.
 */
import type { Shape } from '@franca/tensor';

export interface ParameterRule {
  readonly lrMultiplier: number;
  readonly weightDecayMultiplier: number;
  readonly isLastLayer: boolean;
  /** Whether it learns at `trunkLr` of AdamW, where that is given; default false. */
  readonly isTrunk?: boolean;
}

/** One learning rate for all; matrices decay, vectors (biases, gains of norms, LayerScale) do not: what most vision transformers are trained with. */
export const plainRule = (_name: string, shape: Shape): ParameterRule => ({
  lrMultiplier: 1,
  weightDecayMultiplier: shape.length > 1 ? 1 : 0,
  isLastLayer: false,
});

export interface GroupOptions {
  readonly layerwiseDecay?: number;
  readonly patchEmbedLrMultiplier?: number;
  /** Blocks of the backbone, for layer-wise decay. */
  readonly depth: number;
}

export function parameterRule(
  name: string,
  { layerwiseDecay = 1, patchEmbedLrMultiplier = 1, depth }: GroupOptions,
): ParameterRule {
  const undecayed = name.endsWith('.bias') || name.includes('norm') || name.includes('gamma');
  const patchEmbed = name.includes('patch_embed') ? patchEmbedLrMultiplier : 1;
  return {
    lrMultiplier: layerwiseDecay ** (depth + 1 - layerOf(name, depth)) * patchEmbed,
    weightDecayMultiplier: undecayed ? 0 : 1,
    isLastLayer: name.includes('last_layer'),
  };
}

function layerOf(name: string, depth: number): number {
  if (/(^|\.)(pos_embed|patch_embed|mask_token|cls_token|register_tokens|norm_pre)/.test(name)) return 0;
  const block = name.match(/(?:^|\.)blocks\.(?:\d+\.)?(\d+)\./);
  return block ? Number(block[1]) + 1 : depth + 1;
}
