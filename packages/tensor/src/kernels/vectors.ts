/** WGSL of vectors of four, and of the scalar in their place where rows do not divide: type, sum, maximum, dot. */

/** The type that floats are computed in. */
export const floatType = (width: 1 | 4): string => (width === 4 ? 'vec4<f32>' : 'f32');

/** The sum of the elements of `v`. */
export const flatSum = (v: string, width: 1 | 4): string => (width === 4 ? `dot(${v}, vec4<f32>(1.0))` : v);

/** The largest element of `v`. */
export const flatMax = (v: string, width: 1 | 4): string =>
  width === 4 ? `max(max(${v}.x, ${v}.y), max(${v}.z, ${v}.w))` : v;

/** The sum of the products of elements. */
export const flatDot = (a: string, b: string, width: 1 | 4): string =>
  width === 4 ? `dot(${a}, ${b})` : `${a} * ${b}`;
