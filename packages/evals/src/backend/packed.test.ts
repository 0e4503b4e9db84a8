import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { packColumns, packedProducts, packRows } from './packed';

const naive = (
  a: Float32Array,
  b: Float32Array,
  n: number,
  m: number,
  at: (i: number, j: number, d: number) => [number, number],
  length: number,
) =>
  Float64Array.from({ length: n * m }, (_, o) => {
    let sum = 0;
    for (let d = 0; d < length; d++) {
      const [p, q] = at(Math.floor(o / m), o % m, d);
      sum += a[p]! * b[q]!;
    }
    return sum;
  });

test.each([
  [1, 1, 1],
  [5, 7, 3],
  [8, 4, 16],
  [13, 9, 10],
])('products of %i and %i rows of width %i equal the plain loop bit for bit', (n, m, dim) => {
  const a = gaussian(n, dim, 1);
  const b = gaussian(m, dim, 2);
  const out = new Float64Array(n * m);
  packedProducts(packRows(a.data, dim), packRows(b.data, dim), out);
  expect(out).toEqual(naive(a.data, b.data, n, m, (i, j, d) => [i * dim + d, j * dim + d], dim));
});

test('packing columns gives A^T B, and can add onto what is there', () => {
  const a = gaussian(6, 5, 3);
  const b = gaussian(6, 2, 4);
  const out = new Float64Array(10).fill(1);
  packedProducts(packColumns(a.data, 5), packColumns(b.data, 2), out, true);
  const expected = naive(a.data, b.data, 5, 2, (i, j, d) => [d * 5 + i, d * 2 + j], 6);
  expect(out).toEqual(expected.map((value) => value + 1));
});

test('a range of rows is packed alone', () => {
  const a = gaussian(9, 4, 5);
  const packed = packRows(a.data, 4, 3, 8);
  expect(packed).toEqual(packRows(a.data.slice(12, 32), 4));
});
