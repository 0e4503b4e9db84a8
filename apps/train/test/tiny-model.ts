/** A ViT small enough for tests, with initial weights, in a folder of its own. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { initialValues } from '@franca/nn';
import { CONFIG_KEY, encodeVitConfig, type VitConfig, vitConfig, vitSpecs } from '@franca/vit';

/** Patches of 8 px, 4 x 4 of them; two heads of 8, which shapes cannot tell. */
export const tinyConfig: VitConfig = vitConfig('tiny', {
  embedDim: 16,
  depth: 2,
  numHeads: 2,
  imgSize: 32,
  patchSize: 8,
  ffnLayer: 'mlp',
  layerScale: undefined,
});

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'franca-train-'));

/** Of the weights, the words 1 and 2: numbers of this model are pinned. */
const SEED = 1 + 2 * 2 ** 32;

/** Tensors of the tiny model, with names as they are or behind `prefix`. */
export function tinyTensors(prefix = ''): TensorEntry[] {
  return Object.entries(vitSpecs(tinyConfig)).map(([name, spec]) => ({
    name: prefix + name,
    dtype: 'f32',
    shape: spec.shape,
    // Wider than initial weights: tokens should differ.
    data: initialValues(name, spec, SEED).map((value) => (name.includes('norm') ? value : 8 * value)),
  }));
}

/** Metadata that name the tiny model's configuration. */
export const tinyMetadata: Readonly<Record<string, string>> = {
  [CONFIG_KEY]: encodeVitConfig({ config: tinyConfig, assumed: [] }),
};

/** Writes the tiny model to `folder`, with its configuration, and returns the file. */
export async function writeTinyModel(folder: string, more: readonly TensorEntry[] = []): Promise<string> {
  const path = join(folder, 'tiny.safetensors');
  await writeSafetensors(path, [...tinyTensors(), ...more], tinyMetadata);
  return path;
}
