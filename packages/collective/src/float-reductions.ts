/**
 * Reductions that MPI does not have, or leaves open: the maximum of floats where one is NaN, which must not be lost, and
 *
 *   logSumExp(x)_i = t + log(1 + sum_(r != argmax) exp(x_ri - t)),   t = max_r x_ri
 *
 * in f64, in the order of the ranks. The largest term is 1 without any exp. All -Infinity stays so, Infinity too, and NaN is passed on.
 */

type Floats = Float32Array | Float64Array;

/** `values` [size, n] to its first n: the maximum over the ranks. */
export function maxOfRanks(values: Floats, size: number): void {
  const n = values.length / size;
  for (let i = 0; i < n; i++) values[i] = maxAt(values, size, n, i);
}

/** `values` [size, n] to its first n: log sum_r exp(x_r). */
export function logSumExpOfRanks(values: Floats, size: number): void {
  const n = values.length / size;
  for (let i = 0; i < n; i++) {
    const top = maxAt(values, size, n, i);
    values[i] = Number.isFinite(top) ? top + Math.log1p(restAt(values, [size, n, i], top)) : top;
  }
}

function maxAt(values: Floats, size: number, n: number, i: number): number {
  let top = values[i]!;
  for (let rank = 1; rank < size; rank++) top = Math.max(top, values[rank * n + i]!);
  return top;
}

function restAt(values: Floats, [size, n, i]: readonly [number, number, number], top: number): number {
  let rest = 0;
  let skipped = false;
  for (let rank = 0; rank < size; rank++) {
    const value = values[rank * n + i]!;
    if (value === top && !skipped) skipped = true;
    else rest += Math.exp(value - top);
  }
  return rest;
}
