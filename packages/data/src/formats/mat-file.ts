/**
 * MATLAB files of version 5 to 7, as the devkits of older data sets come: matrices of numbers, text, cells and structures, nested as they like.
 *
 * After a header of 128 bytes a file is a chain of elements, each a type, a length and so many bytes padded to 8; up to four bytes stand in the tag
 * itself, and a compressed element holds one more. A variable is an element whose parts are its class, sizes and name, then its values, columns first; of cells, a
 * matrix each; of a structure, the names of its fields and for each of its records a matrix per field.
 *
 * Nothing is believed: every length must lie within what there is, values must be as many as the sizes say, and what unpacks to more than a budget or nests too
 * deep is refused.
 */

import { inflateSync } from 'node:zlib';
import { checkArgument, DataError } from '../errors';

export type MatArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** A matrix of numbers: `values` columns first, in the type that they are stored in, which is often smaller than their class. */
export interface MatNumbers {
  readonly kind: 'numbers';
  readonly sizes: readonly number[];
  readonly values: MatArray;
}

/** Characters: one text per row. */
export interface MatText {
  readonly kind: 'text';
  readonly rows: readonly string[];
}

/** Values of any kinds, columns first. */
export interface MatCells {
  readonly kind: 'cells';
  readonly sizes: readonly number[];
  readonly cells: readonly MatValue[];
}

/** A structure, or an array of them, columns first: its fields by name. */
export interface MatStructs {
  readonly kind: 'structs';
  readonly sizes: readonly number[];
  readonly records: readonly { readonly [field: string]: MatValue | undefined }[];
}

/** What is there but is not read: sparse and complex matrices, objects, functions. */
export interface MatOther {
  readonly kind: 'other';
  readonly what: string;
}

export type MatValue = MatNumbers | MatText | MatCells | MatStructs | MatOther;

const HEADER_BYTES = 128;
/** What a file may unpack to, how many matrices it may hold, and how many bytes of text, which take many times as much in memory. */
const [MAX_BYTES, MAX_VALUES, MAX_TEXT] = [128 * 2 ** 20, 2 ** 20, 16 * 2 ** 20];
const [MAX_DEPTH, MAX_DIMENSIONS] = [32, 32];

/** Types of elements that are no numbers. */
const [MATRIX, COMPRESSED, UTF8, UTF16, UTF32] = [14, 15, 16, 17, 18];
/** Classes of matrices. */
const [CELL, STRUCTURE, TEXT, OPAQUE] = [1, 2, 4, 17];
const OTHERS: Readonly<Record<number, string>> = { 3: 'an object', 5: 'a sparse matrix', 16: 'a function' };
const COMPLEX = 0x800;

interface Stored {
  readonly bytes: number;
  make(count: number): MatArray;
  get(view: DataView, at: number, little: boolean): number;
}

/** Numbers as elements store them, by type. */
const STORED: Readonly<Record<number, Stored>> = {
  1: { bytes: 1, make: (count) => new Int8Array(count), get: (view, at) => view.getInt8(at) },
  2: { bytes: 1, make: (count) => new Uint8Array(count), get: (view, at) => view.getUint8(at) },
  3: { bytes: 2, make: (count) => new Int16Array(count), get: (view, at, little) => view.getInt16(at, little) },
  4: { bytes: 2, make: (count) => new Uint16Array(count), get: (view, at, little) => view.getUint16(at, little) },
  5: { bytes: 4, make: (count) => new Int32Array(count), get: (view, at, little) => view.getInt32(at, little) },
  6: { bytes: 4, make: (count) => new Uint32Array(count), get: (view, at, little) => view.getUint32(at, little) },
  7: { bytes: 4, make: (count) => new Float32Array(count), get: (view, at, little) => view.getFloat32(at, little) },
  9: { bytes: 8, make: (count) => new Float64Array(count), get: (view, at, little) => view.getFloat64(at, little) },
  12: {
    bytes: 8,
    make: (count) => new Float64Array(count),
    get: (view, at, little) => exact(view.getBigInt64(at, little)),
  },
  13: {
    bytes: 8,
    make: (count) => new Float64Array(count),
    get: (view, at, little) => exact(view.getBigUint64(at, little)),
  },
};

function exact(value: bigint): number {
  if (!Number.isSafeInteger(Number(value))) throw new RangeError(`the number ${value} is too large to be exact`);
  return Number(value);
}

/** One file while it is read. */
interface Reading {
  readonly little: boolean;
  bytesLeft: number;
  valuesLeft: number;
  textLeft: number;
}

interface Element {
  readonly type: number;
  readonly data: Buffer;
}

