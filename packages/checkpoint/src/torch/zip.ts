/**
 * A zip archive read in place (PKWARE APPNOTE 4.3). The end of the file holds the end record, which points at the central
 * directory, which lists the entries; each entry's data follow their local header. torch writes zip64 archives of stored
 * (uncompressed) entries, so a tensor can be read where it lies. Every offset and size is checked against the file, entries
 * may not overlap, and what a compressed entry may inflate to is bounded by the archive's own size.
 */

import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import type { ByteSource } from '../byte-source';
import { CheckpointError, quote } from '../errors';

export interface ZipEntry {
  readonly name: string;
  /** Bytes of the content. */
  readonly size: number;
  readonly stored: boolean;
  readonly compressedSize: number;
  readonly headerOffset: number;
  /** Of the content; 0 where the writer did not compute it. */
  readonly crc: number;
}

export interface ZipFile {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Bytes `[start, start + length)` of an entry's content; the whole entry is verified by its checksum. */
  read(entry: ZipEntry, start?: number, length?: number): Promise<Uint8Array<ArrayBuffer>>;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** A directory entry takes some 100 bytes: room for 600,000 tensors. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;
/** Weights hardly compress; a file that inflates to more than this many times its size is no checkpoint. */
const MAX_INFLATION = 8;

/** Reads the directory of a zip archive. @throws CheckpointError `format`, `header`, `too-large` */
export async function openZip(file: ByteSource): Promise<ZipFile> {
  const end = await readEndRecord(file);
  if (end.bytes > MAX_DIRECTORY_BYTES) {
    throw new CheckpointError('too-large', `${file.path}: its zip directory of ${end.bytes} bytes is beyond reason`);
  }
  if (end.offset + end.bytes > file.size) throw corrupt(file, 'its zip directory lies outside the file');
  const entries = parseDirectory(await file.read(end.offset, end.bytes), file);
  checkLayout(entries, end.offset, file);
  return {
    entries: new Map(entries.map((entry) => [entry.name, entry])),
    read: (entry, start = 0, length = entry.size - start) => readEntry(file, entry, start, length),
  };
}

function corrupt(file: ByteSource, what: string): CheckpointError {
  return new CheckpointError('header', `${file.path} is corrupt: ${what}; copy or download it again`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit size; beyond 2^53 it becomes a number that no file reaches, so the bounds checks refuse it. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Finds the end record (22 bytes and a comment of up to 64 KiB from the end) and, where it is, its zip64 successor. */
async function readEndRecord(file: ByteSource): Promise<{ offset: number; bytes: number }> {
  const length = Math.min(file.size, 22 + 0xffff);
  const tailOffset = file.size - length;
  const tail = viewOf(await file.read(tailOffset, length));
  let at = length - 22;
  while (at >= 0 && !(tail.getUint32(at, true) === END && at + 22 + tail.getUint16(at + 20, true) === length)) at--;
  if (at < 0) {
    const message = `${file.path} has no zip directory: it is cut short or not a zip file; copy or download it again`;
    throw new CheckpointError('truncated', message);
  }
  if (at >= 20 && tail.getUint32(at - 20, true) === END64_LOCATOR) {
    const recordOffset = uint64(tail, at - 12);
    if (recordOffset + 56 > file.size) throw corrupt(file, 'its zip64 end record lies outside the file');
    const record = viewOf(await file.read(recordOffset, 56));
    if (record.getUint32(0, true) !== END64) throw corrupt(file, 'its zip64 end record is missing');
    return { bytes: uint64(record, 40), offset: uint64(record, 48) };
  }
  return { bytes: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) };
}

function parseDirectory(bytes: Uint8Array, file: ByteSource): ZipEntry[] {
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  for (let at = 0; at < bytes.length; ) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL)
      throw corrupt(file, 'its zip directory is garbled');
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    if (extraEnd > bytes.length) throw corrupt(file, 'its zip directory is garbled');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
    if (names.has(name)) throw corrupt(file, `it has two entries named ${quote(name)}`);
    names.add(name);
    entries.push(parseEntry(view, at, name, zip64Fields(view, nameEnd, extraEnd), file));
    at = extraEnd + view.getUint16(at + 32, true);
  }
  return entries;
}

