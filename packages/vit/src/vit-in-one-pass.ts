/**
 * Images of several sizes in one pass, as DINOv2's `forward_features_list` (there by nested tensors): all tokens lie in one tensor [R, D], one list of images
 * behind the other, so that linear layers, norms and residuals run once. Positions, masks and attention are those of each list alone. Every token becomes what
 * `vit` makes of it, up to the order of sums.
 */
import { norm, type Parameters, within } from '@franca/nn';
import { concat, remat as rematerialise, reshape, sliceAxis, type Tensor, type TokenSegment } from '@franca/tensor';
import { block, type TokenLayout } from './block';
import type { VitConfig } from './config';
import { keptRows } from './kept-rows';
import { finalParts, type VitTokens } from './token-parts';
import { checkKept, embed, rotaryPositions, type VitOptions, vit } from './vit';

/** Images [B, 3, H, W] of one size, with the masks and the kept samples of these. */
export interface VitImages extends Pick<VitOptions, 'masks' | 'kept'> {
  readonly images: Tensor;
}

/** The tokens of each list of images, in order. Throws `VitError` as `vit`, and where only some lists drop samples. */
export function vitInOnePass(
  p: Parameters,
  lists: readonly VitImages[],
  config: VitConfig,
  { dtype = 'f32', remat = false }: Pick<VitOptions, 'dtype' | 'remat'> = {},
): VitTokens[] {
  const [first, ...others] = lists;
  if (first && others.length === 0) return [vit(p, first.images, config, { ...first, dtype, remat })];
  for (const { kept } of lists) checkKept(kept, config);
  const embedded = lists.map(({ images, masks }) => embed(p, images, config, { dtype, ...(masks ? { masks } : {}) }));
  const segments = embedded.map(({ shape: [B, N] }) => ({ B: B!, N: N! }));
  const rotary = lists.flatMap(({ images }) => rotaryPositions(images, config, dtype) ?? []);
  const positions: TokenLayout = rotary.length > 0 ? { rotary } : {};
  const rowsOfKept = keptRows(segments);
  let x = concat(embedded.map((tokens) => reshape(tokens, [-1, config.embedDim])));
  for (let i = 0; i < config.depth; i++) {
    const rows = rowsOfKept(lists.map(({ kept }) => kept?.[i]));
    const run = () =>
      block(within(p, `blocks.${i}`), x, config, rows?.kept, { ...positions, segments: rows?.segments ?? segments });
    ({ x } = remat ? rematerialise(run) : run());
  }
  const normed = norm(within(p, 'norm'), x, config.normEps);
  return splitSegments(normed, segments).map((tokens) => finalParts(p, tokens, config));
}

/** Tokens [R, D] as [B, N, D] of each segment. */
export function splitSegments(tokens: Tensor, segments: readonly TokenSegment[]): Tensor[] {
  let before = 0;
  return segments.map(({ B, N }) => {
    const own = sliceAxis(tokens, 0, before, before + B * N);
    before += B * N;
    return reshape(own, [B, N, tokens.shape[1]!]);
  });
}
