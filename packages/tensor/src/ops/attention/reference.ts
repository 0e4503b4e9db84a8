/** Attention on the packed layout by its definition, in f64, and its gradient: what kernels are tested against. */
import type { NdArray } from '../../graph/op';
import { type AttentionAttrs, type AttentionDims, attentionDims } from './problem';

/** Visits every query of every head of a segment with the positions of its rows: `q` in qkv, `o` in the output; `k(m)` and `v(m)` give those of key m. */
function forEachQuery(
  { B, H, N, d, before }: AttentionDims,
  visit: (row: { index: number; q: number; o: number; k: (m: number) => number; v: (m: number) => number }) => void,
): void {
  const D = H * d;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++) {
      const at = (part: number, n: number): number => ((before + b * N + n) * 3 + part) * D + h * d;
      for (let n = 0; n < N; n++)
        visit({
          index: (b * H + h) * N + n,
          q: at(0, n),
          o: (before + b * N + n) * D + h * d,
          k: (m) => at(1, m),
          v: (m) => at(2, m),
        });
    }
}

function dot(x: Float64Array, at: number, y: Float64Array, from: number, d: number): number {
  let sum = 0;
  for (let c = 0; c < d; c++) sum += x[at + c]! * y[from + c]!;
  return sum;
}

function addScaled(x: Float64Array, at: number, y: Float64Array, from: number, d: number, factor: number): void {
  for (let c = 0; c < d; c++) x[at + c]! += factor * y[from + c]!;
}

/** The output, one third of qkv, and for each segment the log-sum-exp [B, H, N] of each query's logits. */
export function attentionReference(qkv: NdArray, attrs: AttentionAttrs): [Float64Array, ...Float64Array[]] {
  const x = qkv.data;
  const out = new Float64Array(x.length / 3);
  const sums = attentionDims(qkv, attrs).map((dims) => {
    const { B, H, N, d } = dims;
    const lse = new Float64Array(B * H * N);
    const logits = new Float64Array(N);
    forEachQuery(dims, ({ index, q, o, k, v }) => {
      for (let m = 0; m < N; m++) logits[m] = dot(x, q, x, k(m), d) / Math.sqrt(d);
      const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      lse[index] = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
      for (let m = 0; m < N; m++) addScaled(out, o, x, v(m), d, Math.exp(logits[m]! - lse[index]));
    });
    return lse;
  });
  return [out, ...sums];
}

/** d qkv. With P the weights and dP = dO V^T: dV = P^T dO, dS = P (dP - rowsum(dO O)), dQ = dS K / sqrt(d), dK = dS^T Q / sqrt(d). */
export function attentionGradientReference(
  [qkv, out, gradient, ...sums]: readonly [NdArray, NdArray, NdArray, ...NdArray[]],
  attrs: AttentionAttrs,
): Float64Array {
  const x = qkv.data;
  const dx = new Float64Array(x.length);
  attentionDims(qkv, attrs).forEach((dims, segment) => {
    const { N, d } = dims;
    const lse = sums[segment]!.data;
    const scale = 1 / Math.sqrt(d);
    forEachQuery(dims, ({ index, q, o, k, v }) => {
      const delta = dot(gradient.data, o, out.data, o, d);
      for (let m = 0; m < N; m++) {
        const p = Math.exp(dot(x, q, x, k(m), d) * scale - lse[index]!);
        const ds = p * (dot(gradient.data, o, x, v(m), d) - delta) * scale;
        addScaled(dx, v(m), gradient.data, o, d, p);
        addScaled(dx, q, x, k(m), d, ds);
        addScaled(dx, k(m), x, q, d, ds);
      }
    });
  });
  return dx;
}
