/** Weights that are open: what every command knows of a model before it is on a device. */
import type { OutputNames } from '@franca/onnx';
import type { Gpu } from '@franca/tensor';
import type { ConfigOfWeights, VitModel, WeightSource } from '@franca/vit';
import type { ModelOptions } from './config-of-file';
import type { HeadOfWeights } from './find-head';
import type { OutputAlone } from './output-alone';
import { describeRasa, type RasaOfWeights } from './rasa-of-weights';

export interface WeightOptions extends ModelOptions {
  /** Which network of a file that holds several. */
  readonly network?: string;
  /** RASA heads to use in place of those that come with the weights; `none`: leave them out. */
  readonly rasa?: string;
  /** Of an ONNX file: which outputs are CLS and patches, where they cannot be told. */
  readonly outputs?: OutputNames;
  /** Of an ONNX file, or of features from files: side of a patch in pixels, likewise. */
  readonly patchSize?: number;
  /** Of an ONNX file: where it runs, `cpu`, `webgpu`, `cuda`, ... */
  readonly provider?: string;
  /** Side of the input; an ONNX file may run at one alone. */
  readonly size?: number;
}

export interface Weights extends AsyncDisposable, Pick<ConfigOfWeights, 'config' | 'assumed'> {
  readonly file: string;
  readonly read: WeightSource;
  readonly rasa: RasaOfWeights;
  /** Which model this is, for records; `model` without RASA. */
  readonly name: string;
  readonly model: string;
  /** Step of the run that made them, where their file says. */
  readonly step?: string | undefined;
  /** Where the model gives its output alone; what lies inside is not asked of it. */
  readonly outputAlone?: OutputAlone | undefined;
  /** What was assumed about it, in words, for records and the screen. */
  readonly notes: readonly string[];
  /** The model on a device, with RASA where it is folded. */
  load(gpu: Gpu): Promise<VitModel>;
  /** The projection head that patches were trained with, to be closed. @throws TrainError `data` where there is none */
  head(): Promise<HeadOfWeights>;
  /** Same text, same features as the model gives them (before planes are removed); for caches. */
  identity(): Promise<string>;
}

/** The same weights with other planes, or none; for weights whose RASA is not folded. */
export const withPlanes = (weights: Weights, rasa: RasaOfWeights): Weights => ({
  ...weights,
  rasa,
  name: `${weights.model}${describeRasa(rasa)}`,
  notes: [...weights.notes.filter((note) => !weights.rasa.notes.includes(note)), ...rasa.notes],
});
