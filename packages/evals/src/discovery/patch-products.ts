/**
 * Inner products of all pairs of patches of one picture, the part of object discovery that costs most: N^2 D / 2
 * multiplications. They are sums in f64 of the f32 features, for pairs (i, j <= i) only, four rows times four rows at a
 * time so that a loaded number serves four products. Cosines come from them by the lengths of the rows.
 */
import { valueProblem } from '@franca/tensor';
import { EvalsError } from '../errors';
import type { PatchFeatures } from '../features';
import type { Matrix } from '../matrix';
import { tokensOfOne } from './discovery';

/** Inner products of all pairs of `size` patches. */
export interface PatchProducts {
  readonly size: number;
  /** The product of patches i and j <= i, at `i (i + 1) / 2 + j`. */
  readonly lower: Float64Array;
}

/** Rows of one side of a tile, and of a block that stays in the processor's cache. */
const TILE = 4;
const BLOCK = 32;
/** Whose products fill a gigabyte. */
const MOST_PATCHES = 16_384;

/**
 * Give them to `tokenCut` and `lost` on the same features, which would both compute them otherwise.
 *
 * @throws EvalsError `features` for what are no features of one picture, or of one too large
 */
export function patchProducts(features: PatchFeatures): PatchProducts {
  const tokens = tokensOfOne('patchProducts', features);
  const size = tokens.rows;
  if (size > MOST_PATCHES) {
    const most = `their products would fill gigabytes; give a picture of at most ${MOST_PATCHES} patches`;
    throw new EvalsError('features', `patchProducts: the picture has ${size} patches, and ${most}`);
  }
  const rows = paddedRows(tokens);
  const lower = new Float64Array((size * (size + 1)) / 2);
  const tile = new Float64Array(TILE * TILE);
  for (let block = 0; block < size; block += BLOCK) {
    for (let i = block; i < size; i += TILE) {
      for (let j = block; j <= i && j < block + BLOCK; j += TILE) {
        productTile(rows, tokens.cols, i, j, tile);
        for (let a = i; a < Math.min(i + TILE, size); a++) {
          for (let b = j; b <= Math.min(j + TILE - 1, a); b++)
            lower[(a * (a + 1)) / 2 + b] = tile[(a - i) * TILE + b - j]!;
        }
      }
    }
  }
  return { size, lower };
}

/** The products that were given, checked to belong to so many patches, or computed. */
export function productsOf(what: string, features: PatchFeatures, given: PatchProducts | undefined): PatchProducts {
  const { rows } = tokensOfOne(what, features);
  if (given === undefined) return patchProducts(features);
  const fits =
    given.size === rows && given.lower instanceof Float64Array && given.lower.length === (rows * (rows + 1)) / 2;
  if (fits) return given;
  const problem = valueProblem('products.size', given.size, 'number') ?? `products are of ${given.size} patches`;
  throw new EvalsError('options', `${what}: ${problem}, the features of ${rows}; give patchProducts of these features`);
}

/** 1 / length of each patch; a zero patch has none, so that its cosines are 0. */
export function inverseLengths({ size, lower }: PatchProducts): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => {
    const squares = lower[(i * (i + 1)) / 2 + i]!;
    return squares > 0 ? 1 / Math.sqrt(squares) : 0;
  });
}

/** Row `i` of the full symmetric matrix, `[size]`. */
export function productRow({ size, lower }: PatchProducts, i: number): Float64Array {
  const row = new Float64Array(size);
  const begin = (i * (i + 1)) / 2;
  row.set(lower.subarray(begin, begin + i + 1));
  for (let j = i + 1; j < size; j++) row[j] = lower[(j * (j + 1)) / 2 + i]!;
  return row;
}

function paddedRows({ data, rows, cols }: Matrix): Float64Array {
  const padded = new Float64Array(Math.ceil(rows / TILE) * TILE * cols);
  padded.set(data);
  return padded;
}

/** Products of rows i .. i + 3 with rows j .. j + 3, `[4, 4]`. */
function productTile(rows: Float64Array, cols: number, i: number, j: number, tile: Float64Array): void {
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
  const [a0, b0] = [i * cols, j * cols];
  for (let k = 0; k < cols; k++) {
    const a = a0 + k;
    const b = b0 + k;
    const x0 = rows[a]!;
    const x1 = rows[a + cols]!;
    const x2 = rows[a + 2 * cols]!;
    const x3 = rows[a + 3 * cols]!;
    const y0 = rows[b]!;
    const y1 = rows[b + cols]!;
    const y2 = rows[b + 2 * cols]!;
    const y3 = rows[b + 3 * cols]!;
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
  tile.set([s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33]);
}
