/**
 * What `torch.save` puts into a pickle: storages and tensors. The tables are all that a file may name, besides what the
 * caller adds as inert data. A storage is a persistent id ('storage', class, key, device, elements): its bytes lie in the zip
 * entry `data/{key}`. A tensor is a call `_rebuild_tensor_v2(storage, offset, size, stride, ...)`: a strided view of a
 * storage, several of which may share one.
 */
import { type Dtype, elementCount } from '../dtype';
import { CheckpointError, describe, quote } from '../errors';
import { PickleExternal, PickleGlobal, type PickleHooks, type PickleValue } from './pickle';

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
  ['torch.Size', firstArgument],
  ['collections.OrderedDict', emptyDict],
]);

/** Plain notes about tensors: a device, a dtype. */
const INERT = /^torch\.(device|float16|float32|float64|bfloat16|int8|int16|int32|int64|uint8|bool)$/;

/**
 * The allow-list as hooks of `unpickle`. Globals in `inert` are let through as data that does nothing.
 *
 * @throws CheckpointError `unsafe-pickle` from a hook, for any other global
 */
export function torchHooks(inert: readonly string[]): PickleHooks {
  const allowed = new Set(inert);
  return {
    global: (name) => {
      if (STORAGES.has(name) || INERT.test(name) || allowed.has(name)) return new PickleGlobal(name);
      const call = FUNCTIONS.get(name);
      if (call) return new PickleGlobal(name, call);
      const advice = `if you trust it to be plain data, pass inert: [${quote(name)}]; it is never run`;
      throw new CheckpointError('unsafe-pickle', `the pickle names ${quote(name)}, which no weights need; ${advice}`);
    },
    persistent: parseStorage,
  };
}

function malformed(what: string): CheckpointError {
  return new CheckpointError('bad-header', `the pickle describes an impossible tensor: ${what}`);
}

function parseStorage(id: PickleValue): TorchStorage {
  const [tag, type, key, , elements] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleGlobal ? STORAGES.get(type.name) : undefined;
  if (tag !== 'storage' || !dtype || typeof key !== 'string' || !isExtent(elements)) {
    throw malformed(`its storage is ${describe(id)}`);
  }
  return new TorchStorage(key, dtype, elements);
}

function rebuildTensor([storage, offset, shape, stride]: Args): TorchTensor {
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

/** Its items follow by SETITEMS. Items as arguments would let a few bytes copy a long list again and again. */
function emptyDict(args: Args): PickleValue {
  if (args.length > 0) throw malformed('an OrderedDict with arguments');
  return new Map();
}
