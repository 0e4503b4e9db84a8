/**
 * Finds the files inside a tar archive without unpacking it.
 *
 * A tar is a chain of 512-byte headers, each followed by its file's bytes padded to 512. Walking the headers gives name,
 * offset and size of every file; a file is then one read. Understood are v7, ustar, GNU long names and PAX records.
 *
 * The archive is untrusted: a header counts only with a correct checksum, a size only when that many bytes follow, name
 * records only up to 64 KiB; the walk always moves forward. At the first damage it stops and keeps what came before. An
 * archive ends with blocks of zeros: one that does not may be cut short, and what follows them (another archive, when two
 * were joined by `cat`) is not read, as tar itself does not; both count as damage.
 */

import type { ByteFile } from '../files/byte-file';

/** One regular file in an archive. */
export interface TarMember {
  readonly name: string;
  /** Where its bytes begin in the archive. */
  readonly offset: number;
  readonly size: number;
  /** Its bytes, where they were asked for. */
  readonly content?: Uint8Array;
}

export interface TarIndex {
  readonly members: readonly TarMember[];
  /** Names of what is neither a regular file nor a folder: links, devices, files with holes. */
  readonly irregular: readonly string[];
  /** What is wrong with the archive, when something is. */
  readonly damage?: string;
}

export interface TarReading {
  /** How much is read at a time; more suits a file behind HTTP. Default 1 MiB. */
  readonly windowBytes?: number | undefined;
  /** Members whose bytes are read in passing: small ones, in one window with their headers. */
  readonly withContent?: (name: string, size: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

const BLOCK = 512;
const DEFAULT_WINDOW = 1024 * 1024;
const MAX_RECORD = 64 * 1024;
// Writers fill the last record up with zeros: 10 KiB as a rule, 64 KiB at most.
const MAX_FILLING = 64 * 1024;

/** Indexes an archive. */
export async function indexTar(
  file: ByteFile,
  { windowBytes = DEFAULT_WINDOW, withContent, signal }: TarReading = {},
): Promise<TarIndex> {
  const readBlocks = windowedReader(file, windowBytes, signal);
  const members: TarMember[] = [];
  const irregular: string[] = [];
  let offset = 0;
  let override: Override = {};
  const damaged = (what: string): TarIndex => ({
    members,
    irregular,
    damage: `${file.name}: ${what} at byte ${offset}`,
  });

  while (offset + BLOCK <= file.size) {
    const block = await readBlocks(offset, BLOCK);
    if (block[0] === 0 && block.every(isZero)) {
      const filling = await readBlocks(offset, Math.min(file.size - offset, MAX_FILLING));
      const nothingFollows = offset + filling.length === file.size && filling.every(isZero);
      return nothingFollows ? { members, irregular } : damaged('something follows the end of the archive');
    }
    const header = parseHeader(block);
    if (!header) return damaged('no valid tar header');
    const size = override.size ?? header.size;
    const start = offset + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > file.size) {
      return damaged(`a file of ${size} bytes is announced, ${file.size - start} follow`);
    }
    if (isRecord(header.type)) {
      if (size > MAX_RECORD) return damaged(`a name record of ${size} bytes`);
      override = { ...override, ...parseRecord(header.type, await readBlocks(start, size)) };
    } else {
      const name = (override.name ?? header.name).replace(/^(\.\/)+/, '');
      if (isRegular(header.type) && !name.endsWith('/')) {
        // a copy, that does not keep the window alive
        const content = withContent?.(name, size) ? (await readBlocks(start, size)).slice() : undefined;
        members.push({ name, offset: start, size, ...(content && { content }) });
      } else if (!name.endsWith('/') && header.type !== '5') irregular.push(name);
      override = {};
    }
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return damaged(
    offset < file.size ? 'the archive ends inside a header' : 'the archive has no end mark and may be cut short',
  );
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

interface Override {
  readonly name?: string;
  readonly size?: number;
}

const isZero = (byte: number): boolean => byte === 0;
const isRegular = (type: string): boolean => type === '0' || type === '\0' || type === '7';
// PAX for the next file, PAX for all files (of no interest here), GNU long name, GNU long link.
const isRecord = (type: string): boolean => 'xgLK'.includes(type);

function parseHeader(block: Uint8Array): Header | undefined {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 32 : block[at]!;
  if (parseNumber(block.subarray(148, 156)) !== sum) return undefined;
  const ustar = text(block.subarray(257, 262)) === 'ustar';
  // GNU archives ("ustar  ") use the prefix field for times.
  const prefix = ustar && block[262] === 0 ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, 100));
  return {
    name: prefix ? `${prefix}/${name}` : name,
    size: parseNumber(block.subarray(124, 136)),
    type: String.fromCharCode(block[156]!),
  };
}

/** Octal digits, or big-endian binary behind a first byte of 0x80. NaN for anything else. */
function parseNumber(field: Uint8Array): number {
  if (field[0] === 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const digits = text(field).trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function parseRecord(type: string, bytes: Uint8Array): Override {
  if (type === 'L') return { name: text(bytes) };
  if (type !== 'x') return {};
  let name: string | undefined;
  let size: number | undefined;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(text(bytes.subarray(at, space)));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > bytes.length) break;
    const record = decode(bytes.subarray(space + 1, at + length - 1));
    if (record.startsWith('path=')) name = record.slice(5);
    if (record.startsWith('size=')) size = Number(record.slice(5));
    at += length;
  }
  return { ...(name !== undefined && { name }), ...(size !== undefined && { size }) };
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decode(end < 0 ? bytes : bytes.subarray(0, end));
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LATIN_1 = new TextDecoder('latin1');

/** UTF-8, or else Latin-1 as old systems wrote it: replacement characters would make one name of several. */
function decode(bytes: Uint8Array): string {
  // nearly all is ASCII, for which a decoder takes longer than all the rest of a header
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  try {
    return UTF_8.decode(bytes);
  } catch {
    return LATIN_1.decode(bytes);
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! > 127) return false;
  return true;
}

/** Serves small reads that move forward from one larger read. */
function windowedReader(
  file: ByteFile,
  windowBytes: number,
  signal?: AbortSignal,
): (offset: number, length: number) => Promise<Uint8Array> {
  let start = 0;
  let window = new Uint8Array();
  return async (offset, length) => {
    if (offset < start || offset + length > start + window.length) {
      const wanted = Math.min(Math.max(windowBytes, length), file.size - offset);
      window = (await file.read(offset, wanted, signal)) as Uint8Array<ArrayBuffer>;
      start = offset;
    }
    return window.subarray(offset - start, offset - start + length);
  };
}
