/**
 * Vision transformer (Dosovitskiy et al. 2021) as Franca and DINOv2 use it. Images become patches, patches become tokens by one linear map; masked
 * ones are replaced by a learned token; CLS comes first, positions are added, registers come between CLS and patches; then blocks and a final norm.
 */
import { norm, type Parameters, parameterAs, within } from '@franca/nn';
import {
  add,
  attentionProbabilities,
  broadcastTo,
  cast,
  concat,
  type DType,
  matmul,
  patchify,
  remat as rematerialise,
  reshape,
  select,
  sliceAxis,
  type Tensor,
} from '@franca/tensor';
import { block, type KeptSamples } from './block';
import type { VitConfig } from './config';
import { VitError } from './errors';
import { positionEmbedding } from './position-embedding';

export interface VitOptions {
  /** u32 [B, N]: 1 replaces the patch by the mask token. */
  readonly masks?: Tensor;
  /** Stochastic depth: kept samples of each block. */
  readonly kept?: readonly (KeptSamples | undefined)[];
  /** Type of activations (default f32). Norms, softmax and sums are f32 always. */
  readonly dtype?: DType;
  /** Compute the inside of blocks again in the backward pass instead of keeping it (default false). */
  readonly remat?: boolean;
  /** Blocks whose output is wanted, by index; negative ones count from the end. */
  readonly intermediate?: readonly number[];
}

export interface VitOutput {
  /** After the final norm: CLS [B, D], registers [B, R, D], patches [B, N, D]. */
  readonly cls: Tensor;
  readonly registers: Tensor;
  readonly patches: Tensor;
  /** All tokens before the final norm [B, 1 + R + N, D]. */
  readonly prenorm: Tensor;
  /** Outputs of the chosen blocks, in block order, before the final norm [B, 1 + R + N, D]. */
  readonly intermediate: readonly Tensor[];
  /** Packed queries, keys and values of every block [B, 1 + R + N, 3 D]. */
  readonly blockQkv: readonly Tensor[];
  /** Those of the last block. */
  readonly qkv: Tensor;
}

/** Tokens [B, 1 + R + N, D] that enter the first block. */
export function embed(
  p: Parameters,
  images: Tensor,
  config: VitConfig,
  { masks, dtype = 'f32' }: Pick<VitOptions, 'masks' | 'dtype'> = {},
): Tensor {
  const { patchSize, embedDim: D, numRegisterTokens: R } = config;
  const [B, channels, H, W] = images.shape as [number, number, number, number];
  if (images.shape.length !== 4 || channels !== 3 || H % patchSize !== 0 || W % patchSize !== 0) {
    throw new VitError(
      'image-size',
      `images of shape [${images.shape.join(', ')}]: expected [B, 3, H, W] with H and W multiples of the patch size ${patchSize}; crop or pad them with fitImages`,
    );
  }
  const parameter = (name: string) => parameterAs(p, name, dtype);
  const weight = reshape(parameter('patch_embed.proj.weight'), [D, 3 * patchSize * patchSize]);
  let patches = add(
    matmul(patchify(cast(images, dtype), patchSize), weight, { transposeB: true }),
    parameter('patch_embed.proj.bias'),
  );
  if (masks) patches = select(reshape(masks, [...masks.shape, 1]), parameter('mask_token'), patches);
  const cls = broadcastTo(parameter('cls_token'), [B, 1, D]);
  const table = p('pos_embed');
  const resampled = positionEmbedding(table, [H / patchSize, W / patchSize], config);
  const positions = resampled === table ? parameter('pos_embed') : cast(resampled, dtype);
  const tokens = add(concat([cls, patches], 1), positions);
  if (R === 0) return tokens;
  const N = tokens.shape[1]!;
  return concat(
    [sliceAxis(tokens, 1, 0, 1), broadcastTo(parameter('register_tokens'), [B, R, D]), sliceAxis(tokens, 1, 1, N)],
    1,
  );
}

/** Images [B, 3, H, W], normalised, to tokens. Throws `VitError` if H or W is no multiple of the patch size. */
export function vit(p: Parameters, images: Tensor, config: VitConfig, options: VitOptions = {}): VitOutput {
  const { depth, numRegisterTokens: R } = config;
  checkKept(options.kept, config);
  const wanted = new Set((options.intermediate ?? []).map((index) => blockIndex(index, depth)));
  const intermediate: Tensor[] = [];
  const blockQkv: Tensor[] = [];
  let x = embed(p, images, config, options);
  let qkv!: Tensor;
  for (let i = 0; i < depth; i++) {
    const run = () => block(within(p, `blocks.${i}`), x, config, options.kept?.[i]);
    ({ x, qkv } = options.remat ? rematerialise(run) : run());
    blockQkv.push(qkv);
    if (wanted.has(i)) intermediate.push(x);
  }
  return { ...splitTokens(norm(within(p, 'norm'), x), R), prenorm: x, intermediate, blockQkv, qkv };
}

/** Throws where kept samples are not given block by block. */
export function checkKept(kept: VitOptions['kept'], { depth }: VitConfig): void {
  if (kept && kept.length !== depth)
    throw new VitError('config', `kept samples are given for ${kept.length} blocks, the model has ${depth}`);
}

/** CLS [B, D], registers [B, R, D] and patches [B, N, D] of tokens [B, 1 + R + N, D]. */
export function splitTokens(tokens: Tensor, R: number): Pick<VitOutput, 'cls' | 'registers' | 'patches'> {
  const [B, count, D] = tokens.shape as [number, number, number];
  return {
    cls: reshape(sliceAxis(tokens, 1, 0, 1), [B, D]),
    registers: sliceAxis(tokens, 1, 1, 1 + R),
    patches: sliceAxis(tokens, 1, 1 + R, count),
  };
}

/** The final norm applied to an intermediate output, split into its parts. */
export const normIntermediate = (
  p: Parameters,
  tokens: Tensor,
  config: VitConfig,
): Pick<VitOutput, 'cls' | 'registers' | 'patches'> =>
  splitTokens(norm(within(p, 'norm'), tokens), config.numRegisterTokens);

/** Attention of the CLS token in the last block, [B, heads, 1 + R + N]. */
export function clsAttention(qkv: Tensor, config: VitConfig): Tensor {
  const probabilities = attentionProbabilities(qkv, config.numHeads);
  const [B, heads, N] = probabilities.shape as [number, number, number];
  return reshape(sliceAxis(probabilities, 2, 0, 1), [B, heads, N]);
}

/** A block by index, negative ones counted from the end; throws if there is none. */
export function blockIndex(index: number, depth: number): number {
  const positive = index < 0 ? index + depth : index;
  if (!Number.isInteger(positive) || positive < 0 || positive >= depth)
    throw new VitError('config', `block ${index} does not exist, the model has ${depth}`);
  return positive;
}
