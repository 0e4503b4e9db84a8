/**
 * One array of NumPy read lazily, wherever its bytes lie: ranges of numbers as little-endian row-major elements, texts as strings. An array that is column-major is
 * gathered once, whole, and kept.
 */
import { elementCount, elementSize, type TensorData, viewAs } from '../dtype';
import { CheckpointError } from '../errors';
import type { ElementRange } from '../tensor-source';
import { readStrided } from '../torch/strided';
import type { NpyHeader, ReadBytes } from './npy-header';

/** Row-major elements `[start, end)` of an array of numbers, in their own dtype. */
export function numberReader(
  { shape, elements, fortran, dataStart }: NpyHeader,
  read: ReadBytes,
): (range: ElementRange) => Promise<TensorData> {
  if (elements.kind !== 'numbers') throw new CheckpointError('argument', `an array of ${elements.kind} is no tensor`);
  const { dtype, bigEndian } = elements;
  const width = elementSize(dtype);
  const native = async (start: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await read(dataStart + start, length);
    if (bigEndian) swapBytes(bytes, width);
    return bytes;
  };
  if (!fortran)
    return async ({ start, end }) => viewAs(dtype, (await native(start * width, (end - start) * width)).buffer);
  let whole: Promise<TensorData> | undefined;
  const stride = shape.map((_, axis) => shape.slice(0, axis).reduce((product, extent) => product * extent, 1));
  return async ({ start, end }) => {
    whole ??= readStrided(native, { dtype, shape, offset: 0, stride }, { start: 0, end: elementCount(shape)! });
    return (await whole).slice(start, end);
  };
}

function swapBytes(bytes: Uint8Array<ArrayBuffer>, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
}

/** All texts of an array, in row-major order; the zeros that fill them up are taken off. */
export async function readTexts(
  { shape, elements, fortran, dataStart }: NpyHeader,
  read: ReadBytes,
): Promise<string[]> {
  if (elements.kind !== 'texts') throw new CheckpointError('argument', `an array of ${elements.kind} has no texts`);
  if (fortran)
    throw new CheckpointError('format', 'texts in columns are not read; save them as a list of one dimension');
  const { bytes: width, encoding, bigEndian } = elements;
  const count = elementCount(shape)!;
  const bytes = await read(dataStart, count * width);
  if (encoding === 'utf-32' && bigEndian) swapBytes(bytes, 4);
  const decode = encoding === 'utf-32' ? fromUtf32 : fromUtf8;
  return Array.from({ length: count }, (_, i) => decode(bytes.subarray(i * width, (i + 1) * width)));
}

function fromUtf32(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, true);
    if (point === 0) break;
    text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  }
  return text;
}

function fromUtf8(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
