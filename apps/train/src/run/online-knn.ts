/**
 * The figure that tells whether features get better: 20-NN classification with the frozen teacher on a held-out part, beside the same
 * with raw pixels. Without labels there is nothing to classify, and the reading is left out.
 */
import { availableParallelism } from 'node:os';
import {
  type DecodeOptions,
  IMAGENET_NORMALISATION,
  type ImageSource,
  isImageError,
  normalisationTable,
  normalise,
  prefetch,
  readImage,
  resizeAndCrop,
} from '@franca/data';
import { knn } from '@franca/evals';
import type { Step } from '@franca/tensor';

/** A fixed set of n images, as bytes: a float takes four times as much memory. */
export interface ProbeImages {
  /** RGB [S, S, 3] each. */
  readonly images: readonly Uint8Array[];
  /** Classes [n]; empty where the source has none. */
  readonly labels: Int32Array;
  readonly size: number;
  /** Images that could not be used, and why. */
  readonly skipped: readonly string[];
}

export interface ProbeRequest {
  /** At most so many images, spread evenly over the source. */
  readonly count: number;
  readonly size: number;
  /** Only images with a label. */
  readonly labelled: boolean;
  readonly decode: DecodeOptions;
}

/** A step that maps `images` [B, 3, S, S] to `cls` [B, D]. */
export type FeatureStep = Step<{ images: { shape: readonly number[]; dtype: 'f32' } }, Record<string, never>>;

/** Reads and prepares images; unreadable ones are left out and named. */
export async function probeImages(
  source: ImageSource,
  { count, size, labelled, decode }: ProbeRequest,
): Promise<ProbeImages> {
  const stride = Math.max(1, source.length / count);
  const chosen = Array.from({ length: Math.min(count, source.length) }, (_, i) => Math.floor(i * stride));
  const wanted = labelled ? chosen.filter((index) => source.label?.(index) !== undefined) : chosen;
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  const skipped: string[] = [];
  const load = async (index: number, signal: AbortSignal) => {
    try {
      const image = await readImage(source, index, decode, signal);
      return { index, pixels: resizeAndCrop(image, { resize: Math.round((size * 8) / 7), crop: size }) };
    } catch (error) {
      if (!isImageError(error)) throw error;
      return { index, reason: `${source.key(index)}: ${error.message}` };
    }
  };
  for await (const { index, pixels, reason } of prefetch(wanted, load, { inFlight: 2 * availableParallelism() })) {
    if (reason) skipped.push(reason);
    if (!pixels) continue;
    images.push(pixels);
    if (labelled) labels.push(source.label!(index)!);
  }
  return { images, labels: Int32Array.from(labels), size, skipped };
}

const TABLE = normalisationTable(IMAGENET_NORMALISATION);

/** Images `first` to `first + count` as the backbone takes them, [count, 3, S, S]; zeros past the last one. */
export function normalisedImages({ images, size }: ProbeImages, first: number, count: number): Float32Array {
  const out = new Float32Array(count * 3 * size * size);
  images.slice(first, first + count).forEach((pixels, i) => {
    normalise(pixels, TABLE, out.subarray(i * pixels.length, (i + 1) * pixels.length));
  });
  return out;
}

/** CLS features of all images, in batches of the step's size; the last batch is filled up with zeros. */
export async function extractFeatures(
  step: FeatureStep,
  probe: ProbeImages,
  batch: number,
): Promise<{ features: Float32Array; dim: number }> {
  const n = probe.images.length;
  const rows: Float32Array[] = [];
  for (let first = 0; first < n; first += batch) {
    step.run({ images: normalisedImages(probe, first, batch) });
    rows.push(Float32Array.from(await step.read('cls')));
  }
  const dim = (rows[0]?.length ?? 0) / batch;
  const features = new Float32Array(n * dim);
  for (const [i, row] of rows.entries())
    features.set(row.subarray(0, Math.min(row.length, (n - i * batch) * dim)), i * batch * dim);
  return { features, dim };
}

/** Top-1 share of k-NN from `train` to `test` features [n, D]. */
export async function knnAccuracy(
  train: { features: Float32Array; labels: Int32Array },
  test: { features: Float32Array; labels: Int32Array },
  dim: number,
  k: number,
): Promise<number> {
  const set = (part: typeof train) => ({ cls: part.features, dim, labels: part.labels });
  const { scores } = await knn(set(train), set(test), { ks: [Math.min(k, train.labels.length)] });
  return scores[0]!.top1;
}

/** 20-NN on raw pixels reduced to 16 x 16: what features must beat. */
export async function pixelAccuracy(train: ProbeImages, test: ProbeImages, k: number): Promise<number> {
  const side = 16;
  const reduce = (probe: ProbeImages) => {
    const { labels, size } = probe;
    const out = new Float32Array(labels.length * 3 * side * side);
    for (let image = 0; image < labels.length; image++) {
      const pixels = normalisedImages(probe, image, 1);
      for (let plane = 0; plane < 3; plane++) {
        for (let y = 0; y < size; y++) {
          const row = ((3 * image + plane) * side + Math.floor((y * side) / size)) * side;
          for (let x = 0; x < size; x++)
            out[row + Math.floor((x * side) / size)]! += pixels[(plane * size + y) * size + x]!;
        }
      }
    }
    return { features: out, labels };
  };
  return knnAccuracy(reduce(train), reduce(test), 3 * side * side, k);
}
