/**
 * What `torch.save` puts into a pickle: storages and tensors. The tables are all that a file may name and mean; whatever else
 * it names becomes inert data. A storage is a persistent id ('storage', class, key, device, elements): its bytes lie in the zip
 * entry `data/{key}`. A tensor is a call `_rebuild_tensor_v2(storage, offset, size, stride, ...)`: a strided view of a
 * storage, several of which may share one.
 */
import { type Dtype, elementCount } from '../dtype';
import { CheckpointError, describe, quote } from '../errors';
import { runsCommands } from './commands';
import type { PickleHooks } from './pickle-machine';
import { PickleExternal, PickleGlobal, PickleObject, type PickleValue } from './pickle-values';

/** A run of elements in the archive. */
export class TorchStorage extends PickleExternal {
  readonly kind = 'storage';
  constructor(
    readonly key: string,
    readonly dtype: Dtype,
    readonly elements: number,
  ) {
    super();
  }
}

/** A strided view of a storage: element `(i, j, ...)` is at `offset + i * stride[0] + j * stride[1] + ...`. */
export class TorchTensor extends PickleExternal {
  readonly kind = 'tensor';
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {
    super();
  }
}

type Args = readonly PickleValue[];

/** Type of the stand-in for a tensor whose elements are not read. */
export const UNREAD_TENSOR = 'torch.Tensor';

const STORAGES: ReadonlyMap<string, Dtype> = new Map([
  ['torch.FloatStorage', 'f32'],
  ['torch.DoubleStorage', 'f64'],
  ['torch.HalfStorage', 'f16'],
  ['torch.BFloat16Storage', 'bf16'],
  ['torch.LongStorage', 'i64'],
  ['torch.IntStorage', 'i32'],
  ['torch.ShortStorage', 'i16'],
  ['torch.CharStorage', 'i8'],
  ['torch.ByteStorage', 'u8'],
  ['torch.BoolStorage', 'bool'],
]);

const FUNCTIONS: ReadonlyMap<string, (args: Args) => PickleValue> = new Map([
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_parameter', firstArgument],
  ['torch._utils._rebuild_parameter_with_state', firstArgument],
  ['torch._tensor._rebuild_from_type_v2', rebuildSubclass],
  ['torch.Size', firstArgument],
  ['collections.OrderedDict', orderedDict],
  ['builtins.set', items],
  ['builtins.frozenset', items],
  ['__builtin__.set', items],
  ['__builtin__.frozenset', items],
]);

/** Plain notes about tensors, which need no mention: a device, a dtype. */
const NOTES = /^torch\.(device|float16|float32|float64|bfloat16|int8|int16|int32|int64|uint8|bool|(\w+\.)*\w+Storage)$/;

/** What makes sparse and quantised tensors, and those of types that PyTorch got later. */
const UNREAD = /^torch\._utils\._rebuild_(\w+_)?tensor(_\w+)?$/;

/** Hooks of `unpickle`, and the names of what became inert while it ran. */
export interface TorchHooks extends PickleHooks {
  readonly inert: ReadonlySet<string>;
}

/**
 * Tensors and what they need mean something; any other global is inert.
 *
 * @throws CheckpointError `unsafe-pickle` from a hook, for what would run a command in Python
 */
export function torchHooks(): TorchHooks {
  const inert = new Set<string>();
  return {
    inert,
    global: (name) => {
      const call = FUNCTIONS.get(name);
      if (call) return new PickleGlobal(name, call);
      if (UNREAD.test(name)) return new PickleGlobal(name, () => new PickleObject(UNREAD_TENSOR, []));
      if (runsCommands(name)) {
        const advice = 'no weights need that; take them from a source that you trust';
        throw new CheckpointError(
          'unsafe-pickle',
          `the pickle names ${quote(name)}, which would run when the file is opened in Python; ${advice}`,
        );
      }
      if (!NOTES.test(name)) inert.add(name);
      return new PickleGlobal(name);
    },
    persistent: parsePersistent,
  };
}

function malformed(what: string): CheckpointError {
  return new CheckpointError('header', `the pickle describes an impossible tensor: ${what}`);
}

/** A storage, or of ('module', class, source file, source), which old files have beside pickled modules, the class. */
function parsePersistent(id: PickleValue): PickleValue {
  const [tag, type, key, , elements, view] = Array.isArray(id) ? id : [];
  if (tag === 'module' && type instanceof PickleGlobal) return type;
  const name = type instanceof PickleGlobal ? type.name : '';
  const known = typeof key === 'string' && isExtent(elements) && (view === undefined || view === null);
  if (tag !== 'storage' || !name.endsWith('Storage') || !known) throw malformed(`its storage is ${describe(id)}`);
  const dtype = STORAGES.get(name);
  return dtype ? new TorchStorage(key, dtype, elements) : new PickleObject(name, []);
}

/** A tensor, or an inert object where its elements are of a type that is not read (complex, quantised). */
function rebuildTensor([storage, offset, shape, stride]: Args): TorchTensor | PickleObject {
  if (storage instanceof PickleObject) return new PickleObject(UNREAD_TENSOR, [storage]);
  if (!(storage instanceof TorchStorage)) throw malformed('it has no storage');
  if (!isExtent(offset) || !isExtents(shape) || !isExtents(stride) || shape.length !== stride.length) {
    throw malformed(`offset ${describe(offset)}, shape ${describe(shape)}, stride ${describe(stride)}`);
  }
  const count = elementCount(shape);
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * stride[axis]!, offset);
  if (count === undefined || (count > 0 && last >= storage.elements)) {
    throw malformed(`shape [${shape}], stride [${stride}] at ${offset} of a storage of ${storage.elements} elements`);
  }
  return new TorchTensor(storage, offset, shape, stride);
}

function isExtent(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A shape or stride; torch allows 64 dimensions at most. */
function isExtents(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isExtent);
}

function firstArgument([first]: Args): PickleValue {
  if (first === undefined) throw malformed('a call lacks its argument');
  return first;
}

/** A tensor of a subclass: (function, class, its arguments, attributes). */
function rebuildSubclass([rebuild, , args]: Args): PickleValue {
  if (!(rebuild instanceof PickleGlobal) || !Array.isArray(args)) throw malformed('a subclass without a tensor');
  return rebuild.call ? rebuild.call(args) : new PickleObject(rebuild.name, args);
}

/**
 * Its items follow by SETITEMS, or were given as a list by Python 2: that is kept as it is, since a copy would let a few bytes
 * copy a long list again and again.
 */
function orderedDict(args: Args): PickleValue {
  return args.length === 0 ? new Map() : new PickleObject('collections.OrderedDict', args);
}

/** What a set is made from. */
function items([list]: Args): PickleValue {
  return Array.isArray(list) ? list : [];
}
