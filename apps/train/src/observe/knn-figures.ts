/**
 * The k-NN accuracy of the teacher beside what it has to beat: raw pixels, the weights that the run started from, and a guess. All are measured on the same n images,
 * so that the difference of two is judged by the images on which they differ (McNemar): with b images that only the teacher gets right and c that only the other
 * does, the difference is (b - c) / n and its standard error sqrt(b + c + 1 - (b - c)^2 / n) / n. The 1 is one image more that differs: few images are never certain.
 */
import type { StartingWeights } from './run-start';

/** Something that the teacher is compared with. */
export interface Compared {
  /** Its own accuracy, 0..1. */
  readonly share: number;
  /** Accuracy of the teacher minus this one. */
  readonly lead: number;
  /** Standard error of `lead`. */
  readonly error: number;
}

export interface KnnFigures {
  /** At which it was measured. */
  readonly step: number;
  /** Neighbours. */
  readonly k: number;
  /** Held-out images that were classified, and classes of the training images. */
  readonly images: number;
  readonly classes: number;
  /** Accuracy of naming the most frequent class of the training images, always. */
  readonly chance: number;
  /** Accuracy of the teacher. */
  readonly share: number;
  readonly pixels: Compared;
  /** Undefined at step 0, and where it is not known on these images. */
  readonly start: (Compared & { readonly weights: StartingWeights }) | undefined;
}

/** Which images are given their own class, [n] of 0 and 1: by the teacher, by raw pixels, and by the weights of the start. */
export interface KnnReadings {
  readonly right: Uint8Array;
  readonly pixels: Uint8Array;
  readonly start: { readonly right: Uint8Array; readonly weights: StartingWeights } | undefined;
}

export function knnFigures(
  { right, pixels, start }: KnnReadings,
  { step, k }: Pick<KnnFigures, 'step' | 'k'>,
  labels: { readonly train: Int32Array; readonly test: Int32Array },
): KnnFigures {
  const usual = mostFrequent(labels.train);
  return {
    step,
    k,
    images: right.length,
    classes: new Set(labels.train).size,
    chance: shareOf(labels.test.map((label) => Number(label === usual))),
    share: shareOf(right),
    pixels: compare(right, pixels),
    start: start && { ...compare(right, start.right), weights: start.weights },
  };
}

function compare(right: Uint8Array, other: Uint8Array): Compared {
  const n = right.length;
  const only = right.reduce((count, hit, i) => count + (hit > other[i]! ? 1 : 0), 0);
  const onlyOther = right.reduce((count, hit, i) => count + (hit < other[i]! ? 1 : 0), 0);
  const difference = only - onlyOther;
  return {
    share: shareOf(other),
    lead: difference / n,
    error: Math.sqrt(only + onlyOther + 1 - difference ** 2 / n) / n,
  };
}

const shareOf = (hits: ArrayLike<number>): number =>
  Array.from(hits).reduce((sum, hit) => sum + hit, 0) / Math.max(1, hits.length);

/** The lowest of the most frequent ones. */
function mostFrequent(labels: Int32Array): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || a - b)[0]?.[0] ?? -1;
}
