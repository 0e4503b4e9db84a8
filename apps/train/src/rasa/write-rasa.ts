/**
 * RASA on disk, in two forms. Heads under their official names, as orthonormal rows: planes that are orthogonal to each other need no order, so the official
 * chain of removals gives the same projection. And a folded checkpoint: the backbone with one more layer (`rasa.weight`, `rasa.bias`) that takes what the
 * parameter-free final norm gives for patches, in place of the norm's own weight and bias; with its configuration.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { type Basis, foldAfterNorm, type LinearMap, projectionMatrix, type RasaFit, toOfficial } from '@franca/rasa';
import { sizeOf } from '@franca/tensor';
import { FINAL_LAYER, vitSpecs } from '@franca/vit';
import { configMetadata, writeConfigFile } from '../features/config-of-file';
import { RASA_HEADS } from '../features/find-weights';
import { fittedOnMetadata, hashIdentity } from '../features/rasa-of-weights';
import type { FeatureSession } from '../features/session';
import type { Weights } from '../features/weights';

const FOLDED_FILE = 'folded.safetensors';

/** Names of what `writeRasa` writes. */
export const RASA_FILES: readonly string[] = [RASA_HEADS, FOLDED_FILE];

/** The removal of `bases` and the final norm as one layer. */
export async function foldedLayer(
  { config, read }: Pick<Weights, 'config' | 'read'>,
  bases: readonly Basis[],
): Promise<LinearMap> {
  const [gamma, beta] = [await read('norm.weight'), await read('norm.bias')];
  return foldAfterNorm(projectionMatrix(bases, config.embedDim), gamma!, beta!);
}

/**
 * Writes both files to `folder` and returns their paths; of a model that gives its output alone, and of features from files, the heads. `planes`: what is stored under the official names, bases or heads [2, D]. Which weights they were
 * fitted on, without RASA, and at which side of the input, stands in their metadata.
 */
export async function writeRasa(
  folder: string,
  { weights, size }: Pick<FeatureSession, 'weights' | 'size'>,
  { bases, directions }: Pick<RasaFit, 'bases' | 'directions'>,
  planes: readonly (Basis | Float32Array)[] = bases,
): Promise<{ headsFile: string; foldedFile: string | undefined }> {
  await mkdir(folder, { recursive: true });
  const D = weights.config.embedDim;
  const headsFile = join(folder, RASA_HEADS);
  const { model, step } = weights;
  const fittedOn = { model, weights: hashIdentity(await weights.identity()), step, size };
  const metadata = { ...fittedOnMetadata(fittedOn), 'rasa.directions': directions };
  const rows = Object.entries(toOfficial(planes)).map(([name, data]): TensorEntry => tensor(name, [2, D], data));
  await writeSafetensors(headsFile, rows, metadata);
  if (weights.outputAlone) return { headsFile, foldedFile: undefined };
  const foldedFile = join(folder, FOLDED_FILE);
  const backbone = Object.entries(vitSpecs(weights.config)).map(
    ([name, { shape }]): TensorEntry => ({
      name,
      dtype: 'f32',
      shape,
      data: async () => Float32Array.from((await weights.read(name)) ?? new Float32Array(sizeOf(shape))),
    }),
  );
  const folded = await foldedLayer(weights, bases);
  const layer = [tensor(FINAL_LAYER.weight, [D, D], folded.weight), tensor(FINAL_LAYER.bias, [D], folded.bias)];
  await writeSafetensors(foldedFile, [...backbone, ...layer], { ...metadata, ...configMetadata(weights) });
  await writeConfigFile(folder, weights);
  return { headsFile, foldedFile };
}

const tensor = (name: string, shape: readonly number[], data: Float32Array): TensorEntry => ({
  name,
  dtype: 'f32',
  shape,
  data,
});
