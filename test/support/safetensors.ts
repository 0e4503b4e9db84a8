/**
 * A second, independent reader of safetensors files, for tests only: what it says about a file must not depend on the
 * code under test. 8-byte little-endian header length, JSON header, raw little-endian data. Everything is copied out,
 * so alignment does not matter.
 */
import { readFileSync } from 'node:fs';

/** One tensor of a file: F16 is widened to f32, I64 becomes exact f64 numbers, BOOL is 0/1 bytes. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export interface StoredTensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

export function readSafetensors(path: string): StoredTensors {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength));
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(entries as Record<string, HeaderEntry>)) {
    const [begin, end] = entry.data_offsets;
    // Uint8Array.from copies to offset 0 of a fresh buffer, which the typed arrays below need.
    const bytes = Uint8Array.from(file.subarray(8 + headerLength + begin, 8 + headerLength + end));
    const data = decode(entry.dtype, bytes);
    const size = entry.shape.reduce((product, extent) => product * extent, 1);
    if (data.length !== size) throw new Error(`${path}: ${name} has ${data.length} values, its shape needs ${size}`);
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, data });
  }
  return { metadata, tensors };
}

function decode(dtype: string, bytes: Uint8Array): StoredTensor['data'] {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer);
    case 'F16':
      return Float32Array.from(new Uint16Array(bytes.buffer), halfToNumber);
    case 'I32':
      return new Int32Array(bytes.buffer);
    case 'I64':
      return Float64Array.from(new BigInt64Array(bytes.buffer), exactNumber);
    case 'U8':
    case 'BOOL':
      return bytes;
    default:
      throw new Error(`the test reader does not know dtype ${dtype}`);
  }
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function exactNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`${value} is not exact as a number`);
  return number;
}