/** Gives the elements of some bytes one after the other. */
interface Elements {
  /** Whether nothing but padding is left. */
  atEnd(): boolean;
  /** @throws RangeError where none is left, or it ends outside */
  next(): Element;
}

interface Variable {
  readonly name: string;
  readonly value: MatValue;
}

const EMPTY: MatNumbers = { kind: 'numbers', sizes: [0, 0], values: new Float64Array(0) };

/**
 * Reads all variables of a file, in memory.
 * @param name of the file, for messages
 * @throws DataError damaged-file, or unsupported-format for a file of another version
 */
export function readMatFile(bytes: Uint8Array, name: string): { readonly [variable: string]: MatValue | undefined } {
  checkArgument('readMatFile', 'bytes', bytes, 'Uint8Array');
  checkArgument('readMatFile', 'name', name, 'string');
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = file.toString('latin1', 126, 128);
  if (file.toString('latin1', 0, 10) === 'MATLAB 7.3')
    throw new DataError('unsupported-format', `${name} is a MATLAB file of version 7.3; save it with -v7`);
  if (file.length < HEADER_BYTES || (order !== 'IM' && order !== 'MI'))
    throw new DataError('unsupported-format', `${name} is no MATLAB file of version 5 to 7`);
  const reading: Reading = { little: order === 'IM', bytesLeft: MAX_BYTES, valuesLeft: MAX_VALUES, textLeft: MAX_TEXT };
  // fields and variables are named by the file: no name may mean anything
  const variables: Record<string, MatValue> = Object.create(null);
  try {
    const elements = elementsOf(file.subarray(HEADER_BYTES), reading);
    while (!elements.atEnd()) {
      const variable = variableOf(elements.next(), reading, 0);
      variables[variable.name] = variable.value;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof RangeError || code?.startsWith('Z_'))
      throw new DataError('damaged-file', `${name} is damaged (${(error as Error).message})`, { cause: error });
    throw error;
  }
  return variables;
}

