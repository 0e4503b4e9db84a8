/**
 * Features of a data set as one file. It holds `cls` [n, D], `labels` [n], `patch_mean` [n, D], where the model has patches, and, where asked for, `patches`
 * [n, rows, columns, D]; beside them it says which model, with its configuration, which images, and what was assumed about them.
 */
import { removePlanes } from '@franca/rasa';
import type { ImageSet } from '../image-sets/image-set';
import { type DepthPreparation, describePreparation, type Preparation } from '../image-sets/preparation';
import { imagesOf } from './collect';
import type { FeatureShard } from './compute-shard';
import { configMetadata } from './config-of-file';
import type { FileOutput } from './files/raw-features';
import { writeFeatureFile } from './files/write-file';
import type { WrittenFeatures } from './files/written-features';
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

/** Extracts and writes, in the format that the name of the file says; returns how many images are in it. Shards are read one at a time. */
export async function writeFeatures(
  path: string,
  session: Pick<FeatureSession, 'model' | 'shards' | 'weights' | 'leftOut' | 'origin'>,
  set: ImageSet,
  options: WriteOptions,
): Promise<{ images: number; bytes: number }> {
  if (options.patches) requirePatches(session.weights);
  const all = { blocks: 1, patchMean: session.weights.outputAlone?.hasPatchMean ?? true, patches: options.patches };
  const kept: number[] = [];
  for await (const shard of session.shards(set, { preparation: options.preparation, ...all }))
    for (const image of imagesOf(shard)) kept.push(image);
  const unlabelled = unlabelledNote(set);
  const { weights, leftOut, origin } = session;
  const bytes = await writeFeatureFile(path, {
    ...arraysOf(session, set, { ...all, preparation: options.preparation }, kept.length),
    names: kept.map((index) => set.key(index)),
    labels: Int32Array.from(kept, (index) => set.label(index)),
    classes: set.classes,
    notes: [...weights.notes, ...set.notes, ...(unlabelled ? [unlabelled] : []), ...leftOut.notes()],
    texts: {
      model: weights.name,
      // of a model that gives its output alone most of it is made up
      ...(weights.outputAlone ? {} : configMetadata(weights)),
      dataset: `${set.dataset} ${set.split}`,
      preprocessing: origin?.preprocessing ?? describePreparation(options.preparation),
    },
  });
  return { images: kept.length, bytes };
}

/** What each output is called where features are asked for. */
const REQUESTS: Readonly<Record<FileOutput, OutputRequest>> = {
  cls: { blocks: 1 },
  patch_mean: { patchMean: true },
  patches: { patches: true },
};

/** Outputs of `n` images, read from the cache, which has them by now; planes of RASA are removed. */
function arraysOf(
  { model, shards, weights }: Pick<FeatureSession, 'model' | 'shards' | 'weights'>,
  set: ImageSet,
  request: WriteOptions & { readonly blocks: number; readonly patchMean: boolean },
  n: number,
): Pick<WrittenFeatures, 'outputs' | 'shape' | 'pieces' | 'batches'> {
  const { embedDim: D, patchSize } = model.config;
  const { preparation, patchMean, patches } = request;
  const side = preparation.size / patchSize;
  const outputs: FileOutput[] = [
    'cls',
    ...(patchMean ? ['patch_mean' as const] : []),
    ...(patches ? ['patches' as const] : []),
  ];
  const values = (shard: FeatureShard, output: FileOutput): Float32Array => {
    const data = shard[output === 'cls' ? 'blocks' : output]!.data as Float32Array;
    if (output !== 'cls') removePlanes(data, D, weights.rasa.planes);
    return data;
  };
  return {
    outputs,
    shape: (output) => (output === 'patches' ? [n, side, side, D] : [n, D]),
    async *pieces(output) {
      for await (const shard of shards(set, { preparation, ...REQUESTS[output] })) yield values(shard, output);
    },
    async *batches() {
      for await (const shard of shards(set, request))
        yield {
          images: imagesOf(shard).length,
          cls: values(shard, 'cls'),
          patch_mean: patchMean ? values(shard, 'patch_mean') : undefined,
          patches: patches ? values(shard, 'patches') : undefined,
        };
    },
  };
}
