/**
 * Reads all masks of a set before any feature is computed: what they hold is judged, those that cannot be used leave with their pictures, and
 * the rest are kept as large as the model's input, compressed. They are read anew by every process and never cached on disk.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { isImageError, prefetch } from '@franca/data';
import type { SegmentationFeatures } from '@franca/evals';
import { TrainError } from '../errors';
import { chosenOf, type ImageSet, MAX_BAD_SHARE } from './image-set';
import { judgeMasks, type MaskCounts, occurring, some } from './judge-masks';
import { type Nearest, type PixelLabels, squashMask } from './mask-pixels';
import { classOfValue, type MaskValues, STRAY, VOID, valueNotes } from './mask-values';
import type { MaskForm, StoredMask } from './read-mask';

export interface SurveyedMasks {
  /** The pictures whose masks can be used, with notes on them. */
  readonly set: ImageSet;
  /** Whether each class has a pixel. */
  readonly occurs: readonly boolean[];
  /** Tells the classes of all pixels, as large as the files have them. */
  readonly hash: string;
  /** Masks [n, size, size] of the images of `set` at `indices`. */
  masks(indices: readonly number[]): Pick<SegmentationFeatures, 'maskSize' | 'masks'>;
  /** The classes of one mask as large as its file has it, read anew, and the size of its picture. */
  original(index: number): Promise<PixelLabels & { readonly picture: Size }>;
}

/** How masks are read. */
export interface MaskReading extends MaskValues {
  /** Which pixel a smaller mask takes; default that under the centre. */
  readonly nearest?: Nearest | undefined;
}

/**
 * @param size side of the masks that are kept
 * @throws TrainError `usage` where `--mask-values` does not fit, `data` where masks are missing or cannot be what they are taken for
 */
export async function surveyMasks(
  set: ImageSet,
  size: number,
  options: MaskReading,
  onProgress?: (done: number, total: number) => void,
): Promise<SurveyedMasks> {
  if (set.unmasked) refuseMissing(set, set.unmasked.named, set.unmasked.of);
  if (set.length === 0)
    throw new TrainError(
      'data',
      `${set.dataset} has no pictures of ${set.split} with masks${set.whyEmpty ? `: ${set.whyEmpty}` : ''}`,
    );
  const table = classOfValue(set, options);
  // values that are told are read as 0, 1, ..., of which 255 is none
  const ignore = options.maskValues || options.void !== undefined || set.values ? 255 : set.ignore!;
  const tally = countMasks(set, table.length);
  const kept: Uint8Array[] = [];
  const usable: number[] = [];
  const bad: string[] = [];
  const hash = createHash('sha256');
  const indices = Array.from({ length: set.length }, (_, index) => index);
  for await (const [index, mask] of prefetch(indices, readOrError(set), { inFlight: 4, ahead: 8 })) {
    onProgress?.(index + 1, set.length);
    if (mask instanceof Error) {
      bad.push(mask.message);
      continue;
    }
    usable.push(index);
    tally.add(index, mask);
    const squashed = new Uint8Array(size * size);
    const data = classesOf(mask, table, ignore);
    hash.update(JSON.stringify([index, mask.width, mask.height])).update(data);
    squashMask({ ...mask, data }, size, squashed, options.nearest);
    kept.push(deflateRawSync(squashed, { level: 1 }));
  }
  refuseMissing(set, bad, set.length);
  const counts = tally.counts();
  const notes = [
    ...valueNotes(set, options),
    ...(bad.length > 0
      ? [
          `${bad.length} of ${set.length} masks of ${set.dataset} ${set.split} cannot be used and are left out: ${some(bad)}`,
        ]
      : []),
    ...judgeMasks(set, counts, table, options),
  ];
  const left = chosenOf(set, usable);
  return {
    set: { ...left, ignore, notes: [...set.notes, ...notes] },
    occurs: occurring(set.classes, counts.pixels, table),
    hash: hash.digest('hex'),
    masks(wanted) {
      const masks = new Uint8Array(wanted.length * size * size);
      for (const [at, index] of wanted.entries()) masks.set(inflateRawSync(kept[index]!), at * size * size);
      return { maskSize: [size, size], masks };
    },
    async original(index) {
      const mask = await left.mask!(index);
      return { ...mask, data: classesOf(mask, table, ignore), picture: mask.picture ?? mask };
    },
  };
}

/** Reads the mask of an image, or says why it cannot be used. */
const readOrError =
  (set: ImageSet) =>
  async (index: number, signal: AbortSignal): Promise<[number, StoredMask | Error]> => {
    try {
      return [index, await set.mask!(index, signal)];
    } catch (error) {
      if (isImageError(error) && error.code !== 'unreadable-now') return [index, error];
      throw error;
    }
  };

function refuseMissing({ dataset, split }: ImageSet, bad: readonly string[], of: number): void {
  if (bad.length <= MAX_BAD_SHARE * of) return;
  throw new TrainError(
    'data',
    `${bad.length} of ${of} pictures of ${dataset} ${split} have no usable mask, more than ${100 * MAX_BAD_SHARE} %: ${some(bad)}; ` +
      'repair the masks or take their pictures away',
  );
}

/** Counts masks that are added one by one. @param values how many a pixel can have */
function countMasks(set: ImageSet, values: number) {
  const pixels = new Float64Array(values);
  const first = new Int32Array(values);
  const forms = new Map<MaskForm, number>();
  const [misshapen, turned]: [string[], string[]] = [[], []];
  let masks = 0;
  return {
    counts: (): MaskCounts => ({ masks, pixels, first, forms, misshapen, turned }),
    add(index: number, mask: StoredMask): void {
      masks++;
      for (const value of mask.data) {
        if (pixels[value] === 0) first[value] = index;
        pixels[value]!++;
      }
      if (mask.form) forms.set(mask.form, (forms.get(mask.form) ?? 0) + 1);
      const { picture, width, height } = mask;
      if (!picture || fits(mask, picture)) return;
      const words = `${set.key(index)} (picture ${picture.width} x ${picture.height}, mask ${width} x ${height})`;
      const quarter = fits(mask, { width: picture.height, height: picture.width });
      (quarter ? turned : misshapen).push(words);
    },
  };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether a mask has the proportions of its picture, to one pixel of its own. */
const fits = (mask: Size, picture: Size): boolean =>
  Math.abs(mask.height - (picture.height * mask.width) / picture.width) < 1 ||
  Math.abs(mask.width - (picture.width * mask.height) / picture.height) < 1;

/** Classes in place of values; `ignore` where a pixel is not scored. */
function classesOf({ data }: StoredMask, table: Int16Array, ignore: number): Uint8Array {
  const classes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const c = table[data[i]!]!;
    classes[i] = c === VOID || c === STRAY ? ignore : c;
  }
  return classes;
}
