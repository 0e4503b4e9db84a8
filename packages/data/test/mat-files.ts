/** MATLAB files of version 5, written where a test needs them. */

import { deflateSync } from 'node:zlib';
import type { MatArray } from '../src/formats/mat-file';

/** Numbers in a row, a text, cells in a row, a row of structures, or a matrix columns first. */
export type MatInput =
  | number
  | string
  | readonly number[]
  | { readonly cells: readonly MatInput[] }
  | { readonly records: readonly Readonly<Record<string, MatInput>>[] }
  | { readonly sizes: readonly number[]; readonly values: MatArray };

export interface MatWriting {
  /** Each variable in an element of its own that is compressed, as MATLAB writes since version 7. */
  readonly compressed?: boolean;
  readonly bigEndian?: boolean;
}

const [CELL, STRUCTURE, TEXT, DOUBLE] = [1, 2, 4, 6];

/** A file with these variables. */
export function matFile(variables: Readonly<Record<string, MatInput>>, options: MatWriting = {}): Buffer {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file, written by a test');
  header.write(options.bigEndian ? '\x01\x00MI' : '\x00\x01IM', 124, 'latin1');
  const write = writer(options.bigEndian ?? false);
  const elements = Object.entries(variables).map(([name, value]) => {
    const matrix = write.matrix(name, value);
    return options.compressed ? write.element(15, deflateSync(matrix), false) : matrix;
  });
  return Buffer.concat([header, ...elements]);
}

function writer(bigEndian: boolean) {
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (bigEndian) bytes.writeUInt32BE(value >>> 0);
    else bytes.writeUInt32LE(value >>> 0);
    return bytes;
  };
  const words = (...values: number[]): Buffer => Buffer.concat(values.map(word));
  /** Up to four bytes stand in the tag. */
  const element = (type: number, data: Buffer, padded = true): Buffer => {
    if (data.length > 0 && data.length <= 4)
      return Buffer.concat([word((data.length << 16) | type), data, Buffer.alloc(4 - data.length)]);
    const padding = padded ? (8 - (data.length % 8)) % 8 : 0;
    return Buffer.concat([word(type), word(data.length), data, Buffer.alloc(padding)]);
  };
  const numbers = (values: MatArray): Buffer => {
    const data = Buffer.from(values.slice().buffer);
    if (bigEndian && values.BYTES_PER_ELEMENT > 1) data[`swap${(8 * values.BYTES_PER_ELEMENT) as 16 | 32 | 64}`]();
    return element(typeOf(values), data);
  };
  const parts = (value: MatInput): { kind: number; sizes: readonly number[]; rest: Buffer[] } => {
    if (typeof value === 'string')
      return {
        kind: TEXT,
        sizes: [1, value.length],
        rest: [numbers(Uint16Array.from(value, (each) => each.charCodeAt(0)))],
      };
    if (typeof value === 'number') return parts([value]);
    if ('cells' in value)
      return { kind: CELL, sizes: [1, value.cells.length], rest: value.cells.map((cell) => matrix('', cell)) };
    if ('records' in value) {
      const fields = Object.keys(value.records[0] ?? {});
      const names = Buffer.concat(fields.map((field) => Buffer.from(field.padEnd(32, '\0'), 'latin1')));
      const values = value.records.flatMap((record) => fields.map((field) => matrix('', record[field]!)));
      return {
        kind: STRUCTURE,
        sizes: [1, value.records.length],
        rest: [element(5, word(32)), element(1, names), ...values],
      };
    }
    if ('sizes' in value) return { kind: classOf(value.values), sizes: value.sizes, rest: [numbers(value.values)] };
    return { kind: DOUBLE, sizes: [1, value.length], rest: [numbers(smallest(value))] };
  };
  const matrix = (name: string, value: MatInput): Buffer => {
    const { kind, sizes, rest } = parts(value);
    const head = [element(6, words(kind, 0)), element(5, words(...sizes)), element(1, Buffer.from(name, 'latin1'))];
    return element(14, Buffer.concat([...head, ...rest]));
  };
  return { element, matrix };
}

/** MATLAB stores the numbers of a matrix of doubles in the smallest type that holds them all. */
function smallest(values: readonly number[]): MatArray {
  const whole = values.every(Number.isInteger);
  if (whole && values.every((value) => value >= 0 && value < 256)) return Uint8Array.from(values);
  if (whole && values.every((value) => value >= 0 && value < 65536)) return Uint16Array.from(values);
  return Float64Array.from(values);
}

const ARRAYS = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];
const placeOf = (values: MatArray): number => ARRAYS.findIndex((each) => values instanceof each);
const typeOf = (values: MatArray): number => [1, 2, 3, 4, 5, 6, 7, 9][placeOf(values)]!;
const classOf = (values: MatArray): number => [8, 9, 10, 11, 12, 13, 7, 6][placeOf(values)]!;
