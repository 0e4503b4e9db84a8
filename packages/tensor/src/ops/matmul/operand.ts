/**
 * How matmul kernels read their operands. A matrix of either layout is read four consecutive elements at a time: along k where k is its
 * contiguous dimension (A [M, K], B [N, K]), along its own free dimension otherwise (A [K, M], B [K, N]). So no layout is ever transposed
 * or packed. Reads past the free dimension return some element of the matrix (their products are not stored), reads past K return zero.
 * An operand may also be a window over images (see `window.ts`).
 */
import type { Tensor } from '../../graph/op';
import { elementType, type KernelBuilder } from '../../kernels/kernel-builder';
import { type Window, windowIndex, writeWindow } from './window';

export interface Operand {
  readonly name: 'A' | 'B';
  readonly tensor: Tensor;
  /** Whether k is the contiguous dimension. */
  readonly alongK: boolean;
  /** Size of the free dimension: M of A, N of B. */
  readonly free: number;
  readonly K: number;
  /** Elements between batches. */
  readonly stride: number;
  /** What the matrix shows of `tensor`, where it is not that itself: [pixels, taps x channels], k or the free dimension being the pixels. */
  readonly window?: Window;
}

/** Whether whole vec4 of the matrix can be loaded: its contiguous dimension, or the channels of its images, are a multiple of 4. */
const isVectorised = ({ alongK, free, K, window }: Operand): boolean =>
  (window ? window.image[3]! : alongK ? K : free) % 4 === 0;

/** Index in the tensor of an element of the matrix; undefined where that is zero. */
export const operandIndex = (
  { alongK, free, K, stride, window }: Operand,
  z: number,
  at: number,
  k: number,
): number | undefined => {
  if (window) return alongK ? windowIndex(window, at, k) : windowIndex(window, k, at);
  return z * stride + (alongK ? at * K + k : k * free + at);
};

/** Loads of an operand in a kernel with a loop over k. */
export interface LoopLoad {
  /** WGSL of the four elements at an index along the free dimension that is the same in every step, and k. */
  load(free: string, k: string): string;
  /** Statements before the loop, when all loads are written. */
  before(): string;
}

/** Of a window, what belongs to the free dimension is worked out before the loop. */
export function loopLoad({ name, window }: Operand): LoopLoad {
  const places = new Map<string, string>();
  const placeOf = (free: string): string => {
    const place = places.get(free) ?? `place${name}${places.size}`;
    places.set(free, place);
    return place;
  };
  return {
    load: (free, k) => (window ? `loadAt${name}(${placeOf(free)}, ${k})` : `load${name}(z, ${free}, ${k})`),
    before: () => [...places].map(([free, place]) => `let ${place} = place${name}(${free});`).join('\n  '),
  };
}

/**
 * Binds the operand and returns the WGSL of `fn load<name>(z: u32, free: u32, k: u32) -> vec4<f32>`. The index along the contiguous
 * dimension must be a multiple of 4. `tail`: k may run past K.
 */
export function writeLoad(k: KernelBuilder, operand: Operand, tail: boolean): string {
  if (operand.window) return writeWindowLoad(k, operand, operand.window);
  const { name, tensor, alongK, stride } = operand;
  const unit = isVectorised(operand) ? 4 : 1;
  const matrix = k.read(tensor, elementType(tensor, unit));
  const K = k.uniform(operand.K);
  const free = k.uniform(operand.free);
  const [outer, inner] = alongK
    ? [`min(free, ${free} - 1u)`, 'k']
    : [tail ? `min(k, ${K} - 1u)` : 'k', `min(free, ${free} - ${unit}u)`];
  const rowLength = k.uniform((alongK ? operand.K : operand.free) / unit);
  const row = `z * ${k.uniform(stride / unit)} + ${outer} * ${rowLength}`;
  const orZero = (value: string, zero: string, index: string): string =>
    tail ? `select(${zero}, ${value}, ${index} < ${K})` : value;
  const element = (j: number): string =>
    alongK
      ? orZero(`f32(${matrix}[row + min(k + ${j}u, ${K} - 1u)])`, 'f32()', `k + ${j}u`)
      : orZero(`f32(${matrix}[row + min(free + ${j}u, ${free} - 1u)])`, 'f32()', 'k');
  const vectorColumn = alongK && tail ? `min(k, ${K} - 4u)` : inner;
  const value =
    unit === 4
      ? orZero(`vec4<f32>(${matrix}[row + ${vectorColumn} / 4u])`, 'vec4<f32>()', 'k')
      : `vec4<f32>(${[0, 1, 2, 3].map(element).join(', ')})`;
  return `fn load${name}(z: u32, free: u32, k: u32) -> vec4<f32> {\n  let row = ${row};\n  return ${value};\n}`;
}

function writeWindowLoad(k: KernelBuilder, operand: Operand, window: Window): string {
  const { name, tensor } = operand;
  const width = isVectorised(operand) ? 4 : 1;
  const join = (parts: readonly string[]): string =>
    width === 4 ? `vec4<f32>(${parts[0]})` : `vec4<f32>(${parts.map((part) => `f32(${part})`).join(', ')})`;
  const unit = { type: elementType(tensor, width), width, parts: 4 / width, result: 'vec4<f32>', join };
  return `${writeWindow(k, operand, window, unit)}
fn load${name}(z: u32, free: u32, k: u32) -> vec4<f32> { return loadAt${name}(place${name}(free), k); }`;
}
