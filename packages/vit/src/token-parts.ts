/** Which tokens of a ViT are which: CLS first, then registers, then patches; and what stands for the image where there is no CLS. */
import { norm, type Parameters, within } from '@franca/nn';
import { mean, reshape, sliceAxis, type Tensor } from '@franca/tensor';
import { attentionPool } from './attention-pool';
import type { VitConfig } from './config';

/** CLS or what stands for it [B, D], registers [B, R, D] and patches [B, N, D]. */
export type VitTokens = Readonly<Record<'cls' | 'registers' | 'patches', Tensor>>;

type Counts = Pick<VitConfig, 'classToken' | 'numRegisterTokens'>;

const classTokens = ({ classToken = true }: Counts): number => (classToken ? 1 : 0);

/** Tokens before the patches: CLS, where there is one, and registers. */
export const prefixTokens = (config: Counts): number => classTokens(config) + config.numRegisterTokens;

/** CLS [B, D], registers [B, R, D] and patches [B, N, D] of tokens [B, 1 + R + N, D] of a model with a class token. */
export function splitTokens(tokens: Tensor, R: number): VitTokens {
  const [B, , D] = tokens.shape as [number, number, number];
  return { cls: reshape(sliceAxis(tokens, 1, 0, 1), [B, D]), ...others(tokens, { numRegisterTokens: R }) };
}

/** Registers [B, R, D] and patches [B, N, D] of tokens of any model. */
function others(tokens: Tensor, config: Counts): Pick<VitTokens, 'registers' | 'patches'> {
  const [first, last] = [classTokens(config), prefixTokens(config)];
  return { registers: sliceAxis(tokens, 1, first, last), patches: patchesOf(tokens, config) };
}

/** Patches [B, N, D] of tokens of any model. */
export const patchesOf = (tokens: Tensor, config: Counts): Tensor =>
  sliceAxis(tokens, 1, prefixTokens(config), tokens.shape[1]!);

/** Tokens after the final norm in their parts: `cls` is CLS, or the vector that attention pools from the patches. */
export function finalParts(p: Parameters, normed: Tensor, config: VitConfig): VitTokens {
  if (config.classToken ?? true) return splitTokens(normed, config.numRegisterTokens);
  const parts = others(normed, config);
  return { cls: attentionPool(within(p, 'attn_pool'), parts.patches, config), ...parts };
}

/** The final norm applied to what a block gives [B, 1 + R + N, D], split into its parts. Without a class token `cls` is the mean of the normed patches. */
export function normIntermediate(p: Parameters, tokens: Tensor, config: VitConfig): VitTokens {
  const normed = norm(within(p, 'norm'), tokens, config.normEps);
  if (config.classToken ?? true) return splitTokens(normed, config.numRegisterTokens);
  const parts = others(normed, config);
  return { cls: mean(parts.patches, [1]), ...parts };
}