function parseEntry(view: DataView, at: number, name: string, wide: number[], file: ByteSource): ZipEntry {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if (flags & 1 || (method !== 0 && method !== 8)) {
    const how = flags & 1 ? 'encrypted' : `compressed by method ${method}`;
    throw new CheckpointError('format', `${file.path}: entry ${quote(name)} is ${how}; stored and deflate are read`);
  }
  // Zip64 keeps in an extra field, in this order, those of the three that do not fit 32 bits.
  const pick = (offset: number) => {
    const value = view.getUint32(offset, true);
    return value === 0xffffffff ? (wide.shift() ?? Number.POSITIVE_INFINITY) : value;
  };
  const size = pick(at + 24);
  const compressedSize = pick(at + 20);
  const headerOffset = pick(at + 42);
  return { name, size, compressedSize, headerOffset, stored: method === 0, crc: view.getUint32(at + 16, true) };
}

function zip64Fields(view: DataView, start: number, end: number): number[] {
  const fields: number[] = [];
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const last = Math.min(end, at + 4 + view.getUint16(at + 2, true));
    for (let field = at + 4; field + 8 <= last && fields.length < 3; field += 8) fields.push(uint64(view, field));
  }
  return fields;
}

/** Entries must lie before the directory, not overlap, and not claim to inflate without bound. */
function checkLayout(entries: readonly ZipEntry[], directoryOffset: number, file: ByteSource): void {
  let end = 0;
  for (const entry of entries.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    const name = quote(entry.name);
    if (entry.headerOffset < end) throw corrupt(file, `entry ${name} overlaps another one`);
    end = entry.headerOffset + 30 + entry.compressedSize;
    if (end > directoryOffset) throw corrupt(file, `entry ${name} lies outside the file`);
    if (entry.stored && entry.size !== entry.compressedSize) throw corrupt(file, `entry ${name} has two sizes`);
    if (entry.size > MAX_INFLATION * file.size) {
      const claim = `entry ${name} claims to inflate to ${entry.size} bytes from a file of ${file.size}`;
      throw new CheckpointError(
        'too-large',
        `${file.path}: ${claim}; refused as a zip bomb: unzip it and zip it stored`,
      );
    }
  }
}

async function readEntry(
  file: ByteSource,
  entry: ZipEntry,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!(start >= 0 && length >= 0 && start + length <= entry.size)) {
    throw corrupt(file, `bytes ${start} to ${start + length} lie outside the ${entry.size} of ${quote(entry.name)}`);
  }
  const local = viewOf(await file.read(entry.headerOffset, 30));
  if (local.getUint32(0, true) !== LOCAL) throw corrupt(file, `entry ${quote(entry.name)} has no local header`);
  const dataOffset = entry.headerOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (entry.stored) {
    const bytes = await file.read(dataOffset + start, length);
    if (length === entry.size) checkCrc(bytes, entry, file);
    return bytes;
  }
  const bytes = await inflate(await file.read(dataOffset, entry.compressedSize), entry, file);
  return length === entry.size ? bytes : bytes.slice(start, start + length);
}

const inflateAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer<ArrayBuffer>>(inflateRaw);

async function inflate(compressed: Uint8Array, entry: ZipEntry, file: ByteSource): Promise<Uint8Array<ArrayBuffer>> {
  const inflated = await inflateAsync(compressed, { maxOutputLength: Math.max(1, entry.size) }).catch(
    (cause: unknown) => {
      throw corrupt(file, `entry ${quote(entry.name)} does not inflate to its ${entry.size} bytes (${String(cause)})`);
    },
  );
  if (inflated.length !== entry.size)
    throw corrupt(file, `entry ${quote(entry.name)} inflates to ${inflated.length} bytes`);
  // A copy of its own: a small Buffer may be a slice of Node's shared pool, at any alignment.
  const bytes = new Uint8Array(inflated);
  checkCrc(bytes, entry, file);
  return bytes;
}

function checkCrc(bytes: Uint8Array, entry: ZipEntry, file: ByteSource): void {
  if (entry.crc === 0 || crc32(bytes) === entry.crc) return;
  throw new CheckpointError(
    'corrupt',
    `${file.path}: the checksum of ${quote(entry.name)} is wrong; download it again`,
  );
}
