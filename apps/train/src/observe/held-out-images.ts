/** Fixed images that the teacher is measured on while it trains: chosen evenly, decoded once, kept as bytes. */
import { availableParallelism } from 'node:os';
import {
  type DecodeOptions,
  IMAGENET_NORMALISATION,
  type ImageBatch,
  type ImageSource,
  isImageError,
  normalisationTable,
  normalise,
  type PixelImage,
  prefetch,
  readImage,
  resizeAndCrop,
} from '@franca/data';
import type { RankOf } from '@franca/pretraining';

/** n images as bytes: a float takes four times as much memory. */
export interface HeldOutImages {
  /** RGB, S x S each. */
  readonly images: readonly PixelImage[];
  /** Where each lies in the source. */
  readonly indices: readonly number[];
  /** Classes [n]; empty where the source has none. */
  readonly labels: Int32Array;
  readonly size: number;
  /** Images that could not be used, and why. */
  readonly skipped: readonly string[];
}

export interface HeldOutRequest {
  /** At most so many images, spread evenly over the source. */
  readonly count: number;
  readonly size: number;
  /** Only images with a label. */
  readonly labelled: boolean;
  readonly decode: DecodeOptions;
}

/** Reads and prepares images as k-NN takes them, the centre of each; unreadable ones are left out and named. Of several ranks each reads a stretch of them. */
export function readHeldOutImages(
  source: ImageSource,
  { count, size, labelled, decode }: HeldOutRequest,
  { rank, size: ranks }: RankOf = { rank: 0, size: 1 },
): Promise<HeldOutImages> {
  const stride = Math.max(1, source.length / count);
  const chosen = Array.from({ length: Math.min(count, source.length) }, (_, i) => Math.floor(i * stride));
  const wanted = labelled ? chosen.filter((index) => source.label?.(index) !== undefined) : chosen;
  const own = wanted.slice(
    Math.floor((rank * wanted.length) / ranks),
    Math.floor(((rank + 1) * wanted.length) / ranks),
  );
  return readImagesAt(source, own, { resize: resizedFor(size), size, labelled, decode });
}

/** The shorter side that an image has before its centre is cut out. */
export const resizedFor = (size: number): number => Math.round((size * 8) / 7);

/** Images by their place in the source, the shorter side resized to `resize` and the centre of `size` cut out. */
export async function readImagesAt(
  source: ImageSource,
  wanted: readonly number[],
  { resize, size, labelled, decode }: Omit<HeldOutRequest, 'count'> & { readonly resize: number },
): Promise<HeldOutImages> {
  const images: PixelImage[] = [];
  const indices: number[] = [];
  const skipped: string[] = [];
  const load = async (index: number, signal: AbortSignal) => {
    try {
      return { index, image: resizeAndCrop(await readImage(source, index, decode, signal), { resize, crop: size }) };
    } catch (error) {
      if (!isImageError(error)) throw error;
      return { index, reason: `${source.key(index)}: ${error.message}` };
    }
  };
  for await (const { index, image, reason } of prefetch(wanted, load, { inFlight: 2 * availableParallelism() })) {
    if (reason) skipped.push(reason);
    if (!image) continue;
    images.push(image);
    indices.push(index);
  }
  const labels = Int32Array.from(labelled ? indices.map((index) => source.label!(index)!) : []);
  return { images, indices, labels, size, skipped };
}

/** Whether an image has a label at least: those of a validation part may all be of classes that training does not know. */
export function hasLabels({ length, label }: ImageSource): boolean {
  if (!label) return false;
  for (let index = 0; index < length; index++) if (label(index) !== undefined) return true;
  return false;
}

const TABLE = normalisationTable(IMAGENET_NORMALISATION);

/** Images `first` to `first + count` as the backbone takes them, [count, 3, S, S]; zeros past the last one. */
export function normalisedBatch(
  { images, size }: Pick<HeldOutImages, 'images' | 'size'>,
  first: number,
  count: number,
): ImageBatch {
  const out = new Float32Array(count * 3 * size * size);
  images.slice(first, first + count).forEach(({ data }, i) => {
    normalise(data, TABLE, out.subarray(i * data.length, (i + 1) * data.length));
  });
  return { data: out, shape: [count, 3, size, size] };
}
