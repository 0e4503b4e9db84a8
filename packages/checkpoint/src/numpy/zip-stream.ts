/**
 * A zip archive of stored entries, written front to back (PKWARE APPNOTE 4.3). Checksum and size of an entry are known once it has gone by, so that they follow it in
 * a data descriptor, and stand in the directory at the end. Every entry has the fields of zip64: an archive may be larger than 4 GiB.
 */
import { crc32 } from 'node:zlib';
import type { Sink } from '../byte-source';

export interface ZipPart {
  readonly name: string;
  /** Gives the content to the sink. */
  readonly write: (sink: Sink) => Promise<void>;
}

interface WrittenPart {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

/** Version 4.5, which has zip64; names in UTF-8, and sizes after the content. */
const VERSION = 45;
const FLAGS = 0x0808;
/** 1 January 1980, midnight: the same content is the same file. */
const DATE = 0x0021;
const IN_EXTRA = 0xffffffff;

/** Writes the parts in order. */
export function zipStream(parts: readonly ZipPart[]): (sink: Sink) => Promise<void> {
  return async (sink) => {
    let at = 0;
    const put = async (bytes: Uint8Array): Promise<void> => {
      await sink(bytes);
      at += bytes.byteLength;
    };
    const written: WrittenPart[] = [];
    for (const { name: text, write } of parts) {
      const name = new TextEncoder().encode(text);
      const offset = at;
      await put(localHeader(name));
      const begin = at;
      let crc = 0;
      await write(async (bytes) => {
        crc = crc32(bytes, crc);
        await put(bytes);
      });
      const part = { name, size: at - begin, crc, offset };
      await put(descriptor(part));
      written.push(part);
    }
    const directory = at;
    for (const part of written) await put(directoryEntry(part));
    await put(endRecords(written.length, directory, at));
  };
}

type Field = readonly [bytes: 2 | 4 | 8, value: number];

/** Little-endian numbers one after the other, then more bytes. */
function record(fields: readonly Field[], ...more: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, width);
    at += width;
  }
  return Buffer.concat([bytes, ...more]);
}

/** Version, flags, method (stored), time and date. */
const COMMON: readonly Field[] = [
  [2, VERSION],
  [2, FLAGS],
  [2, 0],
  [2, 0],
  [2, DATE],
];

const localHeader = (name: Uint8Array): Uint8Array =>
  record(
    [[4, 0x04034b50], ...COMMON, [4, 0], [4, IN_EXTRA], [4, IN_EXTRA], [2, name.length], [2, 20]],
    name,
    zip64(0, 0),
  );

/** The field of zip64: identifier, length, then what does not fit elsewhere. */
const zip64 = (...values: readonly number[]): Uint8Array =>
  record([[2, 1], [2, 8 * values.length], ...values.map((value): Field => [8, value])]);

const descriptor = ({ crc, size }: WrittenPart): Uint8Array =>
  record([
    [4, 0x08074b50],
    [4, crc],
    [8, size],
    [8, size],
  ]);

function directoryEntry({ name, size, crc, offset }: WrittenPart): Uint8Array {
  const sizes: readonly Field[] = [
    [4, crc],
    [4, IN_EXTRA],
    [4, IN_EXTRA],
  ];
  // no comment, disk 0, no attributes
  const rest: readonly Field[] = [
    [2, name.length],
    [2, 28],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, IN_EXTRA],
  ];
  return record([[4, 0x02014b50], [2, VERSION], ...COMMON, ...sizes, ...rest], name, zip64(size, size, offset));
}

/** The end record of zip64, the one that points at it, and the plain one, which says to look there. */
function endRecords(count: number, directory: number, end: number): Uint8Array {
  const end64 = record([
    [4, 0x06064b50],
    [8, 44],
    [2, VERSION],
    [2, VERSION],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, end - directory],
    [8, directory],
  ]);
  const locator = record([
    [4, 0x07064b50],
    [4, 0],
    [8, end],
    [4, 1],
  ]);
  const plain = record([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, 0xffff],
    [2, 0xffff],
    [4, IN_EXTRA],
    [4, IN_EXTRA],
    [2, 0],
  ]);
  return Buffer.concat([end64, locator, plain]);
}
