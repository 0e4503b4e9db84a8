/** What the teacher knows, measured now and then while it trains: k-NN accuracy on a held-out part, and patches of a few images for the PCA picture. */
import type { DataSplits } from '@franca/data';
import { parametersOf, within } from '@franca/nn';
import { compile, type Gpu, type State } from '@franca/tensor';
import { vit } from '@franca/vit';
import type { DerivedOptions } from '../config/derived-options';
import {
  extractFeatures,
  type FeatureStep,
  knnAccuracy,
  normalisedImages,
  type ProbeImages,
  pixelAccuracy,
  probeImages,
} from './online-knn';
import { type pcaPicture, SHOWN } from './pictures';

export interface ProbeResult {
  /** Top-1 share of k-NN with the teacher's features, and with raw pixels; undefined without labels. */
  readonly knn: number | undefined;
  readonly pixels: number | undefined;
  /** For the PCA picture; undefined without images. */
  readonly picture: Parameters<typeof pcaPicture>[0] | undefined;
}

export interface TeacherProbe extends Disposable {
  /** Images that were to be measured and could not be used, and why. */
  readonly skipped: readonly string[];
  measure(): Promise<ProbeResult>;
}

const BATCH = 32;

/** Prepares fixed images of both parts and a step for the teacher's features. Without labels only a few, for the picture. */
export async function createTeacherProbe(
  gpu: Gpu,
  state: State,
  { vit: config, loop: run, crops }: DerivedOptions,
  data: DataSplits,
): Promise<TeacherProbe> {
  const size = crops.global_crops_size;
  const labelled = data.train.label !== undefined && data.val.label !== undefined && data.val.length > 0;
  const request = { size, labelled, decode: run.decode };
  const train = await probeImages(data.train, { ...request, count: labelled ? run.knn.maxTrain : 0 });
  const shown = data.val.length > 0 ? data.val : data.train;
  const test = await probeImages(shown, { ...request, count: labelled ? run.knn.maxTest : BATCH });
  const step = (await compile(
    gpu,
    (s, { images }) => {
      const out = vit(within(parametersOf(s.teacher!.tensors), 'backbone'), images, config);
      return { cls: out.cls, patches: out.patches };
    },
    { state, batch: { images: { shape: [BATCH, 3, size, size], dtype: 'f32' } } },
  )) as FeatureStep;
  const usable = train.labels.length > 0 && test.labels.length > 0;
  const pixels = usable ? await pixelAccuracy(train, test, run.knn.k) : undefined;
  return {
    skipped: [...train.skipped, ...test.skipped],
    measure: async () => ({ knn: await accuracy(), pixels, picture: await patchesOf() }),
    [Symbol.dispose]: () => step.dispose(),
  };

  async function accuracy(): Promise<number | undefined> {
    if (!usable) return undefined;
    const { features: bank, dim } = await extractFeatures(step, train, BATCH);
    const { features: queries } = await extractFeatures(step, test, BATCH);
    const part = ({ labels }: ProbeImages, features: Float32Array) => ({ features, labels });
    return knnAccuracy(part(train, bank), part(test, queries), dim, run.knn.k);
  }

  async function patchesOf(): Promise<ProbeResult['picture']> {
    const count = Math.min(SHOWN, test.images.length);
    if (count === 0) return undefined;
    // spread over the held-out part, whose classes often lie one after the other
    const shown = Array.from({ length: count }, (_, i) => test.images[Math.floor((i * test.images.length) / count)]!);
    const images = normalisedImages({ ...test, images: shown }, 0, BATCH);
    step.run({ images });
    const patches = Float32Array.from(await step.read('patches'));
    const side = size / config.patchSize;
    return {
      images: images.subarray(0, count * 3 * size * size),
      size,
      patches,
      grid: [side, side],
      dim: config.embedDim,
    };
  }
}
