/** Numbers to run a kernel on where only its speed and its rounding matter: a short block, over and over, written by the device itself. */
import { BYTES_PER_ELEMENT, type DType, decode, encode } from '../base/dtype';
import { roundUp } from '../base/whole-numbers';
import type { ElementAt } from '../graph/op';
import { GPU_BUFFER_USAGE } from './flags';
import type { Gpu } from './gpu';

/** A prime, so that no row of a matrix repeats another. */
const PERIOD = 4093;
/** Elements that are uploaded: a multiple of the period, and of whole words whatever the type. */
const UPLOADED = 64 * PERIOD;

/** The numbers of one period, in [-1, 1). */
function period(seed: number): Float32Array {
  let state = seed + 1;
  return Float32Array.from({ length: PERIOD }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** What `fillWithNoise` writes, as the device reads it. */
export function noiseAt(seed: number, dtype: DType): ElementAt {
  const values = decode(encode(period(seed), dtype).buffer, dtype, PERIOD);
  return (index) => values[index % PERIOD]!;
}

export interface NoiseOptions {
  /** Elements to fill, the first ones. */
  readonly count: number;
  readonly dtype: DType;
  readonly seed: number;
  /** A type that holds every number, such as f16 for numbers that are stored as f32 (default: `dtype`). */
  readonly exactIn?: DType;
}

/** Fills a buffer. */
export function fillWithNoise(
  gpu: Gpu,
  buffer: GPUBuffer,
  { count, dtype, seed, exactIn = dtype }: NoiseOptions,
): void {
  const { queue } = gpu.device;
  const values = decode(encode(period(seed), exactIn).buffer, exactIn, PERIOD);
  const first = encode(
    Float32Array.from({ length: Math.min(count, UPLOADED) }, (_, i) => values[i % PERIOD]!),
    dtype,
  );
  queue.writeBuffer(buffer, 0, first);
  if (count <= UPLOADED) return;
  const source = gpu.createBuffer('noise', first.length, GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST);
  queue.writeBuffer(source, 0, first);
  const encoder = gpu.device.createCommandEncoder();
  const bytes = roundUp(count * BYTES_PER_ELEMENT[dtype], 4);
  for (let at = first.length; at < bytes; at += first.length)
    encoder.copyBufferToBuffer(source, 0, buffer, at, Math.min(first.length, bytes - at));
  queue.submit([encoder.finish()]);
  gpu.destroyBuffer(source);
}
