/**
 * What a family of the transformers library is, as data: the class whose computation it is, what its config.json may say, and which of its tensors are which of
 * ours. Names are written without what comes before them (`vit.`, `dinov2.`, `vision_model.`) and with `#` for the number of a block.
 */
import type { VitConfig } from '../config';
import type { Fields } from './fields';

/** A third, or two, of the rows of a tensor: how `torch.nn.MultiheadAttention` keeps the projections of queries, keys and values. */
export interface Thirds {
  readonly of: string;
  readonly thirds: readonly [from: number, to: number];
}

/**
 * Theirs by our names; `norm` stands for `norm.weight` and `norm.bias`. Several: their rows one after the other.
 */
export type Names = Readonly<Record<string, string | readonly string[] | Thirds>>;

export interface Family {
  /** The class of the transformers library. */
  readonly name: string;
  /** `model_type` of its config.json. */
  readonly type: string;
  /** `model_type` of a model of images and texts that holds one of these, described under `vision_config`. */
  readonly partOf?: string;
  /** Fields that are read, with what the configuration class takes for those that config.json leaves out. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** What a field must be for the model to be one of ours, and what it is otherwise. */
  readonly required: Readonly<Record<string, readonly [value: unknown, otherwise: string]>>;
  readonly names: Names;
  /** Layers, by the last part of their names, that have a bias if a field says so, or never. */
  readonly biases: Readonly<Record<string, string | false>>;
  /** Another beginning of names that some versions write, and that of `names`. */
  readonly alias?: readonly [other: string, own: string];
  /** @throws VitError `config` for values that no such model has */
  config(fields: Fields): VitConfig;
  /** What anyone who compares with the class must know. */
  readonly notes: readonly string[];
}

/** What holds for every family: three channels, and positions that the library resamples in its own way. */
export const THREE_CHANNELS: Family['required'] = {
  num_channels: [3, 'a model of other images than colour ones'],
};

/** How the library resamples a learned table for images of another size. */
export const positionNote = (name: string, antialiased = false): string =>
  `for images of another size positions are resampled as ${name} does: bicubic${antialiased ? ' with antialiasing' : ''}, to the target grid, without the offset of 0.1 that the official code of DINOv2 adds`;
