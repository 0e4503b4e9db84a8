/** Whole numbers: counting from zero, and rounding up to a multiple. */

/** 0, 1, .., count - 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The smallest multiple of `step` that is not below `value`. */
export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;
