/**
 * How matmul kernels read their operands. A matrix of either layout is read four consecutive elements at a time: along k where k is its
 * contiguous dimension (A [M, K], B [N, K]), along its own free dimension otherwise (A [K, M], B [K, N]). So no layout is ever transposed
 * or packed. Reads past the free dimension return some element of the matrix (their products are not stored), reads past K return zero.
 */
import type { Tensor } from '../../graph/op';
import { elementType, type KernelBuilder } from '../../kernels/kernel-builder';

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
}

/** Whether whole vec4 of the matrix can be loaded: its contiguous dimension holds a multiple of 4. */
const isVectorised = ({ alongK, free, K }: Operand): boolean => (alongK ? K : free) % 4 === 0;

/**
 * Binds the operand and returns the WGSL of `fn load<name>(z: u32, free: u32, k: u32) -> vec4<f32>`. The index along the contiguous
 * dimension must be a multiple of 4. `tail`: k may run past K.
 */
export function writeLoad(k: KernelBuilder, operand: Operand, tail: boolean): string {
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
