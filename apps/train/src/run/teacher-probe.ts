/** What the teacher knows, measured now and then while it trains: k-NN accuracy on a held-out part, and patches of a few images for the PCA picture. */
import type { DataSplits } from '@franca/data';
import { parametersOf, within } from '@franca/nn';
import { compile, type Gpu, type State } from '@franca/tensor';
import { vit } from '@franca/vit';
import type { PretrainOptions } from '../config/pretrain-options';
import {
  extractFeatures,
  type FeatureStep,
  knnAccuracy,
  type LabelledImages,
  labelledImages,
  pixelAccuracy,
} from './online-knn';
import type { pcaPicture } from './pictures';

export interface ProbeResult {
  /** Top-1 share of k-NN with the teacher's features, and with raw pixels; undefined without labels. */
  readonly knn: number | undefined;
  readonly pixels: number | undefined;
  readonly picture: Parameters<typeof pcaPicture>[0] | undefined;
}

export interface TeacherProbe extends Disposable {
  measure(): Promise<ProbeResult>;
}

const BATCH = 32;

/** Prepares fixed images of both parts and a step for the teacher's features. */
export async function createTeacherProbe(
  gpu: Gpu,
  state: State,
  { vit: config, run, crops }: PretrainOptions,
  data: DataSplits,
): Promise<TeacherProbe> {
  const size = crops.global_crops_size;
  const [train, test] = [
    await labelledImages(data.train, run.knn.maxTrain, size),
    await labelledImages(data.val, run.knn.maxTest, size),
  ];
  const step = (await compile(
    gpu,
    (s, { images }) => {
      const out = vit(within(parametersOf(s.teacher!.tensors), 'backbone'), images, config);
      return { cls: out.cls, patches: out.patches };
    },
    { state, batch: { images: { shape: [BATCH, 3, size, size], dtype: 'f32' } } },
  )) as FeatureStep;
  const usable = train.labels.length > 0 && test.labels.length > 0;
  const pixels = usable ? await pixelAccuracy(train, test) : undefined;
  const dispose = (): void => step.dispose();
  return {
    async measure() {
      if (!usable) return { knn: undefined, pixels, picture: undefined };
      const { features: bank, dim } = await extractFeatures(step, train, BATCH);
      const { features: queries } = await extractFeatures(step, test, BATCH);
      const knn = await knnAccuracy(
        { features: bank, labels: train.labels },
        { features: queries, labels: test.labels },
        dim,
        run.knn.k,
      );
      return { knn, pixels, picture: await patchesOf(step, test, dim) };
    },
    [Symbol.dispose]: dispose,
  };

  async function patchesOf(
    features: FeatureStep,
    { images }: LabelledImages,
    dim: number,
  ): Promise<NonNullable<ProbeResult['picture']>> {
    const shown = new Float32Array(BATCH * 3 * size * size);
    shown.set(images.subarray(0, shown.length));
    features.run({ images: shown });
    const patches = Float32Array.from(await features.read('patches'));
    const side = size / config.patchSize;
    return {
      images: images.subarray(0, Math.min(shown.length, images.length)),
      size,
      patches,
      grid: [side, side],
      dim,
    };
  }
}
