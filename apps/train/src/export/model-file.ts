/** A file of weights as it will be written: its tensors under the names of a format, what is kept with them, and what the format cannot say. */
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import type { Weights } from '../features/open-weights';

/** A tensor, read when it is written. */
export interface ModelTensor {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

export interface ModelFile {
  readonly tensors: readonly ModelTensor[];
  /** Texts in the file itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The `config.json` beside it; undefined where the format has none. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** How its readers see another model than this, in words. */
  readonly notes: readonly string[];
}

/** Weights as formats take them. */
export type ExportedWeights = Pick<Weights, 'config' | 'assumed' | 'read' | 'rasa'>;

/** Writes the tensors, one at a time in memory; returns the bytes of the file. */
export async function writeModelFile(path: string, { tensors, metadata }: ModelFile): Promise<number> {
  const entries = tensors.map(
    ({ name, shape, read }): TensorEntry => ({ name, dtype: 'f32', shape, data: async () => asBytes(await read()) }),
  );
  return (await writeSafetensors(path, entries, metadata)).bytes;
}

/** Values may be a view into a larger buffer. */
const asBytes = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
