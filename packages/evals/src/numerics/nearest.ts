/**
 * Nearest-neighbour resampling of label maps, by two rules: labels are names, not quantities, so they are never interpolated.
 *
 * `resizeLabels`: output `i` copies source `floor(i * in / out)` on each axis, torch's `mode='nearest'`. `resizeLabelsByCentre`: it copies
 * `floor((i + 0.5) * in / out)`, what lies under its centre, as PIL does and torch's `nearest-exact`. Where a centre lies on an edge between two
 * sources, the sum of steps in f64 decides, as in PIL.
 */
import type { Extent } from './bilinear';

export function resizeLabels<T extends Uint8Array | Int32Array>(labels: T, from: Extent, to: Extent): T {
  const out = labels.slice(0, 0).constructor as new (length: number) => T;
  const resized = new out(to[0] * to[1]);
  for (let i = 0; i < to[0]; i++) {
    const row = Math.floor((i * from[0]) / to[0]) * from[1];
    for (let j = 0; j < to[1]; j++) resized[i * to[1] + j] = labels[row + Math.floor((j * from[1]) / to[1])]!;
  }
  return resized;
}

export function resizeLabelsByCentre(labels: Uint8Array, from: Extent, to: Extent): Uint8Array {
  const [rows, columns] = [underCentres(from[0], to[0]), underCentres(from[1], to[1])];
  const resized = new Uint8Array(to[0] * to[1]);
  for (let i = 0; i < to[0]; i++) {
    const row = rows[i]! * from[1];
    for (let j = 0; j < to[1]; j++) resized[i * to[1] + j] = labels[row + columns[j]!]!;
  }
  return resized;
}

/** The source under the centre of each output. */
export function underCentres(input: number, output: number): Int32Array {
  const step = input / output;
  const sources = new Int32Array(output);
  let position = 0.5 * step;
  for (let i = 0; i < output; i++, position += step) sources[i] = Math.min(Math.floor(position), input - 1);
  return sources;
}
