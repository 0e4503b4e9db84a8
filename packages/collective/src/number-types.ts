/** The types that are exchanged, by the name of their typed array; f16 and bf16 have no type that every MPI knows. */
import type { Numbers } from './communicator';

export const NUMBER_TYPES = ['Float32Array', 'Float64Array', 'Int32Array', 'Uint32Array', 'Uint8Array'] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/** A `Buffer` is a `Uint8Array`; undefined for what cannot be exchanged. */
export function numberType(values: unknown): NumberType | undefined {
  const tag = Object.prototype.toString.call(values).slice(8, -1);
  return ArrayBuffer.isView(values) ? NUMBER_TYPES.find((type) => type === tag) : undefined;
}

export const isFloat = (type: NumberType): boolean => type.startsWith('Float');

const CONSTRUCTORS = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const;

/** `length` values of the type of `like` at the beginning of `memory`. */
export function viewAs<T extends Numbers>(like: T, memory: ArrayBuffer, length: number): T {
  return new CONSTRUCTORS[numberType(like)!](memory, 0, length) as T;
}
