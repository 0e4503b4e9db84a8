/**
 * Multi-head scaled dot-product attention (Vaswani et al., 2017, section 3.2). O = softmax(Q K^T / sqrt(d)) V, one softmax per query and
 * head. `attention` takes the packed projection of a ViT, where the last axis of qkv [B, N, 3 H d] holds all of q, then k, then v, each as
 * H heads of d. Head sizes that the fused kernels take (multiples of 4 from 16 to 128) never hold the weights in memory.
 */
import { opError } from '../../base/errors';
import { showShape } from '../../base/shape';
import type { Tensor } from '../../graph/op';
import { checkTensor } from '../../graph/record';
import { concat } from '../concat';
import { mul } from '../elementwise';
import { matmul } from '../matmul/matmul';
import { softmax } from '../rows/softmax';
import { slice, sliceAxis } from '../slice';
import { transpose } from '../transpose';
import { reshape } from '../views';
import { fusedAttention } from './fused-op';
import { attentionDims, isFusedHead, type TokenSegment } from './problem';

/** q, k or v (`part` 0, 1, 2) of a packed projection as [B, H, N, d]. */
function headsOf(qkv: Tensor, heads: number, part: number): Tensor {
  const [B, N, width] = qkv.shape as [number, number, number];
  const d = width / (3 * heads);
  const own = slice(reshape(qkv, [B, N, 3, heads, d]), [0, 0, part, 0, 0], [B, N, 1, heads, d]);
  return transpose(reshape(own, [B, N, heads, d]), [0, 2, 1, 3]);
}

function checkHeads(op: string, heads: number): void {
  if (!Number.isInteger(heads) || heads < 1) opError('argument', op, `needs a positive number of heads, got ${heads}`);
}

function checkPacked(op: string, qkv: Tensor, heads: number): void {
  checkHeads(op, heads);
  if (qkv.shape.length !== 3 || qkv.shape[2]! % (3 * heads) !== 0)
    opError(
      'shape',
      op,
      `needs [B, N, 3 * ${heads} * d]: queries, keys and values of ${heads} heads, got ${showShape(qkv.shape)}`,
    );
}

/** Softmax attention weights [B, H, N, M] of queries [B, H, N, d] over keys [B, H, M, d]. */
const probabilities = (q: Tensor, k: Tensor): Tensor =>
  softmax(matmul(mul(q, 1 / Math.sqrt(q.shape.at(-1)!)), k, { transposeB: true }));

/**
 * Self-attention of a packed projection: qkv [B, N, 3 H d] -> [B, N, H d], heads side by side, scale 1 / sqrt(d).
 * Throws `TensorError` with code `shape` or `argument`.
 */
export function attention(qkv: Tensor, heads: number): Tensor {
  checkPacked('attention', qkv, heads);
  const [B, N, width] = qkv.shape as [number, number, number];
  if (isFusedHead(width / (3 * heads))) return fusedAttention(qkv, heads, [{ B, N }]);
  const [q, k, v] = [0, 1, 2].map((part) => headsOf(qkv, heads, part)) as [Tensor, Tensor, Tensor];
  const out = scaledDotProductAttention(q, k, v);
  return reshape(transpose(out, [0, 2, 1, 3]), [B, N, width / 3]);
}

/**
 * Self-attention of images of several sizes whose tokens lie one behind the other: qkv [R, 3 H d] -> [R, H d], where `segments` say how the R rows are divided:
 * B images of N tokens each, and so on. Every image is attended to as `attention` does. Throws `TensorError` with code `shape` or `argument`.
 */
export function segmentAttention(qkv: Tensor, heads: number, segments: readonly TokenSegment[]): Tensor {
  checkSegments(qkv, heads, segments);
  const width = qkv.shape[1]!;
  if (isFusedHead(width / (3 * heads))) return fusedAttention(qkv, heads, segments);
  const parts = attentionDims(qkv, { heads, segments }).map(({ B, N, before }) => {
    const own = reshape(sliceAxis(qkv, 0, before, before + B * N), [B, N, width]);
    return reshape(attention(own, heads), [B * N, width / 3]);
  });
  return concat(parts);
}

function checkSegments(qkv: Tensor, heads: number, segments: readonly TokenSegment[]): void {
  const op = 'segmentAttention';
  const { shape } = checkTensor(op, qkv);
  checkHeads(op, heads);
  if (!Array.isArray(segments) || segments.length === 0)
    opError('argument', op, 'needs a list of at least one segment { B, N }');
  const rows = segments.reduce((sum, { B, N }) => sum + B * N, 0);
  if (shape.length !== 2 || shape[0] !== rows || shape[1]! % (3 * heads) !== 0)
    opError(
      'shape',
      op,
      `needs [${rows}, 3 * ${heads} * d]: tokens of ${segments.map(({ B, N }) => `${B} x ${N}`).join(' + ')}, got ${showShape(shape)}`,
    );
}

/** The softmax weights [B, H, N, N] (row: query, column: key) that `attention` applies to the values; to look at, they are large. */
export function attentionProbabilities(qkv: Tensor, heads: number): Tensor {
  checkPacked('attentionProbabilities', qkv, heads);
  return probabilities(headsOf(qkv, heads, 0), headsOf(qkv, heads, 1));
}

/**
 * Attention of queries q [B, H, N, d] over keys k [B, H, M, d] with values v [B, H, M, e] -> [B, H, N, e], scale 1 / sqrt(d). The weights are
 * held in memory, [B, H, N, M]. Throws `TensorError` with code `shape`.
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  for (const x of [q, k, v]) checkTensor('scaledDotProductAttention', x);
  const fits =
    [q, k, v].every((tensor) => tensor.shape.length === 4) &&
    [k, v].every((tensor) => tensor.shape[0] === q.shape[0] && tensor.shape[1] === q.shape[1]) &&
    q.shape[3] === k.shape[3] &&
    k.shape[2] === v.shape[2];
  if (!fits)
    opError(
      'shape',
      'scaledDotProductAttention',
      `needs q [B, H, N, d], k [B, H, M, d], v [B, H, M, e], got ${[q, k, v].map((tensor) => showShape(tensor.shape)).join(', ')}`,
    );
  return matmul(probabilities(q, k), v);
}
