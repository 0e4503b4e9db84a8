/**
 * Safetensors files, written tensor by tensor. Every name, dtype and shape is needed up front, since the header comes first,
 * but the data of only one tensor at a time. Tensors are laid out by element width, widest first, and the header is padded
 * to a multiple of 8 bytes: then every tensor is aligned to its own element, and the file can be mapped without copies.
 */
import { type Sink, type WrittenFile, writeFileAtomic } from '../atomic-write';
import { elementCount, elementSize, isDtype } from '../dtype';
import { CheckpointError, quote } from '../errors';
import type { TensorEntry } from '../tensor-source';
import { safetensorsDtype } from './header';

/**
 * Writes a `.safetensors` file as a whole (see `writeFileAtomic`), asking each entry for its data in turn.
 *
 * @throws CheckpointError `bad-input` (name, dtype, shape, or data of another length), `disk-full`
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<WrittenFile> {
  const write = safetensorsStream(entries, metadata);
  return writeFileAtomic(path, write);
}

/** The writer behind `writeSafetensors`, for any sink. The entries are checked before the first byte. */
export function safetensorsStream(
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
): (sink: Sink) => Promise<void> {
  const inOrder = checkEntries(entries).toSorted((a, b) => elementSize(b.dtype) - elementSize(a.dtype));
  const header = encodeHeader(inOrder, metadata);
  return async (sink) => {
    await sink(header);
    for (const entry of inOrder) await writeEntry(entry, sink);
  };
}

function checkEntries(entries: Iterable<TensorEntry>): TensorEntry[] {
  const checked = new Map<string, TensorEntry>();
  for (const entry of entries) {
    const { name, dtype, shape } = entry;
    const refuse = (why: string) => new CheckpointError('bad-input', `cannot write tensor ${quote(name)}: ${why}`);
    if (name === '__metadata__') throw refuse('the name is reserved');
    if (checked.has(name)) throw refuse('the name is there twice');
    if (!isDtype(dtype)) throw refuse(`unknown dtype ${dtype}`);
    const valid = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
    if (!valid || elementCount(shape) === undefined) throw refuse(`its shape is [${shape}]`);
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
  const json = Buffer.from(JSON.stringify(Object.fromEntries(fields)));
  const padded = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  json.copy(header, 8);
  return header;
}

async function writeEntry(entry: TensorEntry, sink: Sink): Promise<void> {
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
  throw new CheckpointError('bad-input', message);
}

function pieces(
  data: ArrayBufferView | AsyncIterable<ArrayBufferView>,
): Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView> {
  return ArrayBuffer.isView(data) ? [data] : data;
}
