/**
 * Products to nearly f64 from products in f32: each operand is cut into slices so short that sums of their products are exact.
 *
 * A number of at most 1 is `h + m + l`: `h` the nearest multiple of `2^-b`, `m` of what is left the nearest multiple of `2^-2b`, and `l` the rest in f32. A sum of
 * `K` products of two such slices is a whole number of `2^-2b` (or `2^-3b`) that f32 holds exactly, in any order, where `K 2^2b <= 2^24`. So of
 *
 *   (h + m + l)(h' + m' + l') = h h' + (h m' + m h') + (h l' + m (m' + l') + l (h' + m' + l'))
 *
 * the first two terms are exact and the third, smaller by `2^-2b`, is rounded to f32: together `2^-24 - 2b`. The three are added in f64. Nothing depends on how a
 * device contracts or reorders operations, as with sums of two f32.
 *
 * Source: Ozaki et al., Error-free transformations of matrix multiplication (2012).
 */
type Numbers = Float32Array | Float64Array;

/** `h`, `m`, `l` of an operand, all of its layout. */
export interface Slices {
  readonly high: Float32Array;
  readonly middle: Float32Array;
  readonly low: Float32Array;
}

/** Bits of a slice for sums of `length` products. */
export const sliceBits = (length: number): number => Math.floor((24 - Math.ceil(Math.log2(length))) / 2);

/** The smallest power of two that is no less than `magnitude`, in the range of f32; 1 for 0. */
export function powerAbove(magnitude: number): number {
  if (magnitude === 0) return 1;
  const power = 2 ** Math.max(-100, Math.ceil(Math.log2(magnitude)));
  return power < magnitude ? 2 * power : power;
}

/** Cuts `source` `[rows, cols]` times `scales` `[cols]`, powers of two that bring every element to 1 at most, into `into`. */
export function cut(source: Numbers, scales: ArrayLike<number>, bits: number, { high, middle, low }: Slices): void {
  const cols = scales.length;
  const [unit, finer] = [2 ** bits, 4 ** bits];
  for (let at = 0; at < source.length; at += cols) {
    for (let c = 0; c < cols; c++) {
      const value = source[at + c]! * scales[c]!;
      const h = Math.round(value * unit) / unit;
      const m = Math.round((value - h) * finer) / finer;
      high[at + c] = h;
      middle[at + c] = m;
      low[at + c] = value - h - m;
    }
  }
}

/** Slices of `length` zeros. */
export const emptySlices = (length: number): Slices => ({
  high: new Float32Array(length),
  middle: new Float32Array(length),
  low: new Float32Array(length),
});
