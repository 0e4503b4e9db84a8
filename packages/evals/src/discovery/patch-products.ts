/**
 * Inner products of all pairs of patches of one picture, the part of object discovery that costs most: N^2 D / 2
 * multiplications. They are sums in f64 of the f32 features, for pairs (i, j <= i) only, four rows times four rows at a
 * time so that a loaded number serves four products. Cosines come from them by the lengths of the rows.
 */
import { valueProblem } from '@franca/tensor';
import { type Packed, packedProducts, packRows } from '../backend/packed';
import { EvalsError } from '../errors';
import type { PatchFeatures } from '../features';
import { tokensOfOne } from './discovery';

/** Inner products of all pairs of `size` patches. */
export interface PatchProducts {
  readonly size: number;
  /** The product of patches i and j <= i, at `i (i + 1) / 2 + j`. */
  readonly lower: Float64Array;
}

/** Rows of a block that stays in the processor's cache; a multiple of a panel's four. */
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
  const panels = packRows(tokens.data, tokens.cols);
  const rowsOf = (from: number): Packed => {
    const count = Math.min(BLOCK, size - from);
    return { ...panels, count, data: panels.data.subarray(from * tokens.cols) };
  };
  const lower = new Float64Array((size * (size + 1)) / 2);
  const block = new Float64Array(BLOCK * BLOCK);
  for (let top = 0; top < size; top += BLOCK) {
    for (let left = 0; left <= top; left += BLOCK) {
      const [rows, columns] = [rowsOf(top), rowsOf(left)];
      packedProducts(rows, columns, block);
      for (let a = 0; a < rows.count; a++) {
        const i = top + a;
        const products = block.subarray(a * columns.count, a * columns.count + Math.min(columns.count, i - left + 1));
        lower.set(products, (i * (i + 1)) / 2 + left);
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
