/**
 * What the parquet worker runs: `hyparquet` behind constructors that count what they allocate.
 *
 * It is a string because it must run from sources and from the bundle alike; the modules are loaded by the addresses that it
 * is given. A parquet file announces sizes everywhere (rows, lists, runs, pages), and a few forged bytes can announce
 * billions; the decoder believes them. So the constructors of arrays are replaced: each call has a budget of bytes, and a
 * plain array made for n items cannot grow beyond them.
 */

export const PARQUET_PROGRAM: string = `
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
  numberRows: async (call) => {
    const values = await readValues(call);
    const offsets = new Float64Array(values.length + 1);
    const isList = (value) => Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;
    const count = (value) => {
      if (!isList(value)) return 1;
      let items = 0;
      for (const item of value) items += count(item);
      return items;
    };
    values.forEach((value, row) => { offsets[row + 1] = offsets[row] + (value == null ? 0 : count(value)); });
    const numbers = new Float32Array(offsets[values.length]);
    let at = 0;
    const add = (value, row) => {
      if (isList(value)) for (const item of value) add(item, row);
      else if (value == null || typeof value === 'number' || typeof value === 'bigint') numbers[at++] = value == null ? NaN : Number(value);
      else throw new Error('row ' + (call.from + row) + ' of column ' + call.column + ' holds something else than numbers');
    };
    values.forEach((value, row) => { if (value != null) add(value, row); });
    return { value: { numbers, offsets }, transfer: [numbers.buffer, offsets.buffer] };
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