function elementsOf(bytes: Buffer, { little }: Reading): Elements {
  let at = 0;
  const word = (offset: number): number => (little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
  return {
    atEnd: () => at >= bytes.length,
    next: () => {
      if (at + 8 > bytes.length)
        throw new RangeError(`an element begins where ${Math.max(0, bytes.length - at)} bytes follow`);
      const tag = word(at);
      const small = tag >>> 16;
      if (small > 4) throw new RangeError(`a small element of ${small} bytes`);
      const [type, length, from] = small > 0 ? [tag & 0xffff, small, at + 4] : [tag, word(at + 4), at + 8];
      if (from + length > bytes.length)
        throw new RangeError(`an element of ${length} bytes where ${bytes.length - from} follow`);
      at = small > 0 ? at + 8 : from + (type === COMPRESSED ? length : Math.ceil(length / 8) * 8);
      return { type, data: bytes.subarray(from, from + length) };
    },
  };
}

/** A named matrix, unpacked where it has to be. */
function variableOf(element: Element, reading: Reading, depth: number): Variable {
  if (depth > MAX_DEPTH) throw new RangeError(`values nest deeper than ${MAX_DEPTH}`);
  if (element.type === COMPRESSED) {
    const data = unpacked(element.data, reading);
    return variableOf(elementsOf(data, reading).next(), reading, depth + 1);
  }
  if (element.type !== MATRIX) throw new RangeError(`an element of type ${element.type} where a matrix is expected`);
  return matrixOf(element.data, reading, depth);
}

function unpacked(data: Buffer, reading: Reading): Buffer {
  try {
    const bytes = inflateSync(data, { maxOutputLength: Math.max(1, reading.bytesLeft) });
    reading.bytesLeft -= bytes.length;
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new RangeError(`it unpacks to more than ${MAX_BYTES} bytes`);
  }
}

function matrixOf(data: Buffer, reading: Reading, depth: number): Variable {
  if (--reading.valuesLeft < 0) throw new RangeError(`it holds more than ${MAX_VALUES} values`);
  if (data.length === 0) return { name: '', value: EMPTY };
  const elements = elementsOf(data, reading);
  const flags = integersOf(elements.next(), reading)[0] ?? 0;
  const kind = flags & 0xff;
  if (kind === OPAQUE) return { name: latin1(elements.next()), value: { kind: 'other', what: 'an object' } };
  const sizes = integersOf(elements.next(), reading);
  const name = latin1(elements.next());
  const count = sizes.reduce((product, size) => product * size, 1);
  if (sizes.length < 2 || sizes.length > MAX_DIMENSIONS || sizes.some((size) => size < 0))
    throw new RangeError(`a matrix of sizes ${sizes.slice(0, MAX_DIMENSIONS).join(' x ')}`);
  const what = OTHERS[kind] ?? (flags & COMPLEX ? 'a complex matrix' : undefined);
  if (what) return { name, value: { kind: 'other', what } };
  const value = contentOf(kind, { elements, sizes, count }, reading, depth);
  if (!elements.atEnd()) throw new RangeError(`a matrix of sizes ${sizes.join(' x ')} holds more than that`);
  return { name, value };
}

interface Contents {
  readonly elements: Elements;
  readonly sizes: readonly number[];
  /** Product of the sizes. */
  readonly count: number;
}

function contentOf(kind: number, { elements, sizes, count }: Contents, reading: Reading, depth: number): MatValue {
  const child = (): MatValue => variableOf(elements.next(), reading, depth + 1).value;
  if (kind === CELL) {
    const cells: MatValue[] = [];
    while (cells.length < count) cells.push(child());
    return { kind: 'cells', sizes, cells };
  }
  if (kind === STRUCTURE) {
    const fields = fieldsOf(integersOf(elements.next(), reading)[0] ?? 0, elements.next(), reading);
    if (fields.length === 0 && count > 1) throw new RangeError(`${count} structures without fields`);
    const records: Record<string, MatValue>[] = [];
    while (records.length < count) {
      const record: Record<string, MatValue> = Object.create(null);
      for (const field of fields) record[field] = child();
      records.push(record);
    }
    return { kind: 'structs', sizes, records };
  }
  if (count === 0 && elements.atEnd()) return kind === TEXT ? { kind: 'text', rows: [] } : { ...EMPTY, sizes };
  if (kind === TEXT) return { kind: 'text', rows: rowsOf(elements.next(), sizes, count, reading) };
  if (kind < 6 || kind > 15) throw new RangeError(`a matrix of the unknown class ${kind}`);
  return { kind: 'numbers', sizes, values: numbersOf(elements.next(), count, reading) };
}

/** Names of `length` bytes each, side by side, filled up with zeros. */
function fieldsOf(length: number, element: Element, reading: Reading): string[] {
  takeText(element, reading);
  const names = latin1(element);
  if (length < 1 && names.length > 0) throw new RangeError(`names of fields of ${length} bytes`);
  return Array.from({ length: Math.floor(names.length / length) || 0 }, (_, at) =>
    names.slice(at * length, (at + 1) * length).replace(/\0.*$/s, ''),
  );
}

function takeText({ data }: Element, reading: Reading): void {
  reading.textLeft -= data.length;
  if (reading.textLeft < 0) throw new RangeError(`it holds more than ${MAX_TEXT} bytes of text`);
}

const latin1 = ({ data }: Element): string => data.toString('latin1');

/** The few integers that describe a matrix. */
const integersOf = (element: Element, reading: Reading): number[] => [
  ...numbersOf(element, Math.floor(Math.min(element.data.length, 8 * MAX_DIMENSIONS) / 4), reading),
];

/** @throws RangeError unless the element holds so many numbers */
function numbersOf({ type, data }: Element, count: number, { little }: Reading): MatArray {
  const stored = STORED[type];
  if (!stored) throw new RangeError(`numbers of the unknown type ${type}`);
  if (data.length !== count * stored.bytes)
    throw new RangeError(`${data.length} bytes where sizes say ${count} numbers of ${stored.bytes}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values = stored.make(count);
  for (let at = 0; at < count; at++) values[at] = stored.get(view, at * stored.bytes, little);
  return values;
}

/** The rows of a matrix of characters, which stands columns first. */
function rowsOf(element: Element, sizes: readonly number[], count: number, reading: Reading): string[] {
  if (count === 0) return [];
  const text = charactersOf(element, count, reading);
  const height = sizes[0]!;
  if (height === 1) return [text.join('')];
  if (text.length !== count) throw new RangeError(`${text.length} characters where sizes say ${count}`);
  const width = count / height;
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => text[column * height + row]).join(''),
  );
}

function charactersOf(element: Element, count: number, reading: Reading): string[] {
  takeText(element, reading);
  if (element.type === UTF8) return [...element.data.toString('utf8')];
  const types: Readonly<Record<number, number>> = { [UTF16]: 4, [UTF32]: 6 };
  const codes = numbersOf({ ...element, type: types[element.type] ?? element.type }, count, reading);
  return Array.from(codes, (code) => (element.type === UTF32 ? String.fromCodePoint(code) : String.fromCharCode(code)));
}
