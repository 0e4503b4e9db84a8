/** Safetensors from bytes in memory, a Blob, or an address: what a browser has in place of paths. */
import { checkOptions, kindOf } from '../arguments';
import type { ByteSource } from '../byte-source';
import { CheckpointError, quote } from '../errors';
import { readSharded } from '../safetensors/shards';
import { readSafetensors } from '../safetensors/tensor-file';
import type { TensorFile } from '../tensor-source';
import { addressBytes } from './address';
import { blobBytes, memoryBytes } from './memory';

/** Bytes in memory, a Blob (a `File` that a page was given is one), or an address, in a page also a relative one. */
export type BytesOrAddress = ArrayBuffer | ArrayBufferView | Blob | URL | string;

export interface BytesOptions {
  /** What messages call bytes in memory, or a Blob (default: the name of a `File`). */
  readonly name?: string;
  /** Of requests to an address: headers, signal, credentials. */
  readonly request?: RequestInit;
}

/**
 * Opens safetensors: reads and checks the header, and reads tensors (or ranges of them) only when asked. From an address each read is a range request; a
 * server without ranges sends the whole file, which `notes` say.
 *
 * @throws CheckpointError `not-found`, `inaccessible`, `format`, `header`, `too-large`, `truncated`, `argument`
 */
export async function openSafetensors(from: BytesOrAddress, options: BytesOptions = {}): Promise<TensorFile> {
  return readSafetensors(await openBytes(from, options, 'openSafetensors'));
}

/**
 * Opens a model that is split over several files by its index, `*.index.json`.
 *
 * @param open opens a shard by its file name; from an address those beside the index, where nothing else is said
 * @throws CheckpointError those of `open`; `missing-tensor` where a shard lacks a tensor of the index
 */
export async function openSharded(
  index: BytesOrAddress,
  open?: (fileName: string) => Promise<TensorFile>,
  options: BytesOptions = {},
): Promise<TensorFile> {
  const beside = (fileName: string): Promise<TensorFile> => {
    if (typeof index === 'string' || index instanceof URL)
      return openSafetensors(addressOf(fileName, addressOf(index).href), options);
    throw new CheckpointError('argument', `an index in memory has nothing beside it; say how ${fileName} is opened`);
  };
  await using source = await openBytes(index, options, 'openSharded');
  return await readSharded(source, open ?? beside);
}

async function openBytes(from: BytesOrAddress, options: BytesOptions, call: string): Promise<ByteSource> {
  checkOptions(options, ['name', 'request'], call);
  const { name, request = {} } = options;
  if (from instanceof Blob) return blobBytes(from, name ?? fileName(from) ?? 'the Blob');
  if (from instanceof ArrayBuffer || ArrayBuffer.isView(from)) return memoryBytes(from, name ?? 'the bytes in memory');
  if (from instanceof URL || typeof from === 'string') return addressBytes(addressOf(from), request);
  const other: unknown = from;
  const given = other instanceof Response ? 'a Response (give its blob(): await response.blob())' : kindOf(other);
  throw new CheckpointError(
    'argument',
    `${call} takes an ArrayBuffer, a typed array, a Blob or an address; ${given} was given`,
  );
}

const fileName = (blob: Blob): string | undefined => ('name' in blob ? String(blob.name) : undefined);

/** @throws CheckpointError `argument` for what is no address that can be fetched */
function addressOf(from: URL | string, base: string | undefined = here()): URL {
  let address: URL;
  try {
    address = new URL(from, base);
  } catch {
    throw new CheckpointError(
      'argument',
      `${quote(String(from))} is no address; openCheckpoint of @franca/checkpoint takes paths, in Node`,
    );
  }
  if (['http:', 'https:', 'blob:', 'data:'].includes(address.protocol)) return address;
  throw new CheckpointError(
    'argument',
    `addresses of ${address.protocol} cannot be fetched; openCheckpoint of @franca/checkpoint takes paths, in Node`,
  );
}

/** The address of the page, where there is one. */
function here(): string | undefined {
  const { location }: { readonly location?: { readonly href: string } } = globalThis;
  return location?.href;
}
