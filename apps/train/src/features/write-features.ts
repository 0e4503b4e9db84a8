/**
 * Features of a data set as one safetensors file. It holds `cls` [n, D], `labels` [n], `patch_mean` [n, D], where the model has patches, and, where asked for, `patches`
 * [n, rows, columns, D]; the metadata say which model, with its configuration, which images, and what was assumed about them. Of very many images the names, which
 * no header has room for, are a tensor `images` [bytes] with the same JSON.
 */
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { removePlanes } from '@franca/rasa';
import type { ImageSet } from '../image-sets/image-set';
import { type DepthPreparation, describePreparation, type Preparation } from '../image-sets/preparation';
import { imagesOf } from './collect';
import { configMetadata } from './config-of-file';
import { requirePatches } from './output-alone';
import type { FeatureSession } from './session';
import type { OutputRequest } from './stored-outputs';

export interface WriteOptions {
  /** Of a square input. */
  readonly preparation: Exclude<Preparation, DepthPreparation>;
  readonly patches: boolean;
}

/** Why there are images without a label, which is then -1 in the file; nothing where there are none, or no classes are spoken of. */
export function unlabelledNote(set: ImageSet): string | undefined {
  const without = Array.from({ length: set.length }, (_, index) => index).filter((index) => set.label(index) < 0);
  const [first] = without;
  if (first === undefined || (set.classes.length === 0 && !set.whyUnlabelled)) return undefined;
  const why = set.labels ? 'images may have several classes each' : (set.whyUnlabelled ?? `e.g. ${set.key(first)}`);
  return `${without.length} of ${set.length} images have the label -1: ${why}`;
}

/** Bytes of names in the header, of which readers of safetensors take some megabytes at most. */
const MOST_NAMES = 2 ** 22;

/** Extracts and writes; returns how many images are in the file. Shards are read one at a time. */
export async function writeFeatures(
  path: string,
  session: Pick<FeatureSession, 'model' | 'shards' | 'weights' | 'leftOut'>,
  set: ImageSet,
  { preparation, patches }: WriteOptions,
): Promise<{ images: number; bytes: number }> {
  const { outputAlone } = session.weights;
  if (patches) requirePatches(session.weights);
  const patchMean = outputAlone?.hasPatches ?? true;
  const { embedDim: D, patchSize } = session.model.config;
  const side = preparation.size / patchSize;
  const all = { blocks: 1, patchMean, patches };
  const kept: number[] = [];
  for await (const shard of session.shards(set, { preparation, ...all }))
    for (const image of imagesOf(shard)) kept.push(image);
  const n = kept.length;

  const pieces = (name: string, output: OutputRequest, finish: (data: Float32Array) => void = () => {}) =>
    async function* () {
      // this output alone: it is in the cache by now
      for await (const shard of session.shards(set, { preparation, ...output })) {
        const { data } = shard[name]!;
        if (data instanceof Float32Array) finish(data);
        yield data;
      }
    };
  const unlabelled = unlabelledNote(set);
  const names = Buffer.from(JSON.stringify(kept.map((index) => set.key(index))));
  const fits = names.length <= MOST_NAMES;
  const removed = (data: Float32Array): void => removePlanes(data, D, session.weights.rasa.planes);
  const entries: TensorEntry[] = [
    { name: 'cls', dtype: 'f32', shape: [n, D], data: pieces('blocks', { blocks: 1 }) },
    ...(patchMean
      ? [
          {
            name: 'patch_mean',
            dtype: 'f32' as const,
            shape: [n, D],
            data: pieces('patch_mean', { patchMean }, removed),
          },
        ]
      : []),
    { name: 'labels', dtype: 'i32', shape: [n], data: Int32Array.from(kept, (index) => set.label(index)) },
    ...(patches
      ? [
          {
            name: 'patches',
            dtype: 'f32' as const,
            shape: [n, side, side, D],
            data: pieces('patches', { patches }, removed),
          },
        ]
      : []),
    ...(fits ? [] : [{ name: 'images', dtype: 'u8' as const, shape: [names.length], data: names }]),
  ];
  const { bytes } = await writeSafetensors(path, entries, {
    model: session.weights.name,
    // of a model that gives its output alone most of it is made up
    ...(outputAlone ? {} : configMetadata(session.weights)),
    notes: JSON.stringify([
      ...session.weights.notes,
      ...set.notes,
      ...(unlabelled ? [unlabelled] : []),
      ...session.leftOut.notes(),
    ]),
    dataset: `${set.dataset} ${set.split}`,
    preprocessing: describePreparation(preparation),
    classes: JSON.stringify(set.classes),
    ...(fits && { images: `${names}` }),
  });
  return { images: n, bytes };
}
