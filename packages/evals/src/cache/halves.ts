/**
 * Numbers in 16 bits: binary16 of IEEE 754, five bits of exponent and eleven of significand, rounded to nearest, ties to even.
 *
 * The bits of an f32 are moved: its exponent is biased by 127 and that of a half by 15, its significand is 13 bits longer. Adding one less than
 * half of what is cut off, and the last bit that stays, before cutting rounds to nearest even, and a carry into the exponent is the right one.
 * Below 2^-14 halves have a fixed spacing of 2^-24. Widening is `toFloat32` of @franca/checkpoint.
 */

/** Bits of the f32 where halves end, and where their spacing becomes fixed. */
const INFINITY = 0x7f800000;
const BEYOND = 0x47800000; // 2^16
const FIXED_SPACING = 0x38800000; // 2^-14
const NOTHING = 0x33000000; // 2^-25, of which the half is 0

/** The bits of `values` as halves; a finite number from 65520 on has none, and its index is given to `onOverflow`. */
export function toHalves(values: Float32Array, onOverflow: (index: number) => void): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const magnitude = word & 0x7fffffff;
    const half = magnitudeOf(magnitude);
    if (half === 0x7c00 && magnitude < INFINITY) onOverflow(i);
    halves[i] = ((word >>> 16) & 0x8000) | half;
  }
  return halves;
}

function magnitudeOf(bits: number): number {
  if (bits > INFINITY) return 0x7e00;
  if (bits >= BEYOND) return 0x7c00;
  if (bits >= FIXED_SPACING) return (bits + 0xfff + ((bits >>> 13) & 1) - 0x38000000) >>> 13;
  if (bits < NOTHING) return 0;
  const cut = 126 - (bits >>> 23);
  const significand = (bits & 0x7fffff) | 0x800000;
  return (significand + (1 << (cut - 1)) - 1 + ((significand >>> cut) & 1)) >>> cut;
}
