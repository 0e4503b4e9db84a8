/** Named tensors that are read one at a time, whatever file they come from, and entries to be written. */
import { isObject, kindOf } from './arguments';
import type { Dtype, TensorData } from './dtype';
import { CheckpointError, describe, quote } from './errors';

/** Name, element type and shape of a stored tensor. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Extents, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Bytes of its elements, contiguous. */
  readonly byteLength: number;
}

/** Elements `[start, end)` in row-major order. */
export interface ElementRange {
  readonly start: number;
  readonly end: number;
}

/** Named tensors that are read one at a time, whatever file format they come from. */
export interface TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Texts that the format carries (`__metadata__` of safetensors; empty for .pth). */
  readonly metadata: Readonly<Record<string, string>>;
  /** The elements, contiguous and row-major, in their own dtype. @throws CheckpointError `missing-tensor`, `truncated`, `closed` */
  read(name: string, range?: ElementRange): Promise<TensorData>;
  /** The elements as f32. */
  readFloat32(name: string, range?: ElementRange): Promise<Float32Array<ArrayBuffer>>;
}

/** An open file of tensors; nothing but its table of contents is in memory. */
export interface TensorFile extends TensorSource, AsyncDisposable {
  /** Where it is: a path, an address, a name. */
  readonly path: string;
  /** What else there is to know about it, in words: what it holds besides tensors, what of it is not read. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** A tensor to be written. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /**
   * Its little-endian bytes: a view, or a function that is called when the writer gets there and returns a view, a promise
   * of one, or pieces in order. With functions no more than one tensor (or piece) is in memory at a time.
   */
  readonly data: ArrayBufferView | (() => ArrayBufferView | Promise<ArrayBufferView> | AsyncIterable<ArrayBufferView>);
}

/** @throws CheckpointError `argument` unless it is an open file of tensors, or a part of one; `call` names who was given it */
export function requireSource(source: unknown, call: string): void {
  if (isObject(source) && source.tensors instanceof Map && typeof source.read === 'function') return;
  const wayOut = typeof source === 'string' ? 'open it first: openCheckpoint(path)' : 'openCheckpoint(path) gives one';
  throw new CheckpointError(
    'argument',
    `${call} takes an open file of tensors; ${kindOf(source)} was given; ${wayOut}`,
  );
}

/** Entries that copy every tensor of `source`, each read when the writer gets to it. */
export function entriesOf(source: TensorSource): TensorEntry[] {
  requireSource(source, 'entriesOf');
  return [...source.tensors.values()].map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    data: () => source.read(name),
  }));
}

/** A view of `source` under other names: `names` maps each new name to the old one; tensors that it leaves out are hidden. */
export function renameTensors(source: TensorSource, names: ReadonlyMap<string, string>): TensorSource {
  requireSource(source, 'renameTensors');
  if (!(names instanceof Map))
    throw new CheckpointError(
      'argument',
      `renameTensors takes a Map of names, new ones to old; ${kindOf(names)} was given`,
    );
  const tensors = new Map<string, TensorInfo>();
  for (const [name, old] of names) tensors.set(name, { ...findTensor(source.tensors, old, 'the source'), name });
  const oldName = (name: string) => {
    findTensor(tensors, name, 'this view');
    return names.get(name)!;
  };
  return {
    tensors,
    metadata: source.metadata,
    read: async (name, range) => source.read(oldName(name), range),
    readFloat32: async (name, range) => source.readFloat32(oldName(name), range),
  };
}

/** Looks a tensor up, or says what is there instead. @throws CheckpointError `missing-tensor` */
export function findTensor<T>(tensors: ReadonlyMap<string, T>, name: string, where: string): T {
  const found = tensors.get(name);
  if (found !== undefined) return found;
  const some = [...tensors.keys()].slice(0, 5).map(quote).join(', ');
  const more = tensors.size > 5 ? `, ... (${tensors.size} in all)` : '';
  throw new CheckpointError(
    'missing-tensor',
    `${where} has no tensor ${describe(name)}; it has ${some || 'none'}${more}`,
  );
}

/** Checks a range against a tensor and defaults to all of it. @throws CheckpointError `argument` */
export function resolveRange(name: string, elements: number, range: ElementRange | undefined): ElementRange {
  const { start, end } = range ?? { start: 0, end: elements };
  const valid =
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= elements;
  if (valid) return { start, end };
  throw new CheckpointError(
    'argument',
    `range [${start}, ${end}) is not within the ${elements} elements of ${quote(name)}`,
  );
}
