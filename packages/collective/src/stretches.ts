/**
 * How a sum is shared out: rank r reduces the values r m .. (r + 1) m - 1, where m is n / size rounded up to whole cache lines, so that the last
 * ranks may have less or nothing. Elements do not mix, so the bits do not depend on where the cuts are.
 */

export interface Stretches {
  /** Values of each rank, and where they begin: what MPI calls counts and displacements. */
  readonly counts: Int32Array;
  readonly starts: Int32Array;
}

/** 16 values of four bytes are a cache line. */
const LINE = 16;

/** `n` values over `size` ranks. */
export function stretchesOf(n: number, size: number): Stretches {
  return cut(n, size, Math.ceil(n / size / LINE) * LINE);
}

/** Exactly `each` values for all of `size` ranks. */
export const equalStretches = (each: number, size: number): Stretches => cut(each * size, size, each);

function cut(n: number, size: number, each: number): Stretches {
  const starts = Int32Array.from({ length: size }, (_, rank) => Math.min(n, rank * each));
  const counts = starts.map((start, rank) => (starts[rank + 1] ?? n) - start);
  return { counts, starts };
}
