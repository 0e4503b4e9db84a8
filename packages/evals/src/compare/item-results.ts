/**
 * Results of single items as text and back. Two models are compared item by item, so a record keeps what each item gave: a bit, a number, its
 * place among confidences, or counts of pixels by class.
 *
 * All numbers are little-endian. `hits`: item `i` is bit `i % 8` of byte `i / 8`, the lowest first. `values`: f32. `scores`: only their order counts
 * for AUROC, so what is kept is each one's place among the distinct scores of all items, as f32, which is exact where f32 of the scores would
 * make ties of probabilities near 1. `counts`: u32; classes, 1 where absent classes are skipped, how many classes the mean is taken over and which;
 * then for each image how many classes it has, and four numbers a class as in `ClassCounts`.
 */
import { checkArgument, checkOption, EvalsError } from '../errors';
import type { SegmentationScoring } from '../metrics/segmentation';
import type { ItemResults } from '../outcome';
import { base64Length, fromBase64, toBase64 } from './base64';
import type { ClassCounts, PooledItems } from './class-counts';

/** Results read back. */
export type ReadItems = { readonly items: number; readonly of?: string | undefined } & (
  | { readonly kind: 'hits'; readonly hits: Uint8Array }
  | { readonly kind: 'values'; readonly values: Float32Array }
  | { readonly kind: 'scores'; readonly inside: number; readonly scores: Float32Array }
  | ({ readonly kind: 'counts' } & PooledItems)
);

/**
 * Whether each item is right: of one label, or, where labels are lists, of any of them; an item with an empty list is not scored and has no place.
 *
 * @throws EvalsError `argument` or `options`
 */
export function hitItems(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number> | readonly (readonly number[])[],
): ItemResults {
  checkArgument('hitItems', 'predicted', predicted, 'list');
  checkArgument('hitItems', 'labels', labels, 'list');
  checkOption(
    predicted.length === labels.length,
    `hitItems: ${predicted.length} predictions for ${labels.length} labels; each item needs both`,
  );
  const hits = Array.from<number | readonly number[]>(labels).flatMap((label, i) => {
    if (typeof label === 'number') return [predicted[i] === label];
    return label.length === 0 ? [] : [label.includes(predicted[i]!)];
  });
  const bytes = new Uint8Array(Math.ceil(hits.length / 8));
  for (const [i, hit] of hits.entries()) if (hit) bytes[i >> 3]! |= 1 << (i & 7);
  return { kind: 'hits', items: hits.length, data: toBase64(bytes) };
}

/**
 * Numbers whose mean is the evaluation's value, one an item.
 *
 * @throws EvalsError `argument`, or `features` for one that is not finite
 */
export function valueItems(values: ArrayLike<number>): ItemResults {
  checkArgument('valueItems', 'values', values, 'list');
  return { kind: 'values', items: values.length, data: toBase64(floatBytes('valueItems', values)) };
}

/**
 * Right or wrong items as numbers whose mean is the mean over classes of each class's share of hits: an item of a rare class weighs more.
 *
 * @throws EvalsError `argument` or `options`
 */
export function classHitItems(predicted: ArrayLike<number>, labels: ArrayLike<number>): ItemResults {
  checkArgument('classHitItems', 'predicted', predicted, 'list');
  checkArgument('classHitItems', 'labels', labels, 'list');
  checkOption(
    predicted.length === labels.length,
    `classHitItems: ${predicted.length} predictions for ${labels.length} labels; each item needs both`,
  );
  const sizes = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) sizes.set(labels[i]!, (sizes.get(labels[i]!) ?? 0) + 1);
  return valueItems(
    Array.from(labels, (label, i) => (predicted[i] === label ? labels.length / (sizes.size * sizes.get(label)!) : 0)),
  );
}

/**
 * Confidences of known and of foreign items, by their order alone.
 *
 * @throws EvalsError `argument`, or `features` for one that is not finite
 */
export function scoreItems(inside: ArrayLike<number>, outside: ArrayLike<number>): ItemResults {
  checkArgument('scoreItems', 'inside', inside, 'list');
  checkArgument('scoreItems', 'outside', outside, 'list');
  const scores = new Float64Array(inside.length + outside.length);
  scores.set(inside);
  scores.set(outside, inside.length);
  if (!scores.every((score) => !Number.isNaN(score)))
    throw new EvalsError('features', 'scoreItems: a score is NaN; each item needs one');
  const sorted = scores.toSorted();
  const places = new Map<number, number>();
  for (const score of sorted) if (!places.has(score)) places.set(score, places.size);
  const data = toBase64(
    floatBytes(
      'scoreItems',
      scores.map((score) => places.get(score)!),
    ),
  );
  return { kind: 'scores', items: scores.length, inside: inside.length, data };
}

/**
 * Counts of each image, in order, and how they become a mean IoU.
 *
 * @throws EvalsError `argument`
 */
