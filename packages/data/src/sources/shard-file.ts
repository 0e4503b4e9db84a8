/**
 * The file that keeps the index of a shard: a head, the summary as JSON, the columns.
 *
 * ```text
 * 0   FRSHARD3   8 bytes, the last of them the form's number: another one whenever the rules of tar-index.ts or tar-shard.ts change
 * 8   u32 x 6    bytes of the summary, pictures, samples, bytes of all names, which columns there are (bits), 0
 * 32  16 bytes   hash of the numbers above, of the hash below and of the summary
 * 48  16 bytes   hash of the columns
 * 64  summary    filled up with spaces to a multiple of 4
 *     columns    u32 each, little-endian, in the order of COLUMNS; then the names
 * ```
 *
 * Whoever opens a source reads up to the end of the summaries. Nothing in the file is believed: lengths must add up to the file's own, hashes must
 * agree, and places must lie inside the shard; what does not counts as if there were no file, and the shard is read anew.
 */

import { createHash } from 'node:crypto';
import {
  BLOCK,
  NO_LABEL,
  type ShardColumns,
  type ShardIdentity,
  type ShardIndex,
  type ShardSummary,
} from './shard-index';
import { checkSummary, summaryText } from './shard-summary';

/** Where the parts of a file lie. */
interface Head {
  readonly summaryBytes: number;
  readonly pictures: number;
  readonly samples: number;
  readonly nameBytes: number;
  readonly parts: number;
}

const MAGIC = 'FRSHARD3';
const HEAD = 64;
const HASH = 16;
const COLUMNS = ['blocks', 'sizes', 'nameEnds', 'labels', 'folders', 'samples'] as const;
const ALWAYS = 3;

/** As much as the summary of most shards takes. */
export const FIRST_READ = 4096;

/** The bytes of an index file. */
export function encodeIndex({ summary, columns }: ShardIndex, of: ShardIdentity): Uint8Array {
  const text = Buffer.from(summaryText(summary, of));
  const padded = Buffer.alloc(Math.ceil(text.length / 4) * 4, ' ');
  text.copy(padded);
  const there = COLUMNS.filter((name) => columns[name]);
  const body = Buffer.concat([...there.map((name) => bytesOf(columns[name]!)), columns.names]);
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC, 'latin1');
  const parts = COLUMNS.reduce((bits, name, at) => bits | (columns[name] ? 1 << at : 0), 0);
  const numbers = [padded.length, columns.blocks.length, columns.samples?.length ?? 0, columns.names.length, parts];
  numbers.forEach((value, at) => {
    head.writeUInt32LE(value, 8 + 4 * at);
  });
  head.set(hash(body), 48);
  head.set(hash(head.subarray(8, 32), head.subarray(48), padded), 32);
  return Buffer.concat([head, padded, body]);
}

/** Bytes from the beginning up to the end of the summary; undefined for what is no index file of this form. */
export function bytesOfSummary(bytes: Uint8Array, fileSize: number): number | undefined {
  const head = readHead(bytes, fileSize);
  return head && HEAD + head.summaryBytes;
}

/** The summary in the beginning of a file; undefined where it is damaged, or of another content of the shard. */
export function decodeSummary(bytes: Uint8Array, fileSize: number, of: ShardIdentity): ShardSummary | undefined {
  const head = readHead(bytes, fileSize);
  if (!head || bytes.length < HEAD + head.summaryBytes) return undefined;
  const text = bytes.subarray(HEAD, HEAD + head.summaryBytes);
  const isWhole = hash(bytes.subarray(8, 32), bytes.subarray(48, HEAD), text).equals(bytes.subarray(32, 48));
  return isWhole ? checkSummary(Buffer.from(text).toString(), of, head) : undefined;
}

/** The whole index; undefined where it is damaged, forged, or of another content of the shard. */
export function decodeIndex(bytes: Uint8Array<ArrayBuffer>, of: ShardIdentity): ShardIndex | undefined {
  const head = readHead(bytes, bytes.length);
  const summary = decodeSummary(bytes, bytes.length, of);
  if (!head || !summary) return undefined;
  const body = bytes.subarray(HEAD + head.summaryBytes);
  if (!hash(body).equals(bytes.subarray(48, HEAD))) return undefined;
  const columns = columnsIn(body, head);
  return areInside(columns, summary, of.size) ? { summary, columns } : undefined;
}

function readHead(bytes: Uint8Array, fileSize: number): Head | undefined {
  if (bytes.length < HEAD || Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== MAGIC) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  const number = (at: number): number => view.getUint32(8 + 4 * at, true);
  const head = {
    summaryBytes: number(0),
    pictures: number(1),
    samples: number(2),
    nameBytes: number(3),
    parts: number(4),
  };
  const columnBytes = COLUMNS.reduce((sum, name) => sum + 4 * lengthOf(name, head), 0);
  const isWhole = HEAD + head.summaryBytes + columnBytes + head.nameBytes === fileSize && head.summaryBytes % 4 === 0;
  const all = (1 << ALWAYS) - 1;
  return isWhole && (head.parts & all) === all && head.parts < 1 << COLUMNS.length ? head : undefined;
}

function lengthOf(name: (typeof COLUMNS)[number], { parts, pictures, samples }: Head): number {
  if (!(parts & (1 << COLUMNS.indexOf(name)))) return 0;
  return name === 'samples' ? samples : pictures;
}

function columnsIn(body: Uint8Array<ArrayBuffer>, head: Head): ShardColumns {
  // aligned, whatever came before it
  const own = body.byteOffset % 4 === 0 ? body : new Uint8Array(body);
  let at = own.byteOffset;
  const columns = COLUMNS.map((name) => {
    const length = lengthOf(name, head);
    const column = new Uint32Array(own.buffer, at, length);
    at += 4 * length;
    return head.parts & (1 << COLUMNS.indexOf(name)) ? column : undefined;
  });
  const [blocks, sizes, nameEnds, labels, folders, samples] = columns;
  const names = Buffer.from(own.buffer, at, head.nameBytes);
  return { blocks: blocks!, sizes: sizes!, nameEnds: nameEnds!, labels, folders, samples, names };
}

/** Whether all that the columns point at is there. */
function areInside(columns: ShardColumns, { labels, folders }: ShardSummary, shardSize: number): boolean {
  const { blocks, sizes, nameEnds, names, samples } = columns;
  let name = 0;
  for (let at = 0; at < blocks.length; at++) {
    // longer ones stand as the longest there is
    if (blocks[at]! * BLOCK + sizes[at]! > shardSize || nameEnds[at]! < name) return false;
    name = nameEnds[at]!;
  }
  const below = (column: Uint32Array | undefined, limit: number, or?: number): boolean =>
    column?.every((value) => value < limit || value === or) ?? true;
  return (
    name === names.length &&
    below(columns.labels, labels.length, NO_LABEL) &&
    below(columns.folders, folders.length) &&
    below(samples, blocks.length)
  );
}

const bytesOf = (column: Uint32Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

function hash(...parts: readonly Uint8Array[]): Buffer {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part);
  return sum.digest().subarray(0, HASH);
}
