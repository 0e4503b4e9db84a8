/** A model that is split over several files, read as one by its index. */
import type { ByteSource } from '../byte-source';
import { CheckpointError, describe, quote } from '../errors';
import { foreignJson } from '../foreign-files';
import { findTensor, type TensorFile, type TensorInfo } from '../tensor-source';
import { MAX_HEADER_BYTES } from './header';

/**
 * Reads an index, `{"metadata": {...}, "weight_map": {tensor name: file name}}`, and opens each of its shards. A name that points out of the index's folder is
 * refused.
 *
 * @param open opens a shard by its file name
 * @throws CheckpointError those of `open`; `missing-tensor` where a shard lacks a tensor of the index
 */
export async function readSharded(
  index: ByteSource,
  open: (fileName: string) => Promise<TensorFile>,
): Promise<TensorFile> {
  const { path } = index;
  const { weightMap, metadata } = await readIndex(index);
  const shards = new Map<string, TensorFile>();
  const close = async () => {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
  };
  try {
    const tensors = new Map<string, TensorInfo>();
    for (const [name, fileName] of weightMap) {
      if (!shards.has(fileName)) shards.set(fileName, await open(fileName));
      const shard = shards.get(fileName)!;
      tensors.set(name, findTensor(shard.tensors, name, shard.path));
    }
    const shardOf = (name: string) => shards.get(findTensor(weightMap, name, path))!;
    return {
      path,
      metadata,
      notes: [...new Set([...shards.values()].flatMap((shard) => shard.notes))],
      tensors,
      read: async (name, range) => shardOf(name).read(name, range),
      readFloat32: async (name, range) => shardOf(name).readFloat32(name, range),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ShardIndex {
  readonly weightMap: ReadonlyMap<string, string>;
  readonly metadata: Readonly<Record<string, string>>;
}

async function readIndex(file: ByteSource): Promise<ShardIndex> {
  const { path } = file;
  if (file.size > MAX_HEADER_BYTES) {
    const limit = `the limit for an index is ${MAX_HEADER_BYTES}`;
    throw new CheckpointError('too-large', `${path} has ${file.size} bytes; ${limit}`);
  }
  const index = parseIndex(await file.read(0, file.size), path);
  const weightMap = new Map<string, string>();
  for (const [name, fileName] of Object.entries(index.weight_map)) {
    if (typeof fileName !== 'string' || !/^[\w][\w.-]*$/.test(fileName)) {
      throw new CheckpointError(
        'header',
        `${path} puts ${quote(name)} into ${describe(fileName)}, not a file beside it`,
      );
    }
    weightMap.set(name, fileName);
  }
  const plain = Object.entries(index.metadata ?? {}).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return { weightMap, metadata: Object.fromEntries(plain.map(([key, value]) => [key, String(value)])) };
}

function parseIndex(bytes: Uint8Array, path: string): { weight_map: object; metadata?: object } {
  let index: unknown;
  try {
    index = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CheckpointError('format', `${path} begins like JSON and is not; download it again`, { cause });
  }
  const { weight_map, metadata } = (index ?? {}) as Record<string, unknown>;
  if (typeof weight_map === 'object' && weight_map !== null && !Array.isArray(weight_map)) {
    return { weight_map, metadata: typeof metadata === 'object' && metadata !== null ? metadata : {} };
  }
  throw foreignJson(path, index);
}
