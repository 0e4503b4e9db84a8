import type { LabelledFeatures } from '../src/features';
import type { Matrix } from '../src/matrix';
import { random } from '../src/numerics/random';

/** Standard normal rows. */
export function gaussian(rows: number, cols: number, seed: number): Matrix {
  const draws = random(seed);
  return { data: Float32Array.from({ length: rows * cols }, draws.normal), rows, cols };
}

export type BlobOptions = {
  readonly classes: number;
  readonly perClass: number;
  readonly dim: number;
  readonly noise: number;
  readonly seed: number;
};

/** Items around one random unit-scale centre per class; the centres depend on `classes` and `dim` only. */
export function blobs({ classes, perClass, dim, noise, seed }: BlobOptions): LabelledFeatures {
  const centres = gaussian(classes, dim, 1);
  const draws = random(seed + 1000);
  const labels = Int32Array.from({ length: classes * perClass }, (_, i) => i % classes);
  const cls = Float32Array.from(
    { length: labels.length * dim },
    (_, i) => centres.data[labels[Math.floor(i / dim)]! * dim + (i % dim)]! + noise * draws.normal(),
  );
  return { dim, cls, labels };
}

/** The central difference of `f` at `x` along coordinate `i`. */
export async function centralDifference(
  f: (x: Float64Array) => Promise<number>,
  x: Float64Array,
  i: number,
  h: number,
): Promise<number> {
  const moved = x.slice();
  moved[i] = x[i]! + h;
  const above = await f(moved);
  moved[i] = x[i]! - h;
  return (above - (await f(moved))) / (2 * h);
}
