/**
 * Attention that pools patches (Zhai et al. 2023, SigLIP; timm's `AttentionPoolLatent`): one learned query attends to the patches of an image after the final
 * norm, and what it gathers goes through a feed-forward layer, x + MLP(LN(x)). The vector stands for the image where a model has no CLS token.
 */
import { linear, mlp, norm, type Parameters, parameterAs, within } from '@franca/nn';
import {
  add,
  broadcastTo,
  reshape,
  scaledDotProductAttention,
  sliceAxis,
  type Tensor,
  transpose,
} from '@franca/tensor';
import type { VitConfig } from './config';

/** Patches [B, N, D] to [B, D]. `p`: the parameters below `attn_pool`; the packed projection `kv` has keys before values, heads inside each. */
export function attentionPool(
  p: Parameters,
  patches: Tensor,
  { numHeads, activation, normEps }: Pick<VitConfig, 'numHeads' | 'activation' | 'normEps'>,
): Tensor {
  const [B, N, D] = patches.shape as [number, number, number];
  const headsOf = (x: Tensor, tokens: number): Tensor =>
    transpose(reshape(x, [x.shape[0]!, tokens, numHeads, D / numHeads]), [0, 2, 1, 3]);
  const query = headsOf(linear(within(p, 'q'), parameterAs(p, 'latent', patches.dtype)), 1);
  const packed = linear(within(p, 'kv'), patches);
  const [keys, values] = [0, D].map((first) => headsOf(sliceAxis(packed, 2, first, first + D), N)) as [Tensor, Tensor];
  const queries = broadcastTo(query, [B, ...query.shape.slice(1)]);
  const gathered = reshape(scaledDotProductAttention(queries, keys, values), [B, D]);
  const pooled = linear(within(p, 'proj'), gathered);
  return add(pooled, mlp(within(p, 'mlp'), norm(within(p, 'norm'), pooled, normEps), activation));
}