export function countItems(images: readonly ClassCounts[], scoring: SegmentationScoring): ItemResults {
  checkArgument('countItems', 'images', images, 'list');
  checkArgument('countItems', 'scoring', scoring, 'object');
  checkArgument('countItems', 'classes', scoring.classes, 'number');
  const { classes, absent = 'zero', averageOver = Array.from({ length: classes }, (_, c) => c) } = scoring;
  const words = [classes, Number(absent === 'skip'), averageOver.length, ...averageOver];
  for (const image of images) {
    checkArgument('countItems', 'an image', image, 'list');
    words.push(image.length / 4);
    for (const number of image) words.push(number);
  }
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [at, word] of words.entries()) view.setUint32(4 * at, word, true);
  return { kind: 'counts', items: images.length, data: toBase64(bytes) };
}

function floatBytes(what: string, values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!))
      throw new EvalsError('features', `${what}: the number of item ${i} is ${values[i]}; it must be finite`);
    view.setFloat32(4 * i, values[i]!, true);
  }
  return bytes;
}

/**
 * Reads the results of a record that nobody has checked: nothing is allocated by a length that the data do not have.
 *
 * @throws EvalsError `file` where they are none
 */
export function readItemResults(given: unknown): ReadItems {
  const { kind, items, inside, data, of } = fieldsOf(given);
  const common = { items, ...(of === undefined ? {} : { of }) };
  if (kind === 'hits') return { ...common, kind, hits: readHits(bytesOf(data, Math.ceil(items / 8)), items) };
  if (kind === 'counts') return { ...common, kind, ...readCounts(fromBase64(data), items) };
  const numbers = readFloats(bytesOf(data, 4 * items));
  if (kind === 'values') return { ...common, kind, values: numbers };
  if (!isCount(inside) || inside === 0 || inside >= items)
    throw wrong(`${JSON.stringify(inside)} of ${items} scores are of known classes`);
  return { ...common, kind, inside, scores: numbers };
}

const wrong = (what: string): EvalsError =>
  new EvalsError('file', `results of items are none: ${what}; evaluate again with --json`);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function fieldsOf(given: unknown) {
  if (typeof given !== 'object' || given === null) throw wrong('they are no object');
  const { kind, items, inside, data, of } = given as Readonly<Record<string, unknown>>;
  const known = (['hits', 'values', 'scores', 'counts'] as const).find((name) => name === kind);
  if (known === undefined) throw wrong(`their kind is ${JSON.stringify(kind)}`);
  if (!isCount(items) || items === 0) throw wrong(`${JSON.stringify(items)} items`);
  if (typeof data !== 'string') throw wrong('they have no data');
  if (of !== undefined && typeof of !== 'string') throw wrong('the hash of their names is no text');
  return { kind: known, items, inside, data, of };
}

function bytesOf(data: string, length: number): Uint8Array {
  if (data.length !== base64Length(length))
    throw wrong(`${data.length} characters where ${base64Length(length)} hold ${length} bytes`);
  const bytes = fromBase64(data);
  if (bytes.length !== length) throw wrong(`${bytes.length} bytes where there should be ${length}`);
  return bytes;
}

const readHits = (bytes: Uint8Array, items: number): Uint8Array =>
  Uint8Array.from({ length: items }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1);

function readFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) throw wrong(`the number of item ${odd} is ${values[odd]}`);
  return values;
}

/** More classes than any data set has. */
const MOST_CLASSES = 0xffff;

function readCounts(bytes: Uint8Array, items: number): PooledItems {
  if (bytes.length % 4 !== 0) throw wrong(`counts of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
  const [classes = 0, skip = 0, averaged = 0] = words;
  const head = 3 + averaged;
  if (classes < 1 || classes > MOST_CLASSES || skip > 1 || averaged > classes || head + items > words.length)
    throw wrong(`counts of ${classes} classes, ${averaged} of them averaged, in ${words.length} numbers`);
  const averageOver = [...words.subarray(3, head)];
  const over = { classes, absent: skip === 1 ? 'skip' : 'zero', averageOver } as const;
  if (averageOver.some((c) => c >= classes))
    throw wrong(`the mean is taken over [${averageOver}] of ${classes} classes`);
  const starts = new Uint32Array(items + 1);
  const entries = new Uint32Array(words.length - head - items);
  let [at, to] = [head, 0];
  for (let image = 0; image < items; image++) {
    const length = 4 * (words[at++] ?? Number.NaN);
    // each image still to come has at least its length
    if (!(at + length <= words.length - (items - image - 1)))
      throw wrong(`the counts end in image ${image} of ${items}`);
    entries.set(words.subarray(at, at + length), to);
    at += length;
    to += length;
    starts[image + 1] = to;
  }
  if (at !== words.length) throw wrong(`${words.length - at} numbers behind the counts of ${items} images`);
  for (let entry = 0; entry < entries.length; entry += 4)
    if (entries[entry]! >= classes || entries[entry + 1]! > Math.min(entries[entry + 2]!, entries[entry + 3]!))
      throw wrong(`counts [${entries.subarray(entry, entry + 4)}] of a class of ${classes}`);
  return { over, entries, starts };
}
