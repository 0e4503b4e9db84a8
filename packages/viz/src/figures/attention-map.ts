/**
 * CLS attention maps: how much the CLS token of a block attends to each patch, per head.
 *
 *   a_h = softmax(q_cls,h . k_h^T / sqrt(d)) over all T tokens, of which the patch columns are shown
 *
 * with q, k [heads, T, d] of the block's `qkv` layer [T, 3 * heads * d]; the prefix tokens (CLS, then registers) stand
 * before the patches, T = prefix + rows * columns. Source: DINO section 4.2.2; Franca Fig. 7.
 */
import { cellsOf, type Grid } from '../drawing/grid';
import { checkCount, checkFinite, checkLength, checkRange, VizError } from '../errors';

/** Heads and tokens of n pictures of one patch grid. */
export interface AttentionShape {
  readonly heads: number;
  /** Tokens before the patches: CLS and registers. */
  readonly prefixTokens: number;
  readonly grid: Grid;
}

/** Attention of CLS to all tokens, as a model of `@franca/vit` gives it. */
export interface AttentionFeatures extends AttentionShape {
  /** [n, heads, prefixTokens + rows * columns]; a row sums to 1. */
  readonly attention: Float32Array;
}

/** Queries, keys and values of a block, as a model of `@franca/vit` gives them. */
export interface QkvFeatures extends AttentionShape {
  /** [n, prefixTokens + rows * columns, 3 * dim], in the official order: all of q, then k, then v, heads inside each. */
  readonly qkv: Float32Array;
  /** Embedding dimension, heads * head dimension. */
  readonly dim: number;
}

/** CLS-to-patch attention of one picture, each map [rows, columns]; a head's sums to at most 1 (CLS and registers take the rest). */
export interface AttentionMaps {
  readonly mean: Float32Array;
  readonly heads: readonly Float32Array[];
  readonly grid: Grid;
}

/** The maps of every picture, in order, prefix tokens left out. Throws `shape` and `not-finite`. */
export function attentionMaps(features: AttentionFeatures | readonly AttentionFeatures[]): AttentionMaps[] {
  return ('grid' in features ? [features] : features).flatMap(mapsOf);
}

function mapsOf({ attention, heads, prefixTokens, grid }: AttentionFeatures): AttentionMaps[] {
  const tokens = countTokens({ heads, prefixTokens, grid });
  const pictures = countPictures('the attention', attention, [heads, tokens]);
  checkFinite('the attention', attention);
  return Array.from({ length: pictures }, (_, picture) => {
    const maps = Array.from({ length: heads }, (_, head) => {
      const row = (picture * heads + head) * tokens;
      return attention.slice(row + prefixTokens, row + tokens);
    });
    const mean = Float32Array.from({ length: tokens - prefixTokens }, (_, patch) => {
      return maps.reduce((sum, map) => sum + map[patch]!, 0) / heads;
    });
    return { mean, heads: maps, grid };
  });
}

/** Attention of CLS (token 0) out of a block's `qkv`. Throws `shape` and `not-finite`. */
export function clsAttentionFromQkv({ qkv, dim, ...shape }: QkvFeatures): AttentionFeatures {
  const { heads } = shape;
  const tokens = countTokens(shape);
  checkCount('the dimension', dim);
  if (dim % heads !== 0) throw new VizError('shape', `${dim} dimensions do not divide into ${heads} heads`);
  const pictures = countPictures('qkv', qkv, [tokens, 3 * dim]);
  checkFinite('qkv', qkv);
  const headDim = dim / heads;
  const attention = new Float32Array(pictures * heads * tokens);
  for (let picture = 0; picture < pictures; picture++) {
    const at = picture * tokens * 3 * dim;
    for (let head = 0; head < heads; head++) {
      const logits = Array.from({ length: tokens }, (_, token) => {
        let sum = 0;
        for (let d = head * headDim; d < (head + 1) * headDim; d++)
          sum += qkv[at + d]! * qkv[at + token * 3 * dim + dim + d]!;
        return sum / Math.sqrt(headDim);
      });
      attention.set(softmax(logits), (picture * heads + head) * tokens);
    }
  }
  return { attention, ...shape };
}

/** Attention of CLS (token 0) out of whole attention matrices [n, heads, T, T]. Throws `shape`. */
export function clsAttentionFromMatrix(matrices: ArrayLike<number>, shape: AttentionShape): AttentionFeatures {
  const tokens = countTokens(shape);
  const rows = countPictures('the attention', matrices, [shape.heads, tokens, tokens]) * shape.heads;
  const attention = Float32Array.from({ length: rows * tokens }, (_, i) => {
    return matrices[Math.floor(i / tokens) * tokens * tokens + (i % tokens)]!;
  });
  return { attention, ...shape };
}

/** 1 for the fewest patches that together hold `mass` (0..1) of the map's sum, [patches]; DINO shows 0.6. */
export function massMask(map: ArrayLike<number>, mass: number): Uint8Array {
  checkRange('the mass', mass, 0, 1);
  checkFinite('the map', map);
  const order = Array.from({ length: map.length }, (_, p) => p).sort((a, b) => map[b]! - map[a]! || a - b);
  const wanted = mass * order.reduce((sum, p) => sum + map[p]!, 0);
  const mask = new Uint8Array(map.length);
  let held = 0;
  for (const p of order) {
    if (held >= wanted) break;
    mask[p] = 1;
    held += map[p]!;
  }
  return mask;
}

/** Tokens of a picture; refuses a shape without CLS, heads or patches. */
function countTokens({ heads, prefixTokens, grid }: AttentionShape): number {
  checkCount('the number of heads', heads);
  checkCount('the number of prefix tokens, of which CLS is one,', prefixTokens);
  for (const side of grid) checkCount('a side of the patch grid', side);
  return prefixTokens + cellsOf(grid);
}

/** How many pictures of a shape there are in `data`: whole ones only, and at least one. */
function countPictures(what: string, data: ArrayLike<number>, shape: readonly number[]): number {
  const each = shape.reduce((product, size) => product * size, 1);
  checkLength(what, data, [Math.max(1, Math.floor(data.length / each)), ...shape]);
  return data.length / each;
}

function softmax(logits: readonly number[]): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
