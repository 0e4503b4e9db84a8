/**
 * Decodes parquet in a worker thread, within limits that a hostile file cannot lift.
 *
 * A parquet file announces sizes everywhere (rows, lists, runs, pages), and a few forged bytes can announce billions; the
 * decoder believes them. So the worker replaces the constructors of arrays: each decoding has a budget of bytes, and a plain
 * array made for n items cannot grow beyond them. A worker that exceeds its heap nevertheless, or stays silent for too long, is
 * ended; the file counts as damaged, and the next call starts another. It also keeps the unpacking off the main thread, which
 * has a GPU to feed.
 *
 * The worker asks the main thread for byte ranges, so files behind HTTP and on disk look alike. Its program is a string because
 * it must run from sources and from the bundle alike; `hyparquet` is loaded by its resolved address.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DataError } from '../errors';
import type { ByteFile } from '../files/byte-file';

const MAX_HEAP_MIB = 2048;
const MAX_PART_BYTES = 2 ** 30;
const MAX_DECODED_BYTES = 2 ** 31;
// What an item of a plain array costs at least, with the value in it.
const BYTES_PER_ITEM = 32;
const DEFAULT_SILENT_MS = 120_000;

/** What a parquet file holds, as far as finding the images needs it. */
export interface ParquetDescription {
  /** Rows of each row group. */
  readonly groups: readonly number[];
  readonly columns: readonly ParquetColumn[];
  /** Free text that writers attach, e.g. `huggingface`. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface ParquetColumn {
  readonly name: string;
  /** Physical type, absent for a struct. */
  readonly type?: string;
  /** True for text, as opposed to bytes. */
  readonly isText: boolean;
  /** Names of a struct's fields. */
  readonly fields: readonly string[];
}

/** Byte values of consecutive rows: row `i` is `bytes[offsets[i] .. offsets[i + 1]]`, empty where it has none. */
export interface ByteRows {
  readonly bytes: Uint8Array;
  readonly offsets: Float64Array;
}

/** What one file may take before it counts as damaged. */
export interface DecodeLimits {
  /** How long the worker may neither answer nor ask for bytes. Default 120,000 ms. */
  readonly silentMs?: number;
}

