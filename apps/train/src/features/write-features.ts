/**
 * Features of a data set as one safetensors file. It holds `cls` [n, D], `labels` [n], `patch_mean` [n, D] and, where asked for, `patches`
 * [n, rows, columns, D]; the metadata say which model, with its configuration, which images, and what was assumed about them.
 */
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { removePlanes } from '@franca/rasa';
import type { ImageSet } from '../image-sets/image-set';
import { describePreparation, type Preparation } from '../image-sets/preparation';
import { imagesOf } from './collect';
import { configMetadata } from './config-of-file';
import type { FeatureSession } from './session';

export interface WriteOptions {
  readonly preparation: Preparation;
  readonly patches: boolean;
}

/** Extracts and writes; returns how many images are in the file. Shards are read one at a time. */
export async function writeFeatures(
  path: string,
  session: FeatureSession,
  set: ImageSet,
  { preparation, patches }: WriteOptions,
): Promise<{ images: number; bytes: number }> {
  const { embedDim: D, patchSize } = session.model.config;
  const side = preparation.size / patchSize;
  const shards = session.shards(set, { preparation, patches });
  const kept: number[] = [];
  for await (const shard of shards) kept.push(...imagesOf(shard));
  const n = kept.length;

  const pieces = (name: string, finish: (data: Float32Array) => void = () => {}) =>
    async function* () {
      for await (const shard of shards) {
        const { data } = shard[name]!;
        if (data instanceof Float32Array) finish(data);
        yield data;
      }
    };
  const removed = (data: Float32Array): void => removePlanes(data, D, session.weights.rasa.planes);
  const entries: TensorEntry[] = [
    { name: 'cls', dtype: 'f32', shape: [n, D], data: pieces('blocks') },
    { name: 'patch_mean', dtype: 'f32', shape: [n, D], data: pieces('patch_mean', removed) },
    { name: 'labels', dtype: 'i32', shape: [n], data: Int32Array.from(kept, (index) => set.label(index)) },
    ...(patches
      ? [{ name: 'patches', dtype: 'f32' as const, shape: [n, side, side, D], data: pieces('patches', removed) }]
      : []),
  ];
  const { bytes } = await writeSafetensors(path, entries, {
    model: session.weights.name,
    ...configMetadata(session.weights),
    notes: JSON.stringify([...session.weights.notes, ...set.notes, ...session.leftOut.notes()]),
    dataset: `${set.dataset} ${set.split}`,
    preprocessing: describePreparation(preparation),
    classes: JSON.stringify(set.classes),
    images: JSON.stringify(kept.map((index) => set.key(index))),
  });
  return { images: n, bytes };
}
