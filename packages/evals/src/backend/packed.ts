/**
 * Blocked inner products on the CPU. Four rows are interleaved into one panel, `[rows / 4, length, 4]`, padded with zeros;
 * a 4 x 4 tile of results then needs 8 loads for 16 multiply-adds, and there are no edge cases. Everything accumulates in
 * f64 in ascending order, so that equal rows give bitwise equal products.
 *
 * Packing rows of `X` gives products of rows (`A B^T`); packing columns gives products of columns (`A^T B`), which is
 * what gradients and Gram matrices are made of.
 */

type Numbers = Float32Array | Float64Array;

/** `count` vectors of `length` numbers, in panels of four. */
export interface Packed {
  readonly data: Float64Array;
  readonly count: number;
  readonly length: number;
}

/** Packs rows `begin` to `end` of a row-major array of `cols` columns. */
export function packRows(source: Numbers, cols: number, begin: number = 0, end: number = source.length / cols): Packed {
  const count = end - begin;
  const data = new Float64Array(Math.ceil(count / 4) * 4 * cols);
  for (let i = 0; i < count; i += 4) {
    const height = Math.min(4, count - i);
    for (let d = 0, to = i * cols; d < cols; d++, to += 4) {
      const from = (begin + i) * cols + d;
      for (let p = 0; p < height; p++) data[to + p] = source[from + p * cols]!;
    }
  }
  return { data, count, length: cols };
}

/** Packs the columns of a row-major array of `cols` columns. */
export function packColumns(source: Numbers, cols: number): Packed {
  const length = source.length / cols;
  const data = new Float64Array(Math.ceil(cols / 4) * 4 * length);
  for (let i = 0; i < cols; i += 4) {
    const width = Math.min(4, cols - i);
    for (let r = 0, to = i * length; r < length; r++, to += 4) {
      const from = r * cols + i;
      for (let p = 0; p < width; p++) data[to + p] = source[from + p]!;
    }
  }
  return { data, count: cols, length };
}

/** `out[i, j] = <a_i, b_j>`, row-major `[a.count, b.count]`; overwrites, or adds where `add`. */
export function packedProducts(a: Packed, b: Packed, out: Float64Array, add = false): void {
  const tile = new Float64Array(16);
  for (let i = 0; i < a.count; i += 4) {
    const height = Math.min(4, a.count - i);
    for (let j = 0; j < b.count; j += 4) {
      const width = Math.min(4, b.count - j);
      productTile(a.data, i * a.length, b.data, j * a.length, a.length, tile);
      for (let p = 0; p < height; p++) {
        for (let q = 0; q < width; q++) {
          const at = (i + p) * b.count + j + q;
          out[at] = add ? out[at]! + tile[p * 4 + q]! : tile[p * 4 + q]!;
        }
      }
    }
  }
}

function productTile(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  length: number,
  tile: Float64Array,
): void {
  let s00 = 0,
    s01 = 0,
    s02 = 0,
    s03 = 0;
  let s10 = 0,
    s11 = 0,
    s12 = 0,
    s13 = 0;
  let s20 = 0,
    s21 = 0,
    s22 = 0,
    s23 = 0;
  let s30 = 0,
    s31 = 0,
    s32 = 0,
    s33 = 0;
  for (let d = 0; d < length * 4; d += 4) {
    const x0 = a[aAt + d]!,
      x1 = a[aAt + d + 1]!,
      x2 = a[aAt + d + 2]!,
      x3 = a[aAt + d + 3]!;
    const y0 = b[bAt + d]!,
      y1 = b[bAt + d + 1]!,
      y2 = b[bAt + d + 2]!,
      y3 = b[bAt + d + 3]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  tile[0] = s00;
  tile[1] = s01;
  tile[2] = s02;
  tile[3] = s03;
  tile[4] = s10;
  tile[5] = s11;
  tile[6] = s12;
  tile[7] = s13;
  tile[8] = s20;
  tile[9] = s21;
  tile[10] = s22;
  tile[11] = s23;
  tile[12] = s30;
  tile[13] = s31;
  tile[14] = s32;
  tile[15] = s33;
}
