/**
 * A model of ours as `Dinov2Model` (or `Dinov2WithRegistersModel`) of the transformers library: its config.json and its tensors by name.
 */
import type { VitConfig } from '../config';
import { VitError } from '../errors';
import type { WeightSource } from '../weights';

/** A tensor of model.safetensors, f32, row-major; read when it is asked for. */
export interface Dinov2Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

export interface Dinov2Files {
  /** What goes into config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What goes into model.safetensors, as f32. */
  readonly tensors: readonly Dinov2Tensor[];
  /** Metadata of model.safetensors: `format`, without which the transformers library refuses it, and our configuration under `CONFIG_KEY`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What the library computes differently from this model, in words. */
  readonly notes: readonly string[];
}

/**
 * The files of a Hugging Face folder for a model.
 * @throws VitError `config` for what the format cannot carry: rotary positions, attention pooling, a norm before the blocks; `weights` for a folded RASA
 */
export async function dinov2Files(config: VitConfig, weights: WeightSource): Promise<Dinov2Files> {
  throw new VitError('config', `not yet: ${config.depth} ${typeof weights}`);
}
