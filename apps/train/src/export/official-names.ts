/** A model under its official names, as `@franca/vit` and the official code read it; RASA that is folded in stays a part of it. */
import { encodeVitConfig, FINAL_LAYER, vitSpecs, type WeightSource } from '@franca/vit';
import { TrainError } from '../errors';
import { configMetadata } from '../features/config-of-file';
import type { ExportedWeights, ModelFile, ModelTensor } from './model-file';

/** @throws TrainError `file` where a weight is missing */
export async function officialFile({ config, assumed, read, rasa }: ExportedWeights): Promise<ModelFile> {
  const stored = { config, assumed };
  const { embedDim: D } = config;
  const folded: readonly ModelTensor[] = rasa.folded
    ? [
        { name: FINAL_LAYER.weight, shape: [D, D], read: async () => Float32Array.from(rasa.folded!.weight) },
        { name: FINAL_LAYER.bias, shape: [D], read: async () => Float32Array.from(rasa.folded!.bias) },
      ]
    : [];
  return {
    tensors: [...(await ownTensors({ config, read })), ...folded],
    metadata: configMetadata(stored),
    config: JSON.parse(encodeVitConfig(stored)),
    notes: [],
  };
}

/** The model's own tensors; a mask token that the source lacks, as those of classifiers do, is left out. */
export async function ownTensors({ config, read }: Pick<ExportedWeights, 'config' | 'read'>): Promise<ModelTensor[]> {
  const masks = (await read('mask_token')) !== undefined;
  return Object.entries(vitSpecs(config))
    .filter(([name]) => masks || name !== 'mask_token')
    .map(([name, { shape }]) => ({ name, shape, read: () => valuesOf(read, name) }));
}

/** @throws TrainError `file` where there is none of that name */
export async function valuesOf(read: WeightSource, name: string): Promise<Float32Array> {
  const values = await read(name);
  if (!values) throw new TrainError('file', `the weights have no "${name}", which every file of this model holds`);
  return Float32Array.from(values);
}
