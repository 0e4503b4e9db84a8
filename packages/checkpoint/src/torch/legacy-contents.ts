/**
 * The format of `torch.save` before PyTorch 1.6, which many a published file still has. Pickles follow one another: a magic
 * number, a version, facts about the machine, the object itself, the list of storage keys; then in the order of that list
 * each storage as an unsigned 64-bit number of elements and the elements.
 */
import type { ByteSource } from '../byte-source';
import { elementSize } from '../dtype';
import { CheckpointError, describe, quote } from '../errors';
import { checkByteOrder, MAX_PICKLE_BYTES, namingFile, type TorchContents } from './contents';
import { unpickleAt } from './pickle';
import type { PickleValue } from './pickle-values';
import { TorchStorage, torchHooks } from './torch-objects';

const VERSION = 1001;

interface Pickles {
  readonly root: PickleValue;
  readonly rootBytes: number;
  readonly keys: PickleValue[];
  /** Where the storages begin. */
  readonly end: number;
}

/** Reads the pickles and finds the storages. @throws CheckpointError see `openPth` */
export async function readLegacyContents(file: ByteSource): Promise<TorchContents> {
  const bytes = await file.read(0, Math.min(file.size, MAX_PICKLE_BYTES));
  const hooks = torchHooks();
  const named = new Map<string, TorchStorage>();
  const persistent = (id: PickleValue) => {
    const value = hooks.persistent(id);
    if (value instanceof TorchStorage) named.set(value.key, value);
    return value;
  };
  const { root, rootBytes, keys, end } = namingFile(file.path, () => readPickles(bytes, { ...hooks, persistent }));
  const places = await findStorages(file, { keys, named, start: end });
  return {
    root,
    pickleBytes: rootBytes,
    inert: hooks.inert,
    storages: {
      size: (key) => places.get(key)?.size,
      read: (key, start, length) => file.read(places.get(key)!.start + start, length),
    },
  };
}

function readPickles(bytes: Uint8Array, hooks: Parameters<typeof unpickleAt>[2]): Pickles {
  const magic = unpickleAt(bytes, 0, hooks);
  const version = unpickleAt(bytes, magic.end, hooks);
  if (version.value !== VERSION)
    throw new CheckpointError('format', `its version is ${describe(version.value)}; only ${VERSION} is known`);
  const machine = unpickleAt(bytes, version.end, hooks);
  if (machine.value instanceof Map && machine.value.get('little_endian') === false) checkByteOrder('big', 'it');
  const root = unpickleAt(bytes, machine.end, hooks);
  const keys = unpickleAt(bytes, root.end, hooks);
  if (!Array.isArray(keys.value)) throw new CheckpointError('header', 'its list of storages is no list');
  return { root: root.value, rootBytes: root.end - machine.end, keys: keys.value, end: keys.end };
}

interface Place {
  readonly start: number;
  readonly size: number;
}

async function findStorages(
  file: ByteSource,
  { keys, named, start }: { keys: PickleValue[]; named: ReadonlyMap<string, TorchStorage>; start: number },
): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? named.get(key) : undefined;
    if (!storage) {
      const what = `${file.path} has a storage ${describe(key)} that no tensor describes, or of elements that are not read`;
      throw new CheckpointError('header', `${what}; re-save it in Python: torch.save(torch.load(path), path)`);
    }
    const count = new DataView((await file.read(at, 8)).buffer).getBigUint64(0, true);
    if (count !== BigInt(storage.elements)) {
      const what = `storage ${quote(storage.key)} has ${count} elements, its tensors say ${storage.elements}`;
      throw new CheckpointError('header', `${file.path} is corrupt: ${what}; copy or download it again`);
    }
    const size = storage.elements * elementSize(storage.dtype);
    if (at + 8 + size > file.size) {
      const what = `storage ${quote(storage.key)} ends at byte ${at + 8 + size} of ${file.size}`;
      throw new CheckpointError('truncated', `${file.path} is cut short: ${what}; copy or download it again`);
    }
    places.set(storage.key, { start: at + 8, size });
    at += 8 + size;
  }
  return places;
}
