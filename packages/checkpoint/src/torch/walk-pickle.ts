/**
 * Tensors and plain values of a decoded pickle, under dotted paths. A pickle is a graph: a few hundred bytes can describe a
 * dictionary that contains itself, or one whose paths double at every level. So the walk refuses to enter a container that it
 * is inside of, and all names together may be no longer than a small multiple of the pickle.
 */
import { CheckpointError, quote } from '../errors';
import { PickleObject, type PickleValue } from './pickle';
import { TorchTensor } from './torch-objects';

/** Something that JSON could hold as well. */
export type PlainValue = number | bigint | string | boolean | null;

/** What hangs on the branches of a checkpoint's dictionary, under dotted paths. */
export interface PickleLeaves {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly values: ReadonlyMap<string, PlainValue>;
}

const MAX_DEPTH = 64;
const NAME_BYTES_PER_PICKLE_BYTE = 32;

/** Collects the leaves under the keys that lead to them: `teacher` -> `cls_token` is `teacher.cls_token`. */
export function walkPickle(root: PickleValue, pickleBytes: number): PickleLeaves {
  const tensors = new Map<string, TorchTensor>();
  const values = new Map<string, PlainValue>();
  const inside = new Set<PickleValue>();
  let budget = NAME_BYTES_PER_PICKLE_BYTE * pickleBytes;

  const visit = (value: PickleValue, name: string): void => {
    budget -= name.length + 1;
    if (budget < 0)
      throw new CheckpointError('too-large', 'the pickle shares its parts in more ways than any checkpoint');
    if (value instanceof TorchTensor) addLeaf(tensors, name, value);
    else if (isPlain(value)) addLeaf(values, name, value);
    const children = childrenOf(value);
    if (!children) return;
    if (inside.has(value)) throw new CheckpointError('bad-format', `the pickle contains itself at ${quote(name)}`);
    if (inside.size >= MAX_DEPTH)
      throw new CheckpointError('too-large', `the pickle nests deeper than ${MAX_DEPTH} levels`);
    inside.add(value);
    for (const [key, child] of children) visit(child, name === '' ? key : `${name}.${key}`);
    inside.delete(value);
  };
  visit(root, '');
  return { tensors, values };
}

function addLeaf<V>(leaves: Map<string, V>, name: string, value: V): void {
  if (leaves.has(name)) throw new CheckpointError('bad-format', `the pickle has two entries at ${quote(name)}`);
  leaves.set(name, value);
}

function isPlain(value: PickleValue): value is PlainValue {
  return value === null || typeof value !== 'object';
}

function childrenOf(value: PickleValue): Iterable<[string, PickleValue]> | undefined {
  if (value instanceof PickleObject) return childrenOf(value.state instanceof Map ? value.state : value.items);
  if (Array.isArray(value)) return value.map((item, index) => [String(index), item]);
  if (!(value instanceof Map)) return undefined;
  return [...value].map(([key, item]) => [isPlain(key) ? String(key) : typeof key, item]);
}
