/**
 * One matrix of bytes out of a MATLAB file (version 5, little endian), as the masks of the Semantic Boundaries Dataset come: field `Segmentation` of the
 * structure `GTcls`.
 *
 * A file is a chain of elements, each a type, a length and so many bytes padded to 8; a compressed element holds one more. A matrix is an element whose
 * parts are its class, sizes and name, then its values, columns first; of a structure, the names of its fields and a matrix for each.
 */
import { inflateSync } from 'node:zlib';
import { DataError } from '@franca/data';
import type { StoredMask } from './read-mask';

const [HEADER_BYTES, MAX_BYTES] = [128, 64 * 2 ** 20];
/** Types of elements. */
const [BYTES, MATRIX, COMPRESSED] = [2, 14, 15];
const STRUCTURE = 2;

interface Element {
  readonly type: number;
  readonly data: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

interface Matrix {
  readonly kind: number;
  readonly sizes: readonly number[];
  /** Elements behind class, sizes and name. */
  readonly rest: readonly Element[];
}

/** @throws DataError `corrupt-image` where the file has no such matrix; `path` names it */
export function readMatMask(bytes: Uint8Array, path: string): StoredMask {
  const fail = (what: string): never => {
    throw new DataError(
      'corrupt-image',
      `${path} ${what}; expected masks of the Semantic Boundaries Dataset (GTcls.Segmentation)`,
    );
  };
  try {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (file.length < HEADER_BYTES || file.toString('latin1', 126, 128) !== 'IM')
      return fail('is no MATLAB file of version 5');
    for (const element of elementsOf(file.subarray(HEADER_BYTES))) {
      const segmentation = fieldOf(matrixOf(element), 'Segmentation');
      if (segmentation) return maskOf(segmentation) ?? fail('has a Segmentation that is no matrix of bytes');
    }
    return fail('has no Segmentation');
  } catch (error) {
    if (
      error instanceof RangeError ||
      (error as NodeJS.ErrnoException).code?.startsWith('Z_') ||
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    )
      return fail(`is damaged (${(error as Error).message})`);
    throw error;
  }
}

/** Elements side by side. @throws RangeError where one ends outside */
function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const element = elementAt(bytes, at);
    elements.push(element);
    at = element.end;
  }
  return elements;
}

function elementAt(bytes: Buffer, at: number): Element {
  const word = bytes.readUInt32LE(at);
  // up to four bytes stand in the tag itself, beside their length
  const small = word >>> 16;
  if (small > 4) throw new RangeError(`a small element of ${small} bytes`);
  const [type, length, from] = small > 0 ? [word & 0xffff, small, at + 4] : [word, bytes.readUInt32LE(at + 4), at + 8];
  if (from + length > bytes.length)
    throw new RangeError(`an element of ${length} bytes where ${bytes.length - from} follow`);
  const end = small > 0 ? at + 8 : from + (type === COMPRESSED ? length : Math.ceil(length / 8) * 8);
  return { type, data: bytes.subarray(from, from + length), end };
}

function matrixOf({ type, data }: Element): Matrix | undefined {
  if (type === COMPRESSED) return matrixOf(elementAt(inflateSync(data, { maxOutputLength: MAX_BYTES }), 0));
  if (type !== MATRIX) return undefined;
  const [flags, sizes, , ...rest] = elementsOf(data);
  if (!flags || !sizes || flags.data.length < 8) return undefined;
  const dimensions = Array.from({ length: sizes.data.length >> 2 }, (_, i) => sizes.data.readInt32LE(4 * i));
  return { kind: flags.data[0]!, sizes: dimensions, rest };
}

/** A field of a structure by its name. */
function fieldOf(matrix: Matrix | undefined, name: string): Matrix | undefined {
  if (matrix?.kind !== STRUCTURE) return undefined;
  const [length, names, ...fields] = matrix.rest;
  if (!length || !names || length.data.length < 4) return undefined;
  const each = length.data.readInt32LE(0);
  if (each < 1) return undefined;
  const at = Array.from({ length: Math.floor(names.data.length / each) }, (_, i) =>
    names.data.toString('latin1', i * each, (i + 1) * each).replace(/\0.*$/s, ''),
  ).indexOf(name);
  return fields[at] && matrixOf(fields[at]);
}

/** Columns first become rows first. */
function maskOf({ sizes, rest }: Matrix): StoredMask | undefined {
  const [height = 0, width = 0] = sizes;
  const values = rest[0];
  if (sizes.length !== 2 || values?.type !== BYTES || values.data.length !== height * width || height < 1)
    return undefined;
  const data = new Uint8Array(height * width);
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) data[y * width + x] = values.data[x * height + y]!;
  return { data, height, width };
}
