/**
 * CLS attention maps: how much the CLS token of a block attends to each patch, per head.
 *
 *   a_h = softmax(q_cls,h . k_h^T / sqrt(d)) over all N tokens, of which the patch columns are shown
 *
 * with q, k [heads, N, d] of the block's `qkv` layer [N, 3 * heads * d]. Source: DINO section 4.2.2; Franca Fig. 7.
 */
import { checkCount, checkFinite, checkLength, checkRange, VizError } from '../errors';

/** CLS-to-patch attention: `data` is [heads, patches]; a row sums to at most 1 (CLS and registers take the rest). */
export interface ClsAttention {
  readonly data: Float32Array;
  readonly heads: number;
  readonly patches: number;
}

/** Shape of a block's `qkv` output. */
export interface QkvShape {
  readonly tokens: number;
  /** Embedding dimension, heads * head dimension. */
  readonly dim: number;
  readonly heads: number;
  /** Tokens before the patches: CLS and registers. Default 1. */
  readonly prefixTokens?: number;
}

/**
 * Attention of CLS (token 0) from one picture's `qkv` [tokens, 3 * dim], in the official order: all of q, then k, then v,
 * heads inside each. Throws `bad-shape` and `not-finite`.
 */
export function clsAttentionFromQkv(qkv: ArrayLike<number>, shape: QkvShape): ClsAttention {
  const { tokens, dim, heads } = shape;
  const prefix = checkPrefix(tokens, shape.prefixTokens);
  checkCount('the number of heads', heads);
  checkLength('qkv', qkv, [tokens, 3 * dim]);
  checkFinite('qkv', qkv);
  if (dim % heads !== 0) throw new VizError('bad-shape', `${dim} dimensions do not divide into ${heads} heads`);
  const headDim = dim / heads;
  const data = new Float32Array(heads * (tokens - prefix));
  for (let head = 0; head < heads; head++) {
    const logits = Array.from({ length: tokens }, (_, token) => {
      let sum = 0;
      for (let d = 0; d < headDim; d++) {
        const channel = head * headDim + d;
        sum += qkv[channel]! * qkv[token * 3 * dim + dim + channel]!;
      }
      return sum / Math.sqrt(headDim);
    });
    data.set(softmax(logits).slice(prefix), head * (tokens - prefix));
  }
  return { data, heads, patches: tokens - prefix };
}

/** Attention of CLS (token 0) out of whole attention matrices [heads, tokens, tokens]. Throws `bad-shape`. */
export function clsAttentionFromMatrix(
  attention: ArrayLike<number>,
  shape: { readonly heads: number; readonly tokens: number; readonly prefixTokens?: number },
): ClsAttention {
  const { heads, tokens } = shape;
  const prefix = checkPrefix(tokens, shape.prefixTokens);
  checkLength('the attention', attention, [heads, tokens, tokens]);
  const data = new Float32Array(heads * (tokens - prefix));
  for (let head = 0; head < heads; head++) {
    for (let token = prefix; token < tokens; token++) {
      data[head * (tokens - prefix) + token - prefix] = attention[head * tokens * tokens + token]!;
    }
  }
  return { data, heads, patches: tokens - prefix };
}

/** One head's map, [patches]. */
export function attentionHead(attention: ClsAttention, head: number): Float32Array {
  checkRange('the head', head, 0, attention.heads - 1);
  return attention.data.slice(head * attention.patches, (head + 1) * attention.patches);
}

/** Mean over heads, [patches]. */
export function meanAttention({ data, heads, patches }: ClsAttention): Float32Array {
  const mean = new Float32Array(patches);
  for (let p = 0; p < patches; p++) {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += data[head * patches + p]!;
    mean[p] = sum / heads;
  }
  return mean;
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

function checkPrefix(tokens: number, prefixTokens = 1): number {
  if (!(Number.isInteger(prefixTokens) && prefixTokens >= 1 && prefixTokens < tokens)) {
    throw new VizError(
      'bad-shape',
      `${prefixTokens} prefix tokens of ${tokens}; CLS must be there, and at least one patch`,
    );
  }
  return prefixTokens;
}

function softmax(logits: readonly number[]): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
