/**
 * What a ViT says about images, as far as it is asked for. The CLS token comes always, anything else on request, so that nothing is
 * computed and copied off the device for nothing. Where a model has none, the vector that it pools from the patches takes its place. Tokens are those after the final norm, but for `prenorm`, `blockTokens`, `qkv` and `blockQkv`. A final layer, where weights
 * bring one, stands in for the affine part of that norm where patches are concerned: x -> W xhat + b, xhat the parameter-free norm of x.
 */
import { linear, type Parameters } from '@franca/nn';
import { constant, type DType, layerNorm, mean, type Tensor } from '@franca/tensor';
import type { VitConfig } from './config';
import type { ImageBatch } from './fit-images';
import { normIntermediate, patchesOf, prefixTokens } from './token-parts';
import { blockIndex, clsAttention, requireClass, vit } from './vit';

/** What is wanted beside CLS; what is left out is neither computed nor copied. */
export interface FeatureRequest {
  readonly patches?: boolean;
  readonly patchMean?: boolean;
  readonly registers?: boolean;
  readonly prenorm?: boolean;
  readonly attention?: boolean;
  readonly qkv?: boolean;
  /** Blocks whose CLS token is wanted, by index; negative ones count from the end. */
  readonly blockCls?: readonly number[];
  /** Blocks whose patch tokens are wanted, likewise. */
  readonly blockPatches?: readonly number[];
  /** Blocks whose tokens before any norm are wanted, likewise. */
  readonly blockTokens?: readonly number[];
  /** Blocks whose packed queries, keys and values are wanted, likewise. */
  readonly blockQkv?: readonly number[];
}

/** What a request adds. Without a class token all counts of tokens are one less. */
export interface RequestedFeatures {
  /** [B, N, D], N = rows * columns, row-major. */
  readonly patches: Float32Array;
  /** Mean over the patches [B, D]. */
  readonly patchMean: Float32Array;
  /** [B, R, D]; empty where the model has none. */
  readonly registers: Float32Array;
  /** All tokens before the final norm [B, 1 + R + N, D]. */
  readonly prenorm: Float32Array;
  /** Attention of CLS in the last block to all tokens [B, heads, 1 + R + N]. */
  readonly attention: Float32Array;
  /** Packed queries, keys and values of the last block [B, 1 + R + N, 3 D], as attention sees them: where positions are rotary, queries and keys are turned. */
  readonly qkv: Float32Array;
  /** CLS token of each block [B, D], in the order asked for. Without a class token: the mean of the patches; of the last block, `cls`. */
  readonly blockCls: readonly Float32Array[];
  /** Patch tokens of each block [B, N, D], in the order asked for. */
  readonly blockPatches: readonly Float32Array[];
  /** All tokens that each block gives [B, 1 + R + N, D], in the order asked for. */
  readonly blockTokens: readonly Float32Array[];
  /** Packed queries, keys and values of each block [B, 1 + R + N, 3 D], in the order asked for, as in `qkv`. */
  readonly blockQkv: readonly Float32Array[];
}

/** What every run gives. */
export interface BasicFeatures {
  /** CLS token [B, D], or what attention pools from the patches where there is none. */
  readonly cls: Float32Array;
  /** Width D of a token. */
  readonly dim: number;
  /** Patches per image: rows and columns. */
  readonly grid: readonly [rows: number, columns: number];
  /** Heads of attention; token 0 is CLS, and the patches begin after `prefixTokens` = 1 + R, without a class token R. */
  readonly heads: number;
  readonly prefixTokens: number;
}

/** Features of a batch, as far as asked for. */
export type AllFeatures = BasicFeatures & { readonly [K in keyof RequestedFeatures]: RequestedFeatures[K] | undefined };

/** Features of a batch: those that the request names, perhaps `undefined` where its type leaves open whether a flag is set. */
export type Features<R extends FeatureRequest> = BasicFeatures & {
  readonly [K in keyof R & keyof RequestedFeatures]: R[K] extends true | readonly number[]
    ? RequestedFeatures[K]
    : RequestedFeatures[K] | undefined;
};

export interface FeatureOptions {
  /** Type of activations (default f32); f16 needs an adapter with `shader-f16`. */
  readonly dtype?: DType;
  /** `weight` [D, D] (rows: output) and `bias` [D] of the final layer, where there is one. */
  readonly finalLayer?: Parameters;
}

