/**
 * Division of indices by sizes that are known when a kernel is made. Processors have no vector instruction for it, and a software adapter divides
 * lane by lane. There floor(i / n) is the whole part of (i + 1/2) / n, by a multiplication in f32: (i + 1/2) / n is at least 1 / 2n away from
 * any whole number, and two roundings move it by less as long as i stays below 2^22.
 */
import type { KernelBuilder } from './kernel-builder';

const EXACT_BELOW = 2 ** 22;

export interface IndexDivision {
  /** WGSL of floor(i / n), for the WGSL of an index i without side effects. */
  quotient(i: string): string;
  /** WGSL of i mod n. */
  remainder(i: string): string;
}

/** Division by `n` of indices that are below `bound`. */
export function indexDivision(k: KernelBuilder, n: number, bound: number): IndexDivision {
  const divisor = k.uniform(n);
  if (k.target.family === 'gpu' || bound > EXACT_BELOW)
    return { quotient: (i) => `(${i} / ${divisor})`, remainder: (i) => `(${i} % ${divisor})` };
  const inverse = k.uniformF32(1 / n);
  const quotient = (i: string): string => `u32(i32((f32(i32(${i})) + 0.5) * ${inverse}))`;
  return { quotient, remainder: (i) => `(${i} - ${quotient(i)} * ${divisor})` };
}
