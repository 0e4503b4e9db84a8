/**
 * The header of NumPy's `.npy` format, parsed and written. The layout (numpy.lib.format): the bytes `\x93NUMPY`, a version, a length, and a Python literal
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, padded with spaces to a multiple of 64; then the elements. The literal is matched by patterns and
 * never evaluated, and what shape and type imply must be the bytes that follow.
 */
import { type Dtype, elementCount, elementSize } from '../dtype';
import { CheckpointError, quote } from '../errors';

export interface NpyHeader {
  /** Extents, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** What the elements are: numbers, texts of so many bytes each, or what is not read, in words. */
  readonly elements: NpyElements;
  /** Column-major: the first index runs fastest. */
  readonly fortran: boolean;
  /** Where the elements begin. */
  readonly dataStart: number;
}

export type NpyElements =
  | { readonly kind: 'numbers'; readonly dtype: Dtype; readonly bigEndian: boolean }
  | {
      readonly kind: 'texts';
      readonly bytes: number;
      readonly encoding: 'utf-32' | 'utf-8';
      readonly bigEndian: boolean;
    }
  | { readonly kind: 'unread'; readonly what: string };

const MAGIC = '\x93NUMPY';
/** NumPy itself takes 10,000 characters; a shape has 64 extents at most. */
const MAX_HEADER_BYTES = 2 ** 16;
const MAX_EXTENTS = 64;

/** Reads bytes of the array: `length` at `offset`. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Reads the header of an array of `size` bytes in all; `where` names it in messages.
 * @throws CheckpointError `format`, `header`, `too-large`, `truncated`
 */
export async function readNpyHeader(read: ReadBytes, size: number, where: string): Promise<NpyHeader> {
  const fail = (what: string) => new CheckpointError('header', `${where} is corrupt: ${what}; save it again`);
  const head = await read(0, Math.min(12, size));
  if (head.length < 12 || String.fromCharCode(...head.subarray(0, 6)) !== MAGIC)
    throw new CheckpointError('format', `${where} is no array of NumPy: it does not begin with \\x93NUMPY`);
  const view = new DataView(head.buffer);
  const [begin, length] = head[6]! >= 2 ? [12, view.getUint32(8, true)] : [10, view.getUint16(8, true)];
  if (length > MAX_HEADER_BYTES)
    throw new CheckpointError(
      'too-large',
      `${where} declares a header of ${length} bytes; the limit is ${MAX_HEADER_BYTES}`,
    );
  if (begin + length > size) throw new CheckpointError('truncated', `${where} ends within its header; copy it again`);
  const text = new TextDecoder('latin1').decode(await read(begin, length));
  const header = parseLiteral(text, fail);
  checkSize(header, size - begin - length, where, fail);
  return { ...header, dataStart: begin + length };
}

type Fail = (what: string) => CheckpointError;

function parseLiteral(text: string, fail: Fail): Omit<NpyHeader, 'dataStart'> {
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const extents = /'shape'\s*:\s*\(([\d,L\s]*)\)/.exec(text)?.[1];
  const structured = /'descr'\s*:\s*\[/.test(text);
  const descr = structured ? undefined : /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  if (order === undefined || extents === undefined || (descr === undefined && !structured))
    throw fail(`its header reads ${quote(text.trim())}`);
  const shape = (extents.match(/\d+/g) ?? []).map(Number);
  if (shape.length > MAX_EXTENTS || !shape.every(Number.isSafeInteger) || elementCount(shape) === undefined)
    throw fail(`its shape is (${quote(extents)})`);
  const elements: NpyElements =
    descr === undefined ? { kind: 'unread', what: 'a table of several columns' } : elementsOf(descr);
  return { shape, elements, fortran: order === 'True' && shape.length > 1 };
}

const NUMBERS: Readonly<Record<string, Dtype>> = {
  b1: 'bool',
  i1: 'i8',
  i2: 'i16',
  i4: 'i32',
  i8: 'i64',
  u1: 'u8',
  u2: 'u16',
  u4: 'u32',
  u8: 'u64',
  f2: 'f16',
  f4: 'f32',
  f8: 'f64',
};

/** What is not read, by the letter of its type. */
const UNREAD: Readonly<Record<string, string>> = {
  O: 'Python objects, which are pickled: loading them could run anything; save it with a dtype of its own, as np.asarray(values, dtype=str) or dtype=np.float32',
  c: 'complex numbers',
  V: 'raw bytes, as bfloat16 is saved; save it as np.float32',
  M: 'dates',
  m: 'spans of time',
};

/** Of a type such as `<f4`, `>i8`, `|b1`, `<U9`, `|S5`. */
function elementsOf(descr: string): NpyElements {
  const [, endian, letter = '', width = ''] = /^([<>|=]?)([A-Za-z?])(\d{0,9})/.exec(descr) ?? [];
  const dtype = NUMBERS[letter === '?' ? 'b1' : letter + width];
  const bigEndian = endian === '>';
  if (dtype) return { kind: 'numbers', dtype, bigEndian };
  if ((letter === 'U' || letter === 'S') && Number(width) === 0) return { kind: 'unread', what: 'empty texts' };
  if (letter === 'U') return { kind: 'texts', bytes: 4 * Number(width), encoding: 'utf-32', bigEndian };
  if (letter === 'S') return { kind: 'texts', bytes: Number(width), encoding: 'utf-8', bigEndian };
  return { kind: 'unread', what: UNREAD[letter] ?? `elements of the type ${quote(descr)}` };
}

/** A string takes some 50 bytes in memory, where one in the file may take one. */
const MAX_TEXTS = 2 ** 24;

function checkSize({ shape, elements }: Omit<NpyHeader, 'dataStart'>, there: number, where: string, fail: Fail): void {
  if (elements.kind === 'unread') return;
  const width = elements.kind === 'numbers' ? elementSize(elements.dtype) : elements.bytes;
  const needed = elementCount(shape)! * width;
  const sizes = `its shape (${shape.join(', ')}) needs ${needed} bytes, ${there} follow the header`;
  if (needed > there)
    throw new CheckpointError('truncated', `${where} is cut short or corrupt: ${sizes}; copy it again`);
  if (elements.kind === 'texts' && elementCount(shape)! > MAX_TEXTS)
    throw new CheckpointError('too-large', `${where} has ${elementCount(shape)} texts; the limit is ${MAX_TEXTS}`);
  if (needed < there) throw fail(`${sizes}: of several arrays in one .npy none is read, np.savez keeps them apart`);
}

/** Alignment of the elements, as NumPy pads to. */
const ALIGNMENT = 64;

/** The bytes before the elements of a row-major array; `descr` is the type as NumPy writes it. */
export function encodeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`;
  const padded = Math.ceil((10 + literal.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(padded).fill(' '.charCodeAt(0));
  bytes.set([...MAGIC].map((letter) => letter.charCodeAt(0)));
  bytes.set([1, 0], 6);
  new DataView(bytes.buffer).setUint16(8, padded - 10, true);
  bytes.set(new TextEncoder().encode(literal), 10);
  bytes[padded - 1] = '\n'.charCodeAt(0);
  return bytes;
}

/** The type of numbers as NumPy writes it; undefined of one that it has not. */
export function npyType(dtype: Dtype): string | undefined {
  const found = Object.entries(NUMBERS).find(([, known]) => known === dtype)?.[0];
  return found && `${elementSize(dtype) === 1 ? '|' : '<'}${found}`;
}