export interface ParquetDecoder {
  describe(file: ByteFile, signal?: AbortSignal): Promise<ParquetDescription>;
  /** Byte values of a column (or of the `bytes` field of a struct column) in the row group of rows `[from, to)`. */
  byteRows(file: ByteFile, column: string, from: number, to: number, signal?: AbortSignal): Promise<ByteRows>;
  /** Values of a column as text in the row group of rows `[from, to)`; undefined where it has none. */
  texts(
    file: ByteFile,
    column: string,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<(string | undefined)[]>;
  close(): Promise<void>;
}

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const budget = { bytes: 0 };
const spend = (bytes) => {
  if (!(bytes <= budget.bytes)) throw new RangeError('it announces more than ' + workerData.maxBytes + ' bytes');
  budget.bytes -= bytes;
};
const guard = (Base, bytesPerItem, make) => new Proxy(Base, {
  construct(target, args) {
    if (args.length !== 1 || typeof args[0] !== 'number') return Reflect.construct(target, args);
    spend(args[0] * bytesPerItem);
    return make(args[0]);
  },
});
for (const name of ['Uint8Array', 'Int32Array', 'BigInt64Array', 'Float32Array', 'Float64Array']) {
  const Base = globalThis[name];
  globalThis[name] = guard(Base, Base.BYTES_PER_ELEMENT, (length) => new Base(length));
}
const PlainArray = Array;
globalThis.Array = guard(PlainArray, workerData.bytesPerItem, (length) => Object.preventExtensions(new PlainArray(length).fill(undefined)));

const modules = Promise.all(workerData.modules.map((url) => import(url)));
const slices = new Map();
const files = new Map();
let sliceId = 0;

const openFile = ({ id, size }) => {
  if (!files.has(id)) {
    const file = {
      byteLength: size,
      slice: (start, end = size) => new Promise((resolve, reject) => {
        slices.set(++sliceId, { resolve, reject });
        parentPort.postMessage({ slice: sliceId, file: id, start, end });
      }),
    };
    const metadata = modules.then(([{ parquetMetadataAsync }]) => parquetMetadataAsync(file, { geoparquet: false }));
    files.set(id, { file, metadata });
  }
  return files.get(id);
};
const readValues = async ({ file: opened, column, from, to }) => {
  const [{ parquetRead }, { compressors }] = await modules;
  const { file, metadata } = openFile(opened);
  const values = [];
  await parquetRead({
    file, metadata: await metadata, columns: [column], rowStart: from, rowEnd: to, utf8: false, compressors,
    onChunk: ({ columnData }) => { for (const value of columnData) values.push(value); },
  });
  if (values.length !== to - from) throw new Error((to - from) + ' rows are announced, ' + values.length + ' are there');
  return values;
};
const operations = {
  describe: async ({ file }) => {
    const [{ parquetSchema }] = await modules;
    const metadata = await openFile(file).metadata;
    const isText = (element) => element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING';
    const columns = parquetSchema(metadata).children.map(({ element, children }) => ({
      name: element.name, type: element.type, isText: isText(element), fields: children.map((child) => child.element.name),
    }));
    const texts = Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
    return { value: { groups: metadata.row_groups.map((group) => Number(group.num_rows)), columns, texts } };
  },
  byteRows: async (call) => {
    const values = (await readValues(call)).map((value) => (value instanceof Uint8Array ? value : value?.bytes));
    const offsets = new Float64Array(values.length + 1);
    values.forEach((value, row) => { offsets[row + 1] = offsets[row] + (value?.length ?? 0); });
    const bytes = new Uint8Array(offsets[values.length]);
    values.forEach((value, row) => { if (value) bytes.set(value, offsets[row]); });
    return { value: { bytes, offsets }, transfer: [bytes.buffer, offsets.buffer] };
  },
  texts: async (call) => {
    const decoder = new TextDecoder();
    const toText = (value) => (value instanceof Uint8Array ? decoder.decode(value) : String(value));
    return { value: (await readValues(call)).map((value) => (value == null ? undefined : toText(value))) };
  },
};
parentPort.on('message', async (message) => {
  if (message.slice) {
    const waiting = slices.get(message.slice);
    slices.delete(message.slice);
    if (message.error) waiting.reject(new Error(message.error));
    else waiting.resolve(message.bytes);
    return;
  }
  budget.bytes = workerData.maxBytes;
  try {
    const { value, transfer } = await operations[message.operation](message);
    parentPort.postMessage({ call: message.call, value }, transfer);
  } catch (error) {
    parentPort.postMessage({ call: message.call, error: String(error?.message ?? error) });
  }
});
`;

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

/** Starts a decoder. The worker itself starts with the first call, and keeps the process alive only while one is under way. */
export function createParquetDecoder(limits: DecodeLimits = {}): ParquetDecoder {
  const { silentMs = DEFAULT_SILENT_MS } = limits;
  const pending = new Map<number, Pending>();
  const ids = new Map<ByteFile, number>();
  const filesById: ByteFile[] = [];
  let worker: Worker | undefined;
  let calls = 0;
  let watchdog: NodeJS.Timeout | undefined;
  let reading = 0;

  /** Whoever waits, waits for this worker: all fail with it, and the next call starts another. */
  const failAll = (reason: string): void => {
    clearTimeout(watchdog);
    void worker?.terminate();
    worker = undefined;
    for (const each of pending.values()) each.reject(new DataError('damaged-file', `${each.file.name}: ${reason}`));
    pending.clear();
  };
  const watch = (): void => {
    clearTimeout(watchdog);
    if (pending.size > 0 && reading === 0)
      watchdog = setTimeout(() => failAll(`it is still not decoded after ${silentMs} ms`), silentMs);
  };
  const answerSlice = async (target: Worker, { slice, file: id, start, end }: SliceRequest): Promise<void> => {
    const file = filesById[id]!;
    const waiting = [...pending.values()].find((each) => each.file === file);
    reading++;
    clearTimeout(watchdog);
    try {
      if (end - start > MAX_PART_BYTES)
        throw new DataError('damaged-file', `${file.name}: a part of ${end - start} bytes`);
      const bytes = Uint8Array.from(await file.read(start, end - start, waiting?.signal)).buffer;
      target.postMessage({ slice, bytes }, [bytes]);
    } catch (error) {
      if (waiting) waiting.readError ??= error;
      target.postMessage({ slice, error: String(error) });
    } finally {
      reading--;
      watch();
    }
  };
  const finish = ({ call, value, error }: Reply): void => {
    const waiting = pending.get(call);
    pending.delete(call);
    watch();
    if (pending.size === 0) worker?.unref();
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(waiting.readError ?? new DataError('damaged-file', `${waiting.file.name}: ${error}`));
  };
  const start = (): Worker => {
    const started = new Worker(PROGRAM, {
      eval: true,
      workerData: { modules: moduleUrls(), maxBytes: MAX_DECODED_BYTES, bytesPerItem: BYTES_PER_ITEM },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
    });
    started.on('message', (message: SliceRequest | Reply) => {
      if (started !== worker) return;
      if ('slice' in message) void answerSlice(started, message);
      else finish(message);
    });
    started.on('error', (error) => {
      if (started === worker) failAll(`it cannot be decoded within ${MAX_HEAP_MIB} MiB (${error.message})`);
    });
    return started;
  };
  const call = (operation: string, file: ByteFile, rest: object, signal?: AbortSignal): Promise<unknown> => {
    signal?.throwIfAborted();
    worker ??= start();
    const id = ids.get(file) ?? filesById.push(file) - 1;
    ids.set(file, id);
    const number = ++calls;
    return new Promise((resolve, reject) => {
      pending.set(number, { file, signal, resolve, reject });
      worker!.ref();
      watch();
      worker!.postMessage({ call: number, operation, file: { id, size: file.size }, ...rest });
    });
  };
  return {
    describe: async (file, signal) => (await call('describe', file, {}, signal)) as ParquetDescription,
    byteRows: async (file, column, from, to, signal) =>
      (await call('byteRows', file, { column, from, to }, signal)) as ByteRows,
    texts: async (file, column, from, to, signal) =>
      (await call('texts', file, { column, from, to }, signal)) as (string | undefined)[],
    close: async () => {
      const stopped = worker;
      failAll('the decoder was closed');
      await stopped?.terminate();
    },
  };
}

function moduleUrls(): string[] {
  const require = createRequire(import.meta.url);
  return [require.resolve('hyparquet'), require.resolve('hyparquet-compressors')].map(
    (file) => pathToFileURL(file).href,
  );
}
