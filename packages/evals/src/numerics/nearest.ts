/**
 * Nearest-neighbour resampling of label maps. Output `i` copies source `floor(i * in / out)` on each axis, torch's
 * `mode='nearest'`. Labels are names, not quantities, so they are never interpolated.
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
