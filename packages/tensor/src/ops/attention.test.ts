import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../gpu';
import type { Tensor } from '../graph';
import { interpret } from '../interpret';
import { openGpu } from '../node';
import { checkOp, normals } from '../testing';
import { attention, attentionProbabilities, scaledDotProductAttention } from './attention';
import { input } from './sources';

/** softmax(q k^T / sqrt(d)) v by the definition, on the packed layout. */
function byDefinition(
  qkv: ArrayLike<number>,
  [B, N, width]: readonly [number, number, number],
  heads: number,
): Float64Array {
  const D = width / 3;
  const d = D / heads;
  const out = new Float64Array(B * N * D);
  const at = (b: number, n: number, part: number, h: number, c: number): number =>
    qkv[(b * N + n) * width + part * D + h * d + c]!;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < heads; h++)
      for (let n = 0; n < N; n++) {
        const logits = Array.from({ length: N }, (_, m) => {
          let sum = 0;
          for (let c = 0; c < d; c++) sum += at(b, n, 0, h, c) * at(b, m, 1, h, c);
          return sum / Math.sqrt(d);
        });
        const top = Math.max(...logits);
        const weights = logits.map((value) => Math.exp(value - top));
        const total = weights.reduce((x, y) => x + y);
        weights.forEach((weight, m) => {
          for (let c = 0; c < d; c++) out[(b * N + n) * D + h * d + c]! += (weight / total) * at(b, m, 2, h, c);
        });
      }
  return out;
}

test('attention reads q, k and v of every head from the packed projection', () => {
  const shape = [2, 5, 24] as const;
  const values = normals(2 * 5 * 24);
  const out = attention(input('qkv', shape), 2);
  const result = interpret([out], { qkv: values }).value(out);
  expect(result.shape).toEqual([2, 5, 8]);
  byDefinition(values, shape, 2).forEach((value, i) => {
    expect(result.data[i]).toBeCloseTo(value, 12);
  });
});

test('shapes that do not fit are refused when recorded', () => {
  expect(() => attention(input('x', [2, 5, 10]), 2)).toThrow(
    /attention: needs \[B, N, 3 \* 2 \* d\].*got \[2, 5, 10\]/,
  );
  expect(() => attention(input('x', [2, 5, 24]), 0)).toThrow(/positive number of heads, got 0/);
  expect(() =>
    scaledDotProductAttention(input('q', [1, 2, 3, 4]), input('k', [1, 2, 5, 8]), input('v', [1, 2, 5, 4])),
  ).toThrow(/scaledDotProductAttention: needs q \[B, H, N, d\]/);
});

describe('on the adapter', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  test('attention of a head size that only the materialised path takes', async () => {
    await checkOp(gpu, (qkv) => attention(qkv!, 2), [{ shape: [2, 5, 3 * 2 * 6] }], { samples: 6 });
  });
  test('cross attention of 3 queries over 7 keys', async () => {
    await checkOp(
      gpu,
      (...[q, k, v]) => scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor),
      [{ shape: [1, 2, 3, 4] }, { shape: [1, 2, 7, 4] }, { shape: [1, 2, 7, 5] }],
      { samples: 6 },
    );
  });
  test('attention probabilities', async () => {
    await checkOp(gpu, (qkv) => attentionProbabilities(qkv!, 2), [{ shape: [2, 5, 3 * 2 * 4] }], { samples: 6 });
  });
});
