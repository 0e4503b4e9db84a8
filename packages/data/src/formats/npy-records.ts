/**
 * Reads NumPy's `.npy` files of named columns, in which the official tools keep data set indices.
 *
 * Such a structured array is a text header (a Python literal: dtype, order, shape) and then the rows, packed. Only what
 * those indices use is understood: unsigned 32-bit integers and fixed-width Unicode (`<U9` is nine 4-byte characters), one
 * dimension. The header is matched by a pattern, never evaluated, and the row count must agree with the file's real size.
 */

import { DataError } from '../errors';
import type { ByteFile } from '../files/byte-file';

export interface NpyRecords {
  readonly length: number;
  /** Reads some rows; numbers and strings by column name. */
  rows(from: number, count: number): Promise<Record<string, number | string>[]>;
}

interface Column {
  readonly name: string;
  readonly kind: 'u4' | 'U';
  readonly offset: number;
  readonly bytes: number;
}

const MAGIC = '\x93NUMPY';
const MAX_HEADER = 64 * 1024;

/**
 * Opens a structured `.npy` file.
 * @throws DataError damaged-file when it is not one, or lacks one of the `required` columns
 */
export async function openNpyRecords(file: ByteFile, required: readonly string[]): Promise<NpyRecords> {
  const head = await file.read(0, Math.min(12, file.size));
  const damaged = (what: string): DataError => new DataError('damaged-file', `${file.name}: ${what}`);
  if (String.fromCharCode(...head.subarray(0, 6)) !== MAGIC || head.length < 12) throw damaged('not an .npy file');
  const wide = head[6]! >= 2;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const headerLength = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const headerStart = wide ? 12 : 10;
  if (headerLength > MAX_HEADER) throw damaged(`a header of ${headerLength} bytes`);
  const header = new TextDecoder().decode(await file.read(headerStart, headerLength));

  const columns = parseColumns(header);
  const rowBytes = columns.reduce((sum, column) => sum + column.bytes, 0);
  const length = Number(/'shape':\s*\((\d+),\)/.exec(header)?.[1]);
  const start = headerStart + headerLength;
  if (!Number.isSafeInteger(length) || rowBytes === 0) throw damaged(`cannot read the header ${header.trim()}`);
  if (length * rowBytes !== file.size - start) {
    throw damaged(`${length} rows of ${rowBytes} bytes are announced, ${file.size - start} bytes follow`);
  }
  const missing = required.filter((name) => !columns.some((column) => column.name === name));
  if (missing.length > 0) throw damaged(`has no column ${missing.join(', ')}`);
  return {
    length,
    rows: async (from, count) => {
      const bytes = await file.read(start + from * rowBytes, count * rowBytes);
      return Array.from({ length: count }, (_, row) => parseRow(bytes, row * rowBytes, columns));
    },
  };
}

function parseColumns(header: string): Column[] {
  const columns: Column[] = [];
  let offset = 0;
  for (const [, name, kind, width] of header.matchAll(/\('(\w+)',\s*'<(u|U)(\d+)'\)/g)) {
    if (kind === 'u' && width !== '4') return [];
    const bytes = kind === 'u' ? 4 : 4 * Number(width);
    columns.push({ name: name!, kind: kind === 'u' ? 'u4' : 'U', offset, bytes });
    offset += bytes;
  }
  return columns;
}

function parseRow(bytes: Uint8Array, start: number, columns: readonly Column[]): Record<string, number | string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Object.fromEntries(
    columns.map((column) => {
      const at = start + column.offset;
      return [column.name, column.kind === 'u4' ? view.getUint32(at, true) : parseText(view, at, column.bytes)];
    }),
  );
}

function parseText(view: DataView, start: number, bytes: number): string {
  let text = '';
  for (let at = start; at < start + bytes; at += 4) {
    const point = view.getUint32(at, true);
    if (point === 0) break;
    text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  }
  return text;
}
