/** Bilinear enlargement of one map with its corners staying where they are: output i of n reads at i (m - 1) / (n - 1) of m. */
import type { Extent } from '../numerics/bilinear';

/** A function that resizes maps `[from]` to `[to]`. */
export function bilinearCorners(from: Extent, to: Extent): (map: ArrayLike<number>) => Float64Array {
  const place = (i: number, m: number, n: number) => {
    const at = n > 1 ? (i * (m - 1)) / (n - 1) : 0;
    const low = Math.min(Math.floor(at), m - 1);
    return { low, high: Math.min(low + 1, m - 1), weight: at - low };
  };
  const rows = Array.from({ length: to[0] }, (_, i) => place(i, from[0], to[0]));
  const columns = Array.from({ length: to[1] }, (_, i) => place(i, from[1], to[1]));
  return (map) => {
    const along = (row: number, { low, high, weight }: (typeof columns)[number]): number =>
      map[row * from[1] + low]! * (1 - weight) + map[row * from[1] + high]! * weight;
    const out = new Float64Array(to[0] * to[1]);
    for (const [i, { low, high, weight }] of rows.entries())
      for (const [j, column] of columns.entries())
        out[i * to[1] + j] = along(low, column) * (1 - weight) + along(high, column) * weight;
    return out;
  };
}
