/** A file of features: arrays by name with their key, as safetensors that can be read anywhere, whole or by rows. */
import { CheckpointError, openSafetensors, type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { checkSet } from '../check-features';
import { checkArgument, EvalsError } from '../errors';
import { type FeatureKey, type FloatsOnDisk, keyText } from './feature-key';
import { toHalves } from './halves';

/** One array of features. Labels and masks are better read anew: they are corrected while images stay as they are. */
export interface FeatureArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Named arrays of one data set. */
export type FeatureArrays = Readonly<Record<string, FeatureArray>>;

/** An open file of features. */
export interface FeatureFile extends AsyncDisposable {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** An array, or rows `begin` up to, not including, `end` of its first axis: nothing else is read. Rounded numbers are widened. */
  read(name: string, begin?: number, end?: number): Promise<FeatureArray['data']>;
  close(): Promise<void>;
}

/** @throws EvalsError `features` for what is no array, and for a number that 16 bits cannot hold where they are asked for */
export async function writeFeatureFile(path: string, key: FeatureKey, arrays: FeatureArrays): Promise<void> {
  checkArrays(arrays);
  const entries = Object.entries(arrays).map(([name, array]) => entryOf(name, array, key.floats));
  await writeSafetensors(path, entries, {
    key: keyText(key),
    ...(key.about && { about: JSON.stringify(key.about) }),
  });
}

/** @throws CheckpointError `not-found`, or where it is not the features of this key */
export async function openFeatureFile(path: string, key: FeatureKey): Promise<FeatureFile> {
  const file = await openSafetensors(path);
  if (file.metadata.key !== keyText(key)) {
    await file.close();
    throw new CheckpointError('corrupt', `${path} holds features of another key: ${file.metadata.key}`);
  }
  const read: FeatureFile['read'] = async (name, begin = 0, end) => {
    const { shape = [], dtype } = file.tensors.get(name) ?? {};
    const [rows = 1, ...each] = shape;
    const width = each.reduce((product, extent) => product * extent, 1);
    const range = { start: begin * width, end: (end ?? rows) * width };
    const data = await (dtype === 'f16' ? file.readFloat32(name, range) : file.read(name, range));
    if (isFeatureData(data)) return data;
    throw new CheckpointError('corrupt', `${path}: ${name} is ${dtype}, which no feature array is`);
  };
  const shapes = new Map([...file.tensors].map(([name, { shape }]) => [name, shape]));
  return { shapes, read, close: file.close, [Symbol.asyncDispose]: file.close };
}

const isFeatureData = (data: unknown): data is FeatureArray['data'] =>
  data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array;

function checkArrays(arrays: FeatureArrays): void {
  checkArgument('feature cache', 'arrays', arrays, 'object');
  for (const [name, array] of Object.entries(arrays)) {
    checkSet(`feature cache: ${name}`, array, { shape: 'numbers', data: 'list' });
    if (!isFeatureData(array.data))
      throw new EvalsError('features', `feature cache: ${name}.data must be a Float32Array, Int32Array or Uint8Array`);
  }
}

function entryOf(name: string, { shape, data }: FeatureArray, floats: FloatsOnDisk = 'f32'): TensorEntry {
  if (data instanceof Int32Array) return { name, dtype: 'i32', shape, data };
  if (data instanceof Uint8Array) return { name, dtype: 'u8', shape, data };
  if (floats === 'f32') return { name, dtype: 'f32', shape, data };
  const halves = toHalves(data, (index) => {
    throw new EvalsError(
      'features',
      `feature cache: ${data[index]} in ${name} cannot be kept as f16, whose largest number is 65504; keep these features as f32`,
    );
  });
  return { name, dtype: 'f16', shape, data: halves };
}
