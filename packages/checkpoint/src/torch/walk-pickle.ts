/**
 * Tensors and plain values of a decoded pickle, under dotted paths. A pickle is a graph: a few hundred bytes can describe a
 * dictionary whose paths double at every level, and honest objects refer to each other in circles. So an object is entered
 * once, nothing is entered from inside of itself, and all names together may be no longer than a small multiple of the pickle.
 */
import { CheckpointError, quote } from '../errors';
import { type PickleMap, PickleObject, type PickleValue } from './pickle-values';
import { TorchTensor, UNREAD_TENSOR } from './torch-objects';

/** Something that JSON could hold as well. */
export type PlainValue = number | bigint | string | boolean | null;

/** What hangs on the branches of a checkpoint's dictionary, under dotted paths. */
export interface PickleLeaves {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly values: ReadonlyMap<string, PlainValue>;
  /** Tensors whose elements are of a type that is not read. */
  readonly unread: readonly string[];
}

const MAX_DEPTH = 64;
const NAME_BYTES_PER_PICKLE_BYTE = 32;

/** Collects the leaves under the keys that lead to them: `teacher` -> `cls_token` is `teacher.cls_token`. */
export function walkPickle(root: PickleValue, pickleBytes: number): PickleLeaves {
  const tensors = new Map<string, TorchTensor>();
  const values = new Map<string, PlainValue>();
  const unread: string[] = [];
  const inside = new Set<PickleValue>();
  const entered = new Set<PickleObject>();
  let budget = NAME_BYTES_PER_PICKLE_BYTE * pickleBytes;

  const visit = (value: PickleValue, name: string): void => {
    budget -= name.length + 1;
    if (budget < 0)
      throw new CheckpointError('too-large', 'the pickle shares its parts in more ways than any checkpoint');
    if (value instanceof TorchTensor) addTensor(tensors, name, value);
    else if (isPlain(value)) values.set(name, value);
    else if (value instanceof PickleObject && value.type === UNREAD_TENSOR) unread.push(name);
    if (inside.has(value) || (value instanceof PickleObject && entered.has(value))) return;
    if (!(value instanceof PickleObject || value instanceof Map || Array.isArray(value))) return;
    if (inside.size >= MAX_DEPTH)
      throw new CheckpointError('too-large', `the pickle nests deeper than ${MAX_DEPTH} levels`);
    if (value instanceof PickleObject) {
      entered.add(value);
      budget -= partsOf(value);
    }
    inside.add(value);
    for (const [key, child] of childrenOf(value)) visit(child, name === '' ? key : `${name}.${key}`);
    inside.delete(value);
  };
  visit(root, '');
  return { tensors, values, unread };
}

function addTensor(tensors: Map<string, TorchTensor>, name: string, value: TorchTensor): void {
  const other = tensors.get(name);
  if (other !== undefined && other !== value)
    throw new CheckpointError('format', `the pickle has two tensors at ${quote(name)}`);
  tensors.set(name, value);
}

function isPlain(value: PickleValue): value is PlainValue {
  return value === null || typeof value !== 'object';
}

type Children = Iterable<[string, PickleValue]>;

function childrenOf(value: PickleObject | PickleMap | PickleValue[]): Children {
  if (value instanceof PickleObject) return moduleTensors(value) ?? contentsOf(value);
  return value instanceof Map ? entriesOf(value) : value.map((item, index) => [String(index), item]);
}

/** How much there is to look through in an object, which may share its parts with many others. */
function partsOf({ args, list, state }: PickleObject): number {
  const attributes = state instanceof Map ? MODULE_PARTS.map((key) => state.get(key)) : [];
  const size = (part: PickleValue | undefined) =>
    part instanceof Map ? part.size : Array.isArray(part) ? part.length : 1;
  return [...attributes, ...args, list, state].reduce<number>((sum, part) => sum + size(part), 0);
}

/** Keys that are no plain values (parameters, in an optimizer) are named by their place. */
function entriesOf(map: PickleMap): [string, PickleValue][] {
  return [...map].map(([key, item], place) => [isPlain(key) ? String(key) : String(place), item]);
}

const MODULE_PARTS = ['_parameters', '_modules', '_buffers', '_non_persistent_buffers_set'];

/** Parameters, buffers and modules of a pickled `torch.nn.Module`, which `state_dict` would name the same; undefined for other objects. */
function moduleTensors({ state }: PickleObject): Children | undefined {
  if (!(state instanceof Map)) return undefined;
  const [parameters, modules, buffers, passing] = MODULE_PARTS.map((key) => state.get(key));
  if (!(parameters instanceof Map && modules instanceof Map)) return undefined;
  const unsaved = new Set(Array.isArray(passing) ? passing : []);
  const kept = entriesOf(buffers instanceof Map ? buffers : new Map()).filter(([name]) => !unsaved.has(name));
  return [...entriesOf(parameters), ...kept, ...entriesOf(modules)].filter(([, item]) => item !== null);
}

/**
 * What an inert object holds, as far as it has names: its items as a dictionary or list, dictionaries that it was made from,
 * its attributes. Attributes that repeat an item (dictionaries with both) are left out.
 */
function contentsOf({ args, items, list, state }: PickleObject): Children {
  const attributes = (Array.isArray(state) ? state : [state]).filter((part) => part instanceof Map);
  const contents = new Map<string, PickleValue>();
  for (const map of [...attributes.toReversed(), ...args.flatMap(dictionaryOf), items])
    for (const [key, item] of entriesOf(map)) contents.set(key, item);
  for (const [index, item] of list.entries()) contents.set(String(index), item);
  return contents;
}

/** A dictionary among the arguments of a class, or the list of its [key, value] pairs. */
function dictionaryOf(argument: PickleValue): PickleMap[] {
  if (argument instanceof Map) return [argument];
  if (!Array.isArray(argument) || !argument.every((pair) => Array.isArray(pair) && pair.length === 2)) return [];
  return [new Map(argument as [PickleValue, PickleValue][])];
}
