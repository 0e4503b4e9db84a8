/**
 * Element types, and numbers to and from the bytes that hold them. Every type is what WGSL can store in a buffer; booleans are `u32` 0 or
 * 1. Floats are computed in f32 whatever they are stored in: f16 is a storage format here, never an arithmetic one.
 */
import { Float16Array } from '@petamoriken/float16';

export type DType = 'f32' | 'f16' | 'i32' | 'u32';

/** The array that values of a type are read into; f16 widens to f32. */
export type ValuesOf<D extends DType> = D extends 'i32' ? Int32Array : D extends 'u32' ? Uint32Array : Float32Array;

export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u32: 4 };

export const isFloat = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f16';

/** The bytes of `values` as a buffer of `dtype` holds them, padded to whole words; floats are rounded to nearest even, integers wrap. */
export function encode(values: ArrayLike<number>, dtype: DType): Uint8Array<ArrayBuffer> {
  if (dtype === 'f16') {
    const padded = new Uint8Array(Math.ceil(values.length / 2) * 4);
    new Float16Array(padded.buffer).set(values);
    return padded;
  }
  const array =
    dtype === 'f32' ? Float32Array.from(values) : dtype === 'i32' ? Int32Array.from(values) : Uint32Array.from(values);
  return new Uint8Array(array.buffer as ArrayBuffer);
}

/** Numbers out of the bytes of a buffer of `dtype`; f16 widens to f32. */
export function decode(bytes: ArrayBuffer, dtype: DType, length: number): Float32Array | Int32Array | Uint32Array {
  if (dtype === 'f16') return Float32Array.from(new Float16Array(bytes, 0, length));
  if (dtype === 'f32') return new Float32Array(bytes, 0, length);
  return dtype === 'i32' ? new Int32Array(bytes, 0, length) : new Uint32Array(bytes, 0, length);
}
