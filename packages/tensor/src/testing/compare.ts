/** How far two arrays are apart, and where most: errors are relative to max(1, the largest finite |expected|). */
import { type Shape, showShape, sizeOf, stridesOf } from '../base/shape';

export interface Worst {
  readonly error: number;
  /** Flat index of the worst element. */
  readonly at: number;
}

/** The worst element; its error is infinite where either has a NaN or an infinity that the other lacks. Lengths must agree. */
export function worstOf(actual: ArrayLike<number>, expected: ArrayLike<number>): Worst {
  let scale = 1;
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(expected[i]!);
    if (size > scale && size < Number.POSITIVE_INFINITY) scale = size;
    const difference = Object.is(actual[i], expected[i]) ? 0 : Math.abs(actual[i]! - expected[i]!);
    if (difference <= worst) continue;
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    at = i;
  }
  return { error: worst / scale, at };
}

/** max|actual - expected| over max(1, max|expected|); infinite if lengths differ, or if either has a NaN that the other lacks. */
export const relativeError = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  actual.length === expected.length ? worstOf(actual, expected).error : Number.POSITIVE_INFINITY;

/** A flat index, and where in the shape that is: `7 = [1, 2]`. */
export function showIndex(at: number, shape: Shape): string {
  const place = stridesOf(shape).map((stride, d) => Math.floor(at / stride) % shape[d]!);
  return `${at} = ${showShape(place)}`;
}

/** Throws unless the values are as many as the shape has elements. */
export function checkLength(what: string, shape: Shape, values: ArrayLike<number>): void {
  if (values.length !== sizeOf(shape))
    throw new Error(
      `${what}: the reference gives ${values.length} values, ${showShape(shape)} has ${sizeOf(shape)} elements`,
    );
}
