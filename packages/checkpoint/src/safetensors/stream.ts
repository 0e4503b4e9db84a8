/**
 * Safetensors, written tensor by tensor to wherever bytes go. Every name, dtype and shape is needed up front, since the header comes first,
 * but the data of only one tensor at a time. Tensors are laid out by element width, widest first, and the header is padded
 * to a multiple of 8 bytes: then every tensor is aligned to its own element, and the file can be mapped without copies.
 */
import { kindOf } from '../arguments';
import type { Sink } from '../byte-source';
import { DTYPES, elementCount, elementSize, isDtype } from '../dtype';
import { CheckpointError, quote } from '../errors';
import type { TensorEntry } from '../tensor-source';
import { safetensorsDtype } from './header';

/**
 * Safetensors into any sink. The entries are checked before the first byte.
 *
 * @throws CheckpointError `argument` (name, dtype, shape, metadata; when it runs, data of another length)
 */
export function safetensorsStream(
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
): (sink: Sink) => Promise<void> {
  checkMetadata(metadata);
  const inOrder = checkEntries(entries).toSorted((a, b) => elementSize(b.dtype) - elementSize(a.dtype));
  const header = encodeHeader(inOrder, metadata);
  return async (sink) => {
    await sink(header);
    for (const entry of inOrder) await writeEntry(entry, sink);
  };
}

/**
 * Safetensors as bytes in memory.
 *
 * @throws CheckpointError `argument`
 */
export async function safetensorsBytes(
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const list = checkEntries(entries);
  const write = safetensorsStream(list, metadata);
  const data = list.reduce((sum, entry) => sum + byteLength(entry), 0);
  let bytes = new Uint8Array(0);
  let end = 0;
  await write(async (piece) => {
    // the header comes first, and alone
    if (end === 0) bytes = new Uint8Array(piece.byteLength + data);
    bytes.set(piece, end);
    end += piece.byteLength;
  });
  return bytes;
}

/** What is no text would come back as something else, or make a file that no reader opens. */
function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  const odd = Object.entries(metadata).find(([, value]) => typeof value !== 'string');
  if (odd) throw new CheckpointError('argument', `metadata ${quote(odd[0])} is ${kindOf(odd[1])}; metadata are texts`);
}

/** @throws CheckpointError `argument` for an entry that cannot be written */
export function checkEntries(entries: Iterable<TensorEntry>): TensorEntry[] {
  if (typeof entries !== 'object' || entries === null || !(Symbol.iterator in entries))
    throw new CheckpointError('argument', `tensors to write are a list of entries; ${kindOf(entries)} was given`);
  const checked = new Map<string, TensorEntry>();
  for (const entry of entries) {
    const { name, dtype, shape, data } = Object(entry) as TensorEntry;
    if (typeof name !== 'string')
      throw new CheckpointError('argument', `cannot write ${kindOf(entry)}; an entry is { name, dtype, shape, data }`);
    const refuse = (why: string) => new CheckpointError('argument', `cannot write tensor ${quote(name)}: ${why}`);
    if (name === '__metadata__') throw refuse('the name is reserved');
    if (checked.has(name)) throw refuse('the name is there twice');
    if (!isDtype(dtype)) throw refuse(`unknown dtype ${dtype}; there are ${DTYPES.join(', ')}`);
    const valid = Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
    if (!valid || elementCount(shape) === undefined) throw refuse(`its shape is [${shape}]`);
    if (typeof data !== 'function' && !ArrayBuffer.isView(data))
      throw refuse(`its data are ${kindOf(data)}; give a typed array, or a function that returns one`);
    checked.set(name, entry);
  }
  return [...checked.values()];
}

function byteLength({ dtype, shape }: TensorEntry): number {
  return elementCount(shape)! * elementSize(dtype);
}

function encodeHeader(entries: readonly TensorEntry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const fields: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let end = 0;
  for (const entry of entries) {
    const begin = end;
    end += byteLength(entry);
    const { name, dtype, shape } = entry;
    fields.push([name, { dtype: safetensorsDtype(dtype), shape, data_offsets: [begin, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(' '.charCodeAt(0));
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return header;
}

/** The data of an entry. @throws CheckpointError `argument` where they have another length */
export async function writeEntry(entry: TensorEntry, sink: Sink): Promise<void> {
  const expected = byteLength(entry);
  let written = 0;
  const { name, dtype, shape, data } = entry;
  for await (const piece of pieces(typeof data === 'function' ? await data() : data)) {
    written += piece.byteLength;
    if (written > expected) break;
    await sink(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  if (written === expected) return;
  const got = written > expected ? 'more' : `${written}`;
  const message = `tensor ${quote(name)}, ${dtype} [${shape}], needs ${expected} bytes; its data has ${got}`;
  throw new CheckpointError('argument', message);
}

function pieces(
  data: ArrayBufferView | AsyncIterable<ArrayBufferView>,
): Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView> {
  return ArrayBuffer.isView(data) ? [data] : data;
}
