/**
 * The header of a safetensors file, parsed and checked. The layout (github.com/huggingface/safetensors, "Format"): an
 * unsigned 64-bit little-endian N, N bytes of JSON `{name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {string: string}}`,
 * then the data, which the tensors cover completely, without a hole and without overlap. Nothing in it is believed before
 * it is checked: the sizes that dtype and shape imply must equal the byte ranges, and these must tile the rest of the file.
 */
import { type Dtype, elementCount, elementSize, isDtype } from '../dtype';
import { CheckpointError, describe, quote } from '../errors';
import type { TensorInfo } from '../tensor-source';

/** Where one tensor lies, in bytes from the start of the file. */
export interface StoredTensor extends TensorInfo {
  readonly offset: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A header entry takes some 100 bytes: this is room for 150,000 tensors, and too little to exhaust memory by parsing. */
export const MAX_HEADER_BYTES: number = 16 * 2 ** 20;

/** Parses and checks the JSON header of a file of `fileSize` bytes whose data start at `dataStart`. */
export function parseHeader(json: Uint8Array, dataStart: number, fileSize: number, path: string): SafetensorsHeader {
  const fail = (what: string) => new CheckpointError('header', `${path} is corrupt: ${what}`);
  const header = parseJsonObject(json, fail);
  let metadata: readonly [string, string][] = [];
  const tensors: StoredTensor[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = parseMetadata(entry, fail);
    else tensors.push(parseEntry(name, entry, dataStart, fail));
  }
  const end = checkTiling(tensors, dataStart, fail);
  if (end > fileSize) {
    const sizes = `its tensors need ${end} bytes, it has ${fileSize}`;
    throw new CheckpointError('truncated', `${path} is cut short: ${sizes}; copy or download it again`);
  }
  if (end < fileSize) throw fail(`${fileSize - end} bytes after the last tensor belong to none`);
  return { metadata: Object.fromEntries(metadata), tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

type Fail = (what: string) => CheckpointError;

function parseJsonObject(json: Uint8Array, fail: Fail): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw fail('its header is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw fail('its header is not an object');
  return parsed;
}

function parseMetadata(entry: unknown, fail: Fail): [string, string][] {
  const pairs = Object.entries(entry ?? {});
  if (typeof entry !== 'object' || pairs.some(([, value]) => typeof value !== 'string')) {
    throw fail('__metadata__ holds something other than strings');
  }
  return pairs;
}

function parseEntry(name: string, entry: unknown, dataStart: number, fail: Fail): StoredTensor {
  const { dtype, shape, data_offsets } = (entry ?? {}) as Record<string, unknown>;
  const known = typeof dtype === 'string' ? dtype.toLowerCase() : '';
  if (!isDtype(known) || dtype !== safetensorsDtype(known)) {
    throw fail(`tensor ${quote(name)} has the dtype ${describe(dtype)}, which is not supported`);
  }
  if (!isListOfExtents(shape)) throw fail(`tensor ${quote(name)} has the shape ${describe(shape)}`);
  if (!isListOfExtents(data_offsets) || data_offsets.length !== 2) {
    throw fail(`tensor ${quote(name)} has the data_offsets ${describe(data_offsets)}`);
  }
  const [begin, end] = data_offsets as [number, number];
  const byteLength = (elementCount(shape) ?? Number.NaN) * elementSize(known);
  if (byteLength !== end - begin) {
    throw fail(`tensor ${quote(name)} is ${dtype} ${describe(shape)} but its range has ${end - begin} bytes`);
  }
  return { name, dtype: known, shape, byteLength, offset: dataStart + begin };
}

function isListOfExtents(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Checks that the tensors follow one another without hole or overlap, and returns where the last one ends. */
function checkTiling(tensors: readonly StoredTensor[], dataStart: number, fail: Fail): number {
  let end = dataStart;
  let previous = 'the header';
  const inOrder = tensors.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (const { name, offset, byteLength } of inOrder) {
    if (offset < end) throw fail(`tensor ${quote(name)} overlaps ${previous}`);
    if (offset > end) throw fail(`${offset - end} bytes between ${previous} and ${quote(name)} belong to no tensor`);
    end = offset + byteLength;
    previous = `tensor ${quote(name)}`;
  }
  return end;
}

/** The format's own spelling of a dtype. */
export function safetensorsDtype(dtype: Dtype): string {
  return dtype.toUpperCase();
}
