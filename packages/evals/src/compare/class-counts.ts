/**
 * What single images add to a mean IoU that is pooled over a set: for each class that an image has or is said to have, the pixels of the
 * intersection, of the prediction and of the truth. Sums of them over any images give that choice's mean IoU, which is how a bootstrap over images
 * scores thousands of resamples without a pixel.
 */
import { checkArgument } from '../errors';
import { renamed } from '../metrics/matching';
import type { SegmentationScoring } from '../metrics/segmentation';

/** Counts of one image, sparse: for each class that occurs `class, intersection, predicted, truth`. */
export type ClassCounts = readonly number[];

/**
 * From the image's counts `[predictions, classes]`, predicted and true. Predictions beyond the classes only miss.
 *
 * @throws EvalsError `argument`
 */
export function classCounts(counts: Float64Array, classes: number): ClassCounts {
  checkArgument('classCounts', 'counts', counts, 'list');
  checkArgument('classCounts', 'classes', classes, 'number');
  const predicted = new Float64Array(classes);
  const truth = new Float64Array(classes);
  for (const [at, count] of counts.entries()) {
    const row = Math.floor(at / classes);
    truth[at % classes]! += count;
    if (row < classes) predicted[row]! += count;
  }
  const sparse: number[] = [];
  for (let c = 0; c < classes; c++)
    if (predicted[c]! + truth[c]! > 0) sparse.push(c, counts[c * classes + c]!, predicted[c]!, truth[c]!);
  return sparse;
}

/** The counts of one image as a list: place in the whole table, count, and so on. */
export type PairCounts = readonly number[];

/** What is not 0 of the image's counts `[predictions, classes]`. */
export function pairCounts(counts: Float64Array): PairCounts {
  const pairs: number[] = [];
  for (const [at, count] of counts.entries()) if (count > 0) pairs.push(at, count);
  return pairs;
}

/**
 * Class counts of images whose predictions are named after all of them are known: `names` is the class of each prediction, -1 for none.
 *
 * @param first number of the image's first class: several namings of the same images are counted as classes of their own, over all of which
 * the mean is taken
 */
export function namedCounts(pairs: PairCounts, names: Int32Array, classes: number, first = 0): ClassCounts {
  const counts = new Float64Array(names.length * classes);
  for (let at = 0; at < pairs.length; at += 2) counts[pairs[at]!] = pairs[at + 1]!;
  const sparse = classCounts(renamed({ counts, clusters: names.length, classes }, names), classes);
  return first === 0 ? sparse : sparse.map((number, at) => (at % 4 === 0 ? number + first : number));
}

/** How pooled counts become one number: the part of a scoring that the mean depends on. */
export type MeanOver = Required<Pick<SegmentationScoring, 'classes' | 'absent' | 'averageOver'>>;

/** Sparse counts of many images in one list: those of image `i` are at `starts[i]` to `starts[i + 1]`. */
export interface PooledItems {
  readonly over: MeanOver;
  readonly entries: Uint32Array;
  readonly starts: Uint32Array;
}

/**
 * Scores choices of the images: `times[i]` says how often image `i` is in it. A class that the images have, but a choice happens to have none of, is left
 * out of its mean: counted as 0 it would pull the models together.
 */
export function pooledScorer({ over, entries, starts }: PooledItems): (times: ArrayLike<number>) => number {
  const { classes, absent, averageOver } = over;
  const sums = new Float64Array(3 * classes);
  const images = starts.length - 1;
  const occurs = new Uint8Array(classes);
  for (let at = 0; at < entries.length; at += 4) if (entries[at + 3]! > 0) occurs[entries[at]!] = 1;
  return (times) => {
    sums.fill(0);
    for (let image = 0; image < images; image++) {
      const weight = times[image]!;
      if (weight === 0) continue;
      for (let at = starts[image]!; at < starts[image + 1]!; at += 4) {
        const to = 3 * entries[at]!;
        sums[to]! += weight * entries[at + 1]!;
        sums[to + 1]! += weight * entries[at + 2]!;
        sums[to + 2]! += weight * entries[at + 3]!;
      }
    }
    let [total, counted] = [0, 0];
    for (const c of averageOver) {
      const hits = sums[3 * c]!;
      const truth = sums[3 * c + 2]!;
      if (occurs[c] === 1 && truth === 0) continue;
      const union = sums[3 * c + 1]! + truth - hits;
      if (union > 0) total += hits / union;
      if (union > 0 || absent === 'zero') counted++;
    }
    return counted === 0 ? 0 : total / counted;
  };
}
