import { expect, test } from 'vitest';
import {
  type AttentionFeatures,
  attentionMaps,
  clsAttentionFromMatrix,
  clsAttentionFromQkv,
  massMask,
} from './attention-map';

/** Two heads of two dimensions; CLS, one register and three patches. Rows are [q0 q1 | k0 k1 | v0 v1] of 2 each. */
const shape = { heads: 2, prefixTokens: 2, grid: [1, 3] } as const;
function qkv(clsQuery: number[], keys: number[][]): Float32Array {
  return Float32Array.from(
    keys.flatMap((key, token) => [...(token === 0 ? clsQuery : [9, 9, 9, 9]), ...key, 7, 7, 7, 7]),
  );
}
const one = (features: AttentionFeatures) => attentionMaps(features)[0]!;

test('is the softmax over all tokens of q.k / sqrt(d), patches only', () => {
  const scale = Math.sqrt(2);
  const logs = [1, 2, 3, 4, 6].map((weight) => Math.log(weight) * scale);
  const keys = logs.map((log) => [log, 0, 0, 0]);
  const { heads, mean } = one(clsAttentionFromQkv({ qkv: qkv([1, 0, 0, 0], keys), dim: 4, ...shape }));
  // Head 0: weights 1, 2, 3, 4, 6 of 16, of which the last three are patches. Head 1: all logits 0.
  expect([...heads[0]!]).toEqual([3 / 16, 4 / 16, 6 / 16].map((value) => expect.closeTo(value, 6)));
  expect([...heads[1]!]).toEqual([0, 1, 2].map(() => expect.closeTo(0.2, 6)));
  expect(mean[2]).toBeCloseTo((6 / 16 + 1 / 5) / 2, 6);
});

test('large logits do not overflow', () => {
  const keys = [0, 0, 1, 1, 1].map((size) => [size * 1e4, 0, 0, 0]);
  const { heads } = one(clsAttentionFromQkv({ qkv: qkv([1e4, 0, 0, 0], keys), dim: 4, ...shape }));
  expect([...heads[0]!]).toEqual([0, 1, 2].map(() => expect.closeTo(1 / 3, 6)));
});

test('reads the CLS row of whole matrices', () => {
  const matrix = Float32Array.from({ length: 2 * 3 * 3 }, (_, i) => i);
  const features = clsAttentionFromMatrix(matrix, { heads: 2, prefixTokens: 1, grid: [2, 1] });
  expect([...features.attention]).toEqual([0, 1, 2, 9, 10, 11]);
  expect(one(features).heads.map((map) => [...map])).toEqual([
    [1, 2],
    [10, 11],
  ]);
});

test('pictures of a batch, and of batches of several grids, come one after the other', () => {
  const wide = { attention: Float32Array.from({ length: 2 * 2 * 5 }, (_, i) => i), ...shape };
  const tall = { attention: Float32Array.of(0, 5), heads: 1, prefixTokens: 1, grid: [1, 1] } as const;
  const maps = attentionMaps([wide, tall]);
  expect(maps.map(({ grid }) => grid)).toEqual([
    [1, 3],
    [1, 3],
    [1, 1],
  ]);
  expect(maps.map(({ mean }) => [...mean])).toEqual([[4.5, 5.5, 6.5], [14.5, 15.5, 16.5], [5]]);
  const keys = [0, 1, 2, 3, 4].map((key) => [key, 0, 0, key]);
  const both = Float32Array.from([...qkv([1, 1, 1, 1], keys), ...qkv([0, 0, 0, 0], keys)]);
  const [first, second] = attentionMaps(clsAttentionFromQkv({ qkv: both, dim: 4, ...shape }));
  expect(first).toEqual(one(clsAttentionFromQkv({ qkv: qkv([1, 1, 1, 1], keys), dim: 4, ...shape })));
  expect([...second!.mean]).toEqual([0, 1, 2].map(() => expect.closeTo(0.2, 6)));
});

test('the mass mask keeps the fewest patches that hold the mass', () => {
  expect([...massMask([0.1, 0.4, 0.2, 0.3], 0.6)]).toEqual([0, 1, 0, 1]);
  expect([...massMask([1, 1, 1, 1], 0.5)]).toEqual([1, 1, 0, 0]);
  expect([...massMask([3, 1], 0)]).toEqual([0, 0]);
});

test('refuses shapes that do not fit', () => {
  const values = (length: number) => ({ qkv: new Float32Array(length), dim: 4, ...shape });
  expect(() => clsAttentionFromQkv(values(59))).toThrow(/59 values.*needs 60/);
  expect(() => clsAttentionFromQkv({ ...values(60), heads: 3 })).toThrow(/4 dimensions.*3 heads/);
  expect(() => clsAttentionFromQkv({ ...values(60), prefixTokens: 0 })).toThrow(/prefix tokens.*is 0/);
  expect(() => clsAttentionFromMatrix(new Float32Array(4), { heads: 1, prefixTokens: 2, grid: [1, 1] })).toThrow(
    /needs 9/,
  );
  expect(() => attentionMaps({ attention: new Float32Array(12), ...shape })).toThrow(/12 values.*needs 10/);
  expect(() => attentionMaps({ attention: new Float32Array(0), ...shape })).toThrow(/0 values/);
  expect(() => attentionMaps({ attention: new Float32Array(10).fill(Number.NaN), ...shape })).toThrow(/NaN/);
  expect(() => massMask([1, 2], 1.5)).toThrow(/mass is 1.5/);
});
