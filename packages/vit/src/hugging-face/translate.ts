/**
 * A Hugging Face folder as one of our models: what its config.json says becomes a configuration, its tensors a virtual file under official names, in which
 * queries, keys and values are put together and biases that the family does without are zeros. Nothing is read before it is asked for.
 */
import type { VitConfig } from '../config';
import { VitError } from '../errors';
import type { WeightFile } from '../weights';

/** A tensor of the virtual file, in the form that `@franca/checkpoint` gives. */
export interface TranslatedTensor {
  readonly name: string;
  readonly dtype: 'f32';
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** Elements `[start, end)` in row-major order. */
export interface TranslatedRange {
  readonly start: number;
  readonly end: number;
}

/** A model of the transformers library under official names; goes wherever an open file of weights goes. */
export interface TranslatedWeights extends WeightFile {
  /** Class of the transformers library whose computation this is: `Dinov2Model`, `CLIPVisionModel`, ... */
  readonly family: string;
  readonly config: VitConfig;
  /** What differs from that class, and what of the file is left out, in words. */
  readonly notes: readonly string[];
  readonly tensors: ReadonlyMap<string, TranslatedTensor>;
  /** The configuration under `CONFIG_KEY`. */
  readonly metadata: Readonly<Record<string, string>>;
  readFloat32(name: string, range?: TranslatedRange): Promise<Float32Array<ArrayBuffer>>;
  /** The same as `readFloat32`: all tensors are f32 here. */
  read(name: string, range?: TranslatedRange): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * The model in a file with Hugging Face names. @param config the parsed config.json of its folder
 * @throws VitError `config` for a field that says something this model cannot be, `weights` for tensors that are not those of the family
 */
export function translateHuggingFace(file: WeightFile, config: Readonly<Record<string, unknown>>): TranslatedWeights {
  throw new VitError('config', `not yet: ${file.tensors.size} ${Object.keys(config).length}`);
}
