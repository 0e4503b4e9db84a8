/**
 * Features on disk, found again by what they were computed from. Running a backbone over a data set is the costly part
 * of an evaluation, and its result depends on exactly these: the weights, the preprocessing, the images, which
 * outputs were taken, and the code that computes. The key is hashed into the file's name; the file is safetensors, with the key in its metadata, so
 * that it can be read anywhere. It appears whole or not at all.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, openSafetensors, writeSafetensors } from '@franca/checkpoint';
import type { OptionKinds } from '@franca/tensor';
import { checkSet } from '../check-features';
import { checkArgument, checkOptions, EvalsError } from '../errors';

/** What features were computed from. */
export interface FeatureKey {
  /** Identifies the model: `hashFile` of its weights, and what the file does not say (attention heads, resampled positions). */
  readonly weights: string;
  /** Everything between decoded pixels and the model, such as `resize 256 bicubic, crop 224, ImageNet mean/std`. */
  readonly preprocessing: string;
  /** Identifies the images: `fingerprintFiles` of their files, or a data set's name and version. */
  readonly data: string;
  /** Which outputs, such as `cls of blocks 9-12, patches of 12`. */
  readonly outputs: string;
  /** What computes: versions of the code, and where it makes a difference the device. */
  readonly code: string;
}

/** One array of features. Labels and masks are better read anew: they are corrected while images stay as they are. */
export interface FeatureArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Named arrays of one data set. */
export type FeatureArrays = Readonly<Record<string, FeatureArray>>;

export interface FeatureCacheOptions {
  /** Told of a file that cannot be used and why; such a file counts as absent and is replaced. */
  readonly onDamaged?: (path: string, reason: string) => void;
}

const OPTIONS: OptionKinds<FeatureCacheOptions> = { onDamaged: 'function' };
const KEY: OptionKinds<FeatureKey> = {
  weights: 'string',
  preprocessing: 'string',
  data: 'string',
  outputs: 'string',
  code: 'string',
};

export interface FeatureCache {
  /** The arrays of this key; `undefined` where there are none, or their file is damaged. */
  readonly read: (key: FeatureKey) => Promise<FeatureArrays | undefined>;
  /** Stores arrays and returns the path. @throws CheckpointError `disk-full`, `bad-input`; EvalsError `bad-file` where the folder cannot be made */
  readonly write: (key: FeatureKey, arrays: FeatureArrays) => Promise<string>;
  /** The stored arrays, or else those of `compute`, which are then stored. */
  readonly readOrCompute: (
    key: FeatureKey,
    compute: () => Promise<FeatureArrays>,
  ) => Promise<{ readonly arrays: FeatureArrays; readonly cached: boolean }>;
}

/**
 * Opens a cache in `folder`, which is created when something is written.
 *
 * @throws EvalsError `bad-option`, here and from its functions, for a key that lacks a part
 */
export function openFeatureCache(folder: string, options: FeatureCacheOptions = {}): FeatureCache {
  checkArgument('openFeatureCache', 'folder', folder, 'string');
  checkOptions('openFeatureCache', options, OPTIONS);
  const { onDamaged } = options;
  const pathOf = (key: FeatureKey) => join(folder, `${hashText(canonical(key))}.safetensors`);

  const read = async (key: FeatureKey) => {
    checkKey(key);
    const path = pathOf(key);
    try {
      return await readArrays(path, canonical(key));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      if (error.code !== 'not-found') onDamaged?.(path, error.message);
      return undefined;
    }
  };
  const write = async (key: FeatureKey, arrays: FeatureArrays) => {
    checkKey(key);
    checkArrays(arrays);
    await makeFolder(folder);
    const entries = Object.entries(arrays).map(([name, { shape, data }]) => ({
      name,
      dtype: dtypeOf(data),
      shape,
      data,
    }));
    await writeSafetensors(pathOf(key), entries, { key: canonical(key) });
    return pathOf(key);
  };
  const readOrCompute = async (key: FeatureKey, compute: () => Promise<FeatureArrays>) => {
    checkArgument('readOrCompute', 'compute', compute, 'function');
    const stored = await read(key);
    if (stored) return { arrays: stored, cached: true };
    const arrays = await compute();
    await write(key, arrays);
    return { arrays, cached: false };
  };
  return { read, write, readOrCompute };
}

/** A part that is missing would be missing from the key, and features of something else found under it. */
function checkKey(key: FeatureKey): void {
  checkOptions('feature cache: key', key, KEY);
  for (const [part, kind] of Object.entries(KEY))
    checkArgument('feature cache', `key.${part}`, key[part as keyof FeatureKey], kind);
}

function checkArrays(arrays: FeatureArrays): void {
  checkArgument('feature cache', 'arrays', arrays, 'object');
  for (const [name, array] of Object.entries(arrays)) {
    checkSet(`feature cache: ${name}`, array, { shape: 'numbers', data: 'list' });
    const { data } = array;
    if (!(data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array))
      throw new EvalsError(
        'bad-features',
        `feature cache: ${name}.data must be a Float32Array, Int32Array or Uint8Array`,
      );
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new EvalsError('bad-file', `${folder} cannot be made (${code}); give a folder that can be written`, {
      cause,
    });
  }
}

async function readArrays(path: string, key: string): Promise<FeatureArrays> {
  await using file = await openSafetensors(path);
  if (file.metadata.key !== key) {
    throw new CheckpointError('corrupt', `${path} holds features of another key: ${file.metadata.key}`);
  }
  const arrays: Record<string, FeatureArray> = {};
  for (const { name, shape, dtype } of file.tensors.values()) {
    const data = await file.read(name);
    const usable = data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array;
    if (!usable) throw new CheckpointError('corrupt', `${path}: ${name} is ${dtype}, which no feature array is`);
    arrays[name] = { shape, data };
  }
  return arrays;
}

function dtypeOf(data: FeatureArray['data']): 'f32' | 'i32' | 'u8' {
  if (data instanceof Float32Array) return 'f32';
  return data instanceof Int32Array ? 'i32' : 'u8';
}

function canonical({ weights, preprocessing, data, outputs, code }: FeatureKey): string {
  return JSON.stringify({ weights, preprocessing, data, outputs, code });
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
