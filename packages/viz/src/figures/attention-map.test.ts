import { expect, test } from 'vitest';
import { attentionHead, clsAttentionFromMatrix, clsAttentionFromQkv, massMask, meanAttention } from './attention-map';

/** Two heads of two dimensions; CLS, one register and three patches. Rows are [q0 q1 | k0 k1 | v0 v1] of 2 each. */
const shape = { tokens: 5, dim: 4, heads: 2, prefixTokens: 2 };
function qkv(clsQuery: number[], keys: number[][]): Float32Array {
  return Float32Array.from(
    keys.flatMap((key, token) => [...(token === 0 ? clsQuery : [9, 9, 9, 9]), ...key, 7, 7, 7, 7]),
  );
}

test('is the softmax over all tokens of q.k / sqrt(d), patches only', () => {
  const scale = Math.sqrt(2);
  const logs = [1, 2, 3, 4, 6].map((weight) => Math.log(weight) * scale);
  const keys = logs.map((log) => [log, 0, 0, 0]);
  const attention = clsAttentionFromQkv(qkv([1, 0, 0, 0], keys), shape);
  // Head 0: weights 1, 2, 3, 4, 6 of 16, of which the last three are patches. Head 1: all logits 0.
  const expected = [3 / 16, 4 / 16, 6 / 16, 1 / 5, 1 / 5, 1 / 5];
  expect([...attention.data]).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  expect([...attentionHead(attention, 1)]).toEqual([0, 1, 2].map(() => expect.closeTo(0.2, 6)));
  expect(meanAttention(attention)[2]).toBeCloseTo((6 / 16 + 1 / 5) / 2, 6);
});

test('large logits do not overflow', () => {
  const keys = [0, 0, 1, 1, 1].map((size) => [size * 1e4, 0, 0, 0]);
  const attention = clsAttentionFromQkv(qkv([1e4, 0, 0, 0], keys), shape);
  expect([...attentionHead(attention, 0)]).toEqual([0, 1, 2].map(() => expect.closeTo(1 / 3, 6)));
});

test('reads the CLS row of whole matrices', () => {
  const matrix = Float32Array.from({ length: 2 * 3 * 3 }, (_, i) => i);
  const attention = clsAttentionFromMatrix(matrix, { heads: 2, tokens: 3 });
  expect([...attention.data]).toEqual([1, 2, 10, 11]);
});

test('the mass mask keeps the fewest patches that hold the mass', () => {
  expect([...massMask([0.1, 0.4, 0.2, 0.3], 0.6)]).toEqual([0, 1, 0, 1]);
  expect([...massMask([1, 1, 1, 1], 0.5)]).toEqual([1, 1, 0, 0]);
  expect([...massMask([3, 1], 0)]).toEqual([0, 0]);
});

test('refuses shapes that do not fit', () => {
  expect(() => clsAttentionFromQkv(new Float32Array(59), shape)).toThrow(/59 values.*needs 60/);
  expect(() => clsAttentionFromQkv(new Float32Array(60), { ...shape, heads: 3 })).toThrow(/4 dimensions.*3 heads/);
  expect(() => clsAttentionFromQkv(new Float32Array(60), { ...shape, prefixTokens: 5 })).toThrow(
    /5 prefix tokens of 5/,
  );
  expect(() => clsAttentionFromMatrix(new Float32Array(4), { heads: 1, tokens: 3 })).toThrow(/needs 9/);
  expect(() => massMask([1, 2], 1.5)).toThrow(/mass is 1.5/);
});
