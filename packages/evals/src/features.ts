/**
 * What a frozen backbone says about images, as plain typed arrays; nothing here knows which model made them. An
 * evaluation asks for the part that it reads: the class token with a label (classification), or the patch tokens with a
 * segmentation mask (dense tasks). One object may be all of these at once.
 */
import { CLASS_TOKENS, checkSet, type FeatureKinds, LABELLED, PATCHES } from './check-features';
import { EvalsError } from './errors';
import { type Matrix, matrix, roomFor, takeRows } from './matrix';

/** Class tokens after the final norm and their class numbers; what classification evaluations read. */
export interface LabelledFeatures {
  /** Width `D` of one feature. */
  readonly dim: number;
  /** Class tokens `[n, D]`. */
  readonly cls: Float32Array;
  /** Class of each image `[n]`, 0-based. */
  readonly labels: Int32Array;
}

/** Patch tokens of images that share one grid, as a model of `@franca/vit` gives them. */
export interface PatchFeatures {
  /** Width `D` of one feature. */
  readonly dim: number;
  /** Patch grid, rows then columns. */
  readonly grid: readonly [rows: number, columns: number];
  /** Patch tokens `[n, rows * columns, D]`, row-major over the grid. */
  readonly patches: Float32Array;
}

/** Patch tokens with the pixel labels of the same images. */
export interface SegmentationFeatures extends PatchFeatures {
  /** Extent of a mask, rows then columns; both are multiples of the grid where a cell must cover whole pixels. */
  readonly maskSize: readonly [rows: number, cols: number];
  /** Class of each pixel `[n, maskSize[0] * maskSize[1]]`; 255 usually marks "void". */
  readonly masks: Uint8Array;
}

/** One value, or a series of batches of it for sets that do not fit in memory; an iterable may be read several times. */
export type Batched<T> = T | Iterable<T> | AsyncIterable<T>;

/**
 * The batches of `source`, one where it is a single value; each must have the parts `kinds`.
 *
 * @param what names the source in messages, as in `knn: train`
 * @throws EvalsError as `checkSet`
 */
export async function* batches<T extends object>(
  what: string,
  source: Batched<T>,
  kinds: FeatureKinds,
): AsyncGenerator<T> {
  if (!isSeries(source)) {
    checkSet(what, source, kinds);
    yield source;
    return;
  }
  for await (const batch of source) {
    checkSet(`${what} (a batch)`, batch, kinds);
    yield batch;
  }
}

/** Typed arrays could be walked through as well, but are no batches. */
function isSeries<T extends object>(source: Batched<T>): source is Iterable<T> | AsyncIterable<T> {
  if (typeof source !== 'object' || source === null || ArrayBuffer.isView(source)) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

/** Class tokens as a checked matrix `[n, D]`. */
export function classTokens(features: { readonly dim: number; readonly cls: Float32Array }): Matrix {
  checkSet('features', features, CLASS_TOKENS);
  return matrix(features.cls, features.dim);
}

/**
 * Patch tokens as a checked matrix `[n * rows * cols, D]`.
 *
 * @throws EvalsError `features` when they are not whole images of that grid.
 */
export function patchTokens(features: PatchFeatures): Matrix {
  checkSet('features', features, PATCHES);
  const tokens = matrix(features.patches, features.dim);
  const [rows, cols] = features.grid;
  if (tokens.rows % (rows * cols) !== 0) {
    throw new EvalsError('features', `${tokens.rows} patch tokens are not whole images of ${rows} x ${cols} patches`);
  }
  return tokens;
}

/** How many images. */
export function imageCount(features: PatchFeatures): number {
  return features.patches.length / (features.dim * features.grid[0] * features.grid[1]);
}

/**
 * The number of classes, the largest label + 1.
 *
 * @throws EvalsError `labels` when there is not one label per row (where `rows` is given), or one is negative.
 */
export function checkLabels(labels: Int32Array, rows: number = labels.length): number {
  if (labels.length !== rows) {
    throw new EvalsError('labels', `${labels.length} labels for ${rows} rows of features; each row needs one label`);
  }
  const bad = labels.findIndex((label) => label < 0);
  if (bad >= 0) throw new EvalsError('labels', `row ${bad} has label ${labels[bad]}; number classes from 0`);
  return labels.reduce((max, label) => Math.max(max, label), -1) + 1;
}

/** The items with the given numbers, copied in that order. */
export function takeItems(features: LabelledFeatures, items: ArrayLike<number>): LabelledFeatures {
  const cls = takeRows(classTokens(features), items).data;
  return { dim: features.dim, cls, labels: Int32Array.from(items, (item) => features.labels[item]!) };
}

/** Labels of several batches, one after another. */
export function joinLabels(parts: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((count, part) => count + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Joins batches of labelled features into one value. */
export async function collect(what: string, source: Batched<LabelledFeatures>): Promise<LabelledFeatures> {
  const parts: LabelledFeatures[] = [];
  for await (const part of batches(what, source, LABELLED)) parts.push(part);
  const [first] = parts;
  if (!first) throw new EvalsError('features', 'there are no features: the source yielded no batch');
  if (parts.length === 1) return first;
  const rows = parts.reduce((size, part) => size + part.cls.length / part.dim, 0);
  const cls = roomFor(what, rows, first.dim);
  let at = 0;
  for (const part of parts) {
    if (part.dim !== first.dim) {
      throw new EvalsError('features', `batches of width ${first.dim} and ${part.dim} in one source; use one model`);
    }
    cls.set(part.cls, at);
    at += part.cls.length;
  }
  return { dim: first.dim, cls, labels: joinLabels(parts.map(({ labels }) => labels)) };
}

/**
 * The mask of one image, as a view.
 *
 * @throws EvalsError `labels` when the masks are not one per image of the stated size.
 */
export function maskOf(features: SegmentationFeatures, image: number): Uint8Array {
  const pixels = features.maskSize[0] * features.maskSize[1];
  if (features.masks.length !== pixels * imageCount(features)) {
    throw new EvalsError(
      'labels',
      `${features.masks.length} mask pixels for ${imageCount(features)} images of ${features.maskSize.join(' x ')}`,
    );
  }
  return features.masks.subarray(image * pixels, (image + 1) * pixels);
}
