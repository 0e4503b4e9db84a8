/**
 * Talks to the worker thread that decodes parquet, within limits that a hostile file cannot lift.
 *
 * The worker asks the main thread for byte ranges, so files behind HTTP and on disk look alike. One that exceeds its heap, or
 * stays silent for too long, is ended; the file counts as damaged, and the next call starts another.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DataError } from '../errors';
import type { ByteFile } from '../files/byte-file';
import { PARQUET_PROGRAM } from './parquet-program';

const MAX_HEAP_MIB = 2048;
const MAX_PART_BYTES = 2 ** 30;
const MAX_DECODED_BYTES = 2 ** 31;
// What an item of a plain array costs at least, with the value in it.
const BYTES_PER_ITEM = 32;
const DEFAULT_SILENT_MS = 120_000;

/** What one file may take before it counts as damaged. */
export interface DecodeLimits {
  /** How long the worker may neither answer nor ask for bytes. Default 120,000 ms. */
  readonly silentMs?: number;
}

/** A worker that starts with the first call, and again with the first one after it was ended. */
export interface ParquetWorker {
  /**
   * Runs one of the program's operations on a file.
   * @throws DataError damaged-file when the worker cannot answer; what reading the file threw
   */
  call(operation: string, file: ByteFile, rest: object, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

interface SliceRequest {
  readonly slice: number;
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

interface Reply {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: string;
}

interface Pending {
  readonly file: ByteFile;
  readonly signal: AbortSignal | undefined;
  /** The first error of reading the file itself, which says more than what the decoder makes of it. */
  readError?: unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The worker, and who waits for it. */
interface Host {
  readonly silentMs: number;
  readonly pending: Map<number, Pending>;
  readonly ids: Map<ByteFile, number>;
  readonly files: ByteFile[];
  worker: Worker | undefined;
  calls: number;
  /** Byte ranges that are being read: while there are any, the worker is right to be silent. */
  reading: number;
  watchdog: NodeJS.Timeout | undefined;
}

/** Prepares a worker. It keeps the process alive only while a call is under way. */
export function startParquetWorker({ silentMs = DEFAULT_SILENT_MS }: DecodeLimits): ParquetWorker {
  const host: Host = {
    silentMs,
    pending: new Map(),
    ids: new Map(),
    files: [],
    worker: undefined,
    calls: 0,
    reading: 0,
    watchdog: undefined,
  };
  return {
    call: async (operation, file, rest, signal) => {
      signal?.throwIfAborted();
      return call(host, { operation, file: announce(host, file), ...rest }, { file, signal });
    },
    close: async () => {
      const stopped = host.worker;
      failAll(host, 'the decoder was closed');
      await stopped?.terminate();
    },
  };
}

/** What the worker knows of a file: a number to ask for its bytes by, and their count. */
function announce({ ids, files }: Host, file: ByteFile): { id: number; size: number } {
  const id = ids.get(file) ?? files.push(file) - 1;
  ids.set(file, id);
  return { id, size: file.size };
}

function call(host: Host, message: object, { file, signal }: Pick<Pending, 'file' | 'signal'>): Promise<unknown> {
  host.worker ??= startThread(host);
  const { worker } = host;
  const number = ++host.calls;
  return new Promise((resolve, reject) => {
    host.pending.set(number, { file, signal, resolve, reject });
    worker.ref();
    watch(host);
    worker.postMessage({ call: number, ...message });
  });
}

function startThread(host: Host): Worker {
  const started = new Worker(PARQUET_PROGRAM, {
    eval: true,
    workerData: { modules: moduleUrls(), maxBytes: MAX_DECODED_BYTES, bytesPerItem: BYTES_PER_ITEM },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  started.on('message', (message: SliceRequest | Reply) => {
    if (started !== host.worker) return;
    if ('slice' in message) void answerSlice(host, started, message);
    else finish(host, message);
  });
  started.on('error', (error) => {
    if (started === host.worker) failAll(host, `it cannot be decoded within ${MAX_HEAP_MIB} MiB (${error.message})`);
  });
  return started;
}

/** Whoever waits, waits for this worker: all fail with it, and the next call starts another. */
function failAll(host: Host, reason: string): void {
  clearTimeout(host.watchdog);
  void host.worker?.terminate();
  host.worker = undefined;
  for (const each of host.pending.values()) each.reject(new DataError('damaged-file', `${each.file.name}: ${reason}`));
  host.pending.clear();
}

function watch(host: Host): void {
  const { pending, reading, silentMs } = host;
  clearTimeout(host.watchdog);
  if (pending.size > 0 && reading === 0)
    host.watchdog = setTimeout(() => failAll(host, `it is still not decoded after ${silentMs} ms`), silentMs);
}

async function answerSlice(host: Host, target: Worker, { slice, file: id, start, end }: SliceRequest): Promise<void> {
  const file = host.files[id]!;
  const waiting = [...host.pending.values()].find((each) => each.file === file);
  host.reading++;
  clearTimeout(host.watchdog);
  try {
    if (end - start > MAX_PART_BYTES)
      throw new DataError('damaged-file', `${file.name}: a part of ${end - start} bytes`);
    const bytes = Uint8Array.from(await file.read(start, end - start, waiting?.signal)).buffer;
    target.postMessage({ slice, bytes }, [bytes]);
  } catch (error) {
    if (waiting) waiting.readError ??= error;
    target.postMessage({ slice, error: String(error) });
  } finally {
    host.reading--;
    watch(host);
  }
}

function finish(host: Host, { call: number, value, error }: Reply): void {
  const waiting = host.pending.get(number);
  host.pending.delete(number);
  watch(host);
  if (host.pending.size === 0) host.worker?.unref();
  if (error === undefined) waiting?.resolve(value);
  else waiting?.reject(waiting.readError ?? new DataError('damaged-file', `${waiting.file.name}: ${error}`));
}

function moduleUrls(): string[] {
  const require = createRequire(import.meta.url);
  return [require.resolve('hyparquet'), require.resolve('hyparquet-compressors')].map(
    (file) => pathToFileURL(file).href,
  );
}
