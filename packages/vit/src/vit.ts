/**
 * Vision transformer (Dosovitskiy et al. 2021) as Franca and DINOv2 use it. Images become patches, patches become tokens by one linear map; masked
 * ones are replaced by a learned token; CLS comes first, positions are added, registers come between CLS and patches; then blocks and a final norm. Models of
 * other families have no CLS, a norm before the blocks, or positions that turn queries and keys instead (see `VitConfig`).
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
import { type RotaryTable, rotaryTable } from './rotary';
import { finalParts, type VitTokens } from './token-parts';

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

/** The parts are those after the final norm. Without a class token all counts of tokens are one less. */
export interface VitOutput extends VitTokens {
  /** All tokens before the final norm [B, 1 + R + N, D]. */
  readonly prenorm: Tensor;
  /** Outputs of the chosen blocks, in block order, before the final norm [B, 1 + R + N, D]. */
  readonly intermediate: readonly Tensor[];
  /** Packed queries, keys and values of every block [B, 1 + R + N, 3 D], as attention sees them: turned, where positions are rotary. */
  readonly blockQkv: readonly Tensor[];
  /** Those of the last block. */
  readonly qkv: Tensor;
}

/** Tokens [B, 1 + R + N, D] that enter the first block; without a class token [B, R + N, D]. */
export function embed(
  p: Parameters,
  images: Tensor,
  config: VitConfig,
  options: Pick<VitOptions, 'masks' | 'dtype'> = {},
): Tensor {
  const { embedDim: D, numRegisterTokens: R, classToken = true } = config;
  const { dtype = 'f32' } = options;
  const patches = embedPatches(p, images, config, options);
  const B = images.shape[0]!;
  const repeated = (name: string, count: number) => broadcastTo(parameterAs(p, name, dtype), [B, count, D]);
  const ofImage = classToken ? concat([repeated('cls_token', 1), patches], 1) : patches;
  const placed = config.ropeTheta === undefined ? add(ofImage, learnedPositions(p, images, config, dtype)) : ofImage;
  const first = classToken ? [sliceAxis(placed, 1, 0, 1)] : [];
  const rest = sliceAxis(placed, 1, first.length, placed.shape[1]!);
  const tokens = R === 0 ? placed : concat([...first, repeated('register_tokens', R), rest], 1);
  return config.preNorm ? norm(within(p, 'norm_pre'), tokens, config.normEps) : tokens;
}

/** Patches [B, N, D] by one linear map, masked ones replaced. */
function embedPatches(
  p: Parameters,
  images: Tensor,
  { patchSize, embedDim: D }: VitConfig,
  { masks, dtype = 'f32' }: Pick<VitOptions, 'masks' | 'dtype'>,
): Tensor {
  const [, channels, H, W] = images.shape as [number, number, number, number];
  if (images.shape.length !== 4 || channels !== 3 || H % patchSize !== 0 || W % patchSize !== 0) {
    throw new VitError(
      'image-size',
      `images of shape [${images.shape.join(', ')}]: expected [B, 3, H, W] with H and W multiples of the patch size ${patchSize}; crop or pad them with fitImages`,
    );
  }
  const parameter = (name: string) => parameterAs(p, name, dtype);
  const weight = reshape(parameter('patch_embed.proj.weight'), [D, 3 * patchSize * patchSize]);
  const patches = add(
    matmul(patchify(cast(images, dtype), patchSize), weight, { transposeB: true }),
    parameter('patch_embed.proj.bias'),
  );
  return masks ? select(reshape(masks, [...masks.shape, 1]), parameter('mask_token'), patches) : patches;
}

/** Rows and columns of the patches of images [B, 3, H, W]. */
const gridOf = ({ shape: [, , H, W] }: Tensor, { patchSize }: VitConfig): readonly [number, number] => [
  H! / patchSize,
  W! / patchSize,
];

/** The position table for the grid of the images. */
function learnedPositions(p: Parameters, images: Tensor, config: VitConfig, dtype: DType): Tensor {
  const table = p('pos_embed');
  const resampled = positionEmbedding(table, gridOf(images, config), config);
  return resampled === table ? parameterAs(p, 'pos_embed', dtype) : cast(resampled, dtype);
}

/** Rotary positions of images [B, 3, H, W]; undefined where positions are a learned table. */
export const rotaryPositions = (images: Tensor, config: VitConfig, dtype: DType): RotaryTable | undefined =>
  rotaryTable(gridOf(images, config), config, dtype);

/** Images [B, 3, H, W], normalised, to tokens. Throws `VitError` if H or W is no multiple of the patch size. */
export function vit(p: Parameters, images: Tensor, config: VitConfig, options: VitOptions = {}): VitOutput {
  const { depth } = config;
  checkKept(options.kept, config);
  const wanted = new Set((options.intermediate ?? []).map((index) => blockIndex(index, depth)));
  const intermediate: Tensor[] = [];
  const blockQkv: Tensor[] = [];
  let x = embed(p, images, config, options);
  const rotary = rotaryPositions(images, config, options.dtype ?? 'f32');
  const layout = rotary ? { rotary: [rotary] } : {};
  let qkv!: Tensor;
  for (let i = 0; i < depth; i++) {
    const run = () => block(within(p, `blocks.${i}`), x, config, options.kept?.[i], layout);
    ({ x, qkv } = options.remat ? rematerialise(run) : run());
    blockQkv.push(qkv);
    if (wanted.has(i)) intermediate.push(x);
  }
  const normed = norm(within(p, 'norm'), x, config.normEps);
  return { ...finalParts(p, normed, config), prenorm: x, intermediate, blockQkv, qkv };
}

/** Throws where kept samples are not given block by block. */
export function checkKept(kept: VitOptions['kept'], { depth }: VitConfig): void {
  if (kept && kept.length !== depth)
    throw new VitError('config', `kept samples are given for ${kept.length} blocks, the model has ${depth}`);
}

/**
 * Attention of the CLS token in the block that `qkv` is of, [B, heads, 1 + R + N].
 * @throws VitError `config` where the model has no CLS token
 */
export function clsAttention(qkv: Tensor, config: VitConfig): Tensor {
  requireClass(config);
  const probabilities = attentionProbabilities(qkv, config.numHeads);
  const [B, heads, N] = probabilities.shape as [number, number, number];
  return reshape(sliceAxis(probabilities, 2, 0, 1), [B, heads, N]);
}

/** @throws VitError `config` for attention of CLS where there is none */
export function requireClass({ classToken = true }: VitConfig): void {
  if (!classToken)
    throw new VitError(
      'config',
      'this model has no CLS token, so that there is no attention of one; its vector for the image is pooled after the last block: ask for qkv, and take the attention between patches',
    );
}

/** A block by index, negative ones counted from the end; throws if there is none. */
export function blockIndex(index: number, depth: number): number {
  const positive = index < 0 ? index + depth : index;
  if (!Number.isInteger(positive) || positive < 0 || positive >= depth)
    throw new VitError('config', `block ${index} does not exist, the model has ${depth}`);
  return positive;
}
