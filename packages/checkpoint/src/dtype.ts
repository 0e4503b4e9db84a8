/**
 * Element types of stored tensors and their typed arrays. JavaScript has no array for f16 (before Node 24) nor for bf16:
 * both are kept as their raw 16 bits in a Uint16Array, and `toFloat32` widens them, which is exact.
 */
import { getFloat16 } from '@petamoriken/float16';
import { kindOf } from './arguments';
import { CheckpointError, describe } from './errors';

/** Element type of a stored tensor; bool is one byte, 0 or 1. */
export type Dtype =
  | 'bool'
  | 'u8'
  | 'i8'
  | 'u16'
  | 'i16'
  | 'f16'
  | 'bf16'
  | 'u32'
  | 'i32'
  | 'f32'
  | 'u64'
  | 'i64'
  | 'f64';

/** Stored elements in their own width: raw bits for f16 and bf16, bytes for bool. */
export type TensorData =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

const arrayOf: Record<
  Dtype,
  { new (buffer: ArrayBuffer): TensorData; readonly name: string; readonly BYTES_PER_ELEMENT: number }
> = {
  bool: Uint8Array,
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
};

/** Names of all element types. */
export const DTYPES: readonly string[] = [
  'bool',
  'u8',
  'i8',
  'u16',
  'i16',
  'f16',
  'bf16',
  'u32',
  'i32',
  'f32',
  'u64',
  'i64',
  'f64',
];

/** Bytes of one element. @throws CheckpointError `argument` for what is no dtype */
export function elementSize(dtype: Dtype): number {
  return arrayFor(dtype).BYTES_PER_ELEMENT;
}

function arrayFor(dtype: Dtype): (typeof arrayOf)[Dtype] {
  if (isDtype(dtype)) return arrayOf[dtype];
  throw new CheckpointError('argument', `there is no dtype ${describe(dtype)}; there are ${DTYPES.join(', ')}`);
}

/** Whether `name` is a dtype of this package. */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(arrayOf, name);
}

/** Number of elements of a shape (1 for a scalar), or undefined where it is not an exact integer. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const extent of shape) count *= extent;
  return Number.isSafeInteger(count) ? count : undefined;
}

/** Views little-endian bytes as elements of `dtype`, without a copy. */
export function viewAs(dtype: Dtype, bytes: ArrayBuffer): TensorData {
  return new arrayOf[dtype](bytes);
}

/**
 * Elements as f32: exact for f16, bf16, bool and 8/16-bit integers; rounded to nearest for the wider types.
 * @throws CheckpointError `argument` for what is no dtype, or data of another one
 */
export function toFloat32(dtype: Dtype, data: TensorData): Float32Array<ArrayBuffer> {
  const expected = arrayFor(dtype).name;
  const given = Object.prototype.toString.call(data).slice(8, -1);
  if (given !== expected)
    throw new CheckpointError('argument', `the elements of ${dtype} lie in a ${expected}; ${kindOf(data)} was given`);
  if (dtype === 'bf16') return widenBf16(data as Uint16Array);
  if (dtype === 'f16') return widenF16(data as Uint16Array);
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const out = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
    return out;
  }
  return new Float32Array(data);
}

/** bf16 is the upper half of an f32. */
function widenBf16(data: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = data[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** A plain loop: `Float32Array.from` with a function walks through an iterator, which takes a hundred times as long. */
function widenF16(data: Uint16Array): Float32Array<ArrayBuffer> {
  const table = halfTable();
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = table[data[i]!]!;
  return out;
}

let halves: Float32Array | undefined;

/** The f32 value of every one of the 65,536 half bit patterns; a look-up is some 50 times faster than a conversion. */
function halfTable(): Float32Array {
  if (halves) return halves;
  const bits = new DataView(new ArrayBuffer(2));
  halves = new Float32Array(65536);
  for (let i = 0; i < 65536; i++) {
    bits.setUint16(0, i, true);
    halves[i] = getFloat16(bits, 0, true);
  }
  return halves;
}