const FLAGS = ['patches', 'patchMean', 'registers', 'prenorm', 'attention', 'qkv'] as const;
const BLOCK_LISTS = ['blockCls', 'blockPatches', 'blockTokens', 'blockQkv'] as const;

/**
 * Names of the outputs that a request means: `cls`, `attention`, `blockCls.3`.
 * @throws VitError `config` if a block does not exist, and for attention of CLS where there is none
 */
export function outputNames(request: FeatureRequest, config: VitConfig): readonly string[] {
  const { depth, numRegisterTokens } = config;
  if (request.attention) requireClass(config);
  const flags = FLAGS.filter((flag) => request[flag] && (flag !== 'registers' || numRegisterTokens > 0));
  const blocks = BLOCK_LISTS.flatMap((list) =>
    (request[list] ?? []).map((index) => `${list}.${blockIndex(index, depth)}`),
  );
  return [...new Set(['cls', ...flags, ...blocks])];
}

/** Records the outputs that a request means for images [B, 3, H, W], by name. */
export function recordFeatures(
  p: Parameters,
  images: Tensor,
  config: VitConfig,
  request: FeatureRequest,
  { dtype = 'f32', finalLayer }: FeatureOptions = {},
): Record<string, Tensor> {
  const { blockCls = [], blockPatches = [], blockTokens = [] } = request;
  const asked = [...blockCls, ...blockPatches, ...blockTokens];
  const blocks = [...new Set(asked.map((index) => blockIndex(index, config.depth)))];
  const intermediate = blocks.sort((a, b) => a - b);
  const out = vit(p, images, config, { dtype, intermediate });
  const patchesOf = (tokens: Tensor, normed: Tensor): Tensor =>
    finalLayer ? finalPatches(tokens, finalLayer, config) : normed;
  const patches = patchesOf(out.prenorm, out.patches);
  // recorded only: what no output needs is not in the plan
  const all: Record<string, Tensor> = {
    cls: out.cls,
    patches,
    patchMean: mean(patches, [1]),
    registers: out.registers,
    prenorm: out.prenorm,
    ...(request.attention && { attention: clsAttention(out.qkv, config) }),
    qkv: out.qkv,
  };
  for (const [i, block] of intermediate.entries()) {
    const tokens = out.intermediate[i]!;
    const normed = normIntermediate(p, tokens, config);
    all[`blockCls.${block}`] = block === config.depth - 1 ? out.cls : normed.cls;
    all[`blockPatches.${block}`] = patchesOf(tokens, normed.patches);
    all[`blockTokens.${block}`] = tokens;
  }
  for (const [block, qkv] of out.blockQkv.entries()) all[`blockQkv.${block}`] = qkv;
  return Object.fromEntries(outputNames(request, config).map((name) => [name, all[name]!]));
}

/** Reads the outputs that a request means, one after the other, for images [B, 3, H, W] of `shape`. */
export async function readFeatures(
  request: FeatureRequest,
  [, , H, W]: ImageBatch['shape'],
  config: VitConfig,
  read: (name: string) => Promise<Float32Array>,
): Promise<AllFeatures> {
  const values: Record<string, Float32Array> = {};
  for (const name of outputNames(request, config)) values[name] = await read(name);
  const blocks = (list: (typeof BLOCK_LISTS)[number]) =>
    request[list]?.map((index) => values[`${list}.${blockIndex(index, config.depth)}`]!);
  return {
    cls: values.cls!,
    dim: config.embedDim,
    heads: config.numHeads,
    prefixTokens: prefixTokens(config),
    grid: [H / config.patchSize, W / config.patchSize],
    patches: values.patches,
    patchMean: values.patchMean,
    registers: request.registers ? (values.registers ?? new Float32Array(0)) : undefined,
    prenorm: values.prenorm,
    attention: values.attention,
    qkv: values.qkv,
    blockCls: blocks('blockCls'),
    blockPatches: blocks('blockPatches'),
    blockTokens: blocks('blockTokens'),
    blockQkv: blocks('blockQkv'),
  };
}

/** Patch tokens [B, N, D] by the final layer, from tokens before the norm [B, 1 + R + N, D]. */
function finalPatches(tokens: Tensor, finalLayer: Parameters, config: VitConfig): Tensor {
  const D = config.embedDim;
  const [ones, zeros] = [constant(new Float32Array(D).fill(1), [D]), constant(new Float32Array(D), [D])];
  const normalised = layerNorm(tokens, ones, zeros, config.normEps);
  return linear(finalLayer, patchesOf(normalised, config));
}
