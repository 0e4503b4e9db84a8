/**
 * What happens to images that cannot be used: another one stands in for each, and they are counted and named.
 *
 * A run that meets too many stops with the list. (The official pipeline trains on a gray square instead, silently.)
 */

import type { OptionKinds } from '@franca/tensor';
import { DataError, isImageError } from '../errors';

export interface BadImagePolicy {
  /**
   * The run stops once more than this share of the images drawn were unusable. Default 0.1. With 1 it stops only when the
   * first `minSeen` images are all unusable, or all that there are. */
  readonly maxShare?: number;
  /** The share is taken of at least this many images, so that one bad file among the first ten is not "10 %". Default 256. */
  readonly minSeen?: number;
  /** Called for every unusable image, in the order of the draws. */
  readonly onBad?: (image: BadImage) => void;
}

export const BAD_IMAGE_POLICY: OptionKinds<BadImagePolicy> = {
  maxShare: 'number',
  minSeen: 'number',
  onBad: 'function',
};

/** One image that could not be used. */
export interface BadImage {
  readonly key: string;
  readonly code: string;
  readonly message: string;
  /** How often it was drawn; more than once when the run passes over the data several times. */
  readonly times: number;
}

/** Plain JSON: how many images a run has drawn, and how many of them were unusable. */
export interface BadImageCounts {
  readonly seen: number;
  readonly bad: number;
}

export interface BadImageLog {
  /** Counts a usable image. */
  good(): void;
  /**
   * Counts and names an unusable one.
   * @throws the error itself when it does not concern a single image; DataError too-many-bad-images above the set share
   */
  bad(key: string, error: unknown): void;
  /** The error that ends a run that has no image left to try. */
  noneLeft(): DataError;
  counts(): BadImageCounts;
  /** The images named so far (the first 1,000 of them). */
  images(): BadImage[];
}

const DEFAULT_MAX_SHARE = 0.1;
const DEFAULT_MIN_SEEN = 256;
const MAX_NAMED = 1000;
const MAX_LISTED = 20;

/** Opens the log, with the counts of an interrupted run where it continues one. */
export function createBadImageLog(
  policy: BadImagePolicy = {},
  from: BadImageCounts = { seen: 0, bad: 0 },
): BadImageLog {
  const { maxShare = DEFAULT_MAX_SHARE, minSeen = DEFAULT_MIN_SEEN, onBad } = policy;
  let { seen, bad } = from;
  const named = new Map<string, BadImage>();

  return {
    good: () => {
      seen++;
    },
    bad: (key, error) => {
      if (!isImageError(error)) throw error;
      seen++;
      bad++;
      const image = { key, code: error.code, message: error.message, times: (named.get(key)?.times ?? 0) + 1 };
      if (named.has(key) || named.size < MAX_NAMED) named.set(key, image);
      onBad?.(image);
      const hopeless = bad === seen && seen >= minSeen;
      if (hopeless || bad > maxShare * Math.max(seen, minSeen))
        throw tooMany(
          `${bad} of ${seen} images drawn could not be used, more than the allowed share of ${maxShare}`,
          named,
        );
    },
    noneLeft: () => tooMany(`${bad} of ${seen} images drawn could not be used, and now no other is left to try`, named),
    counts: () => ({ seen, bad }),
    images: () => [...named.values()],
  };
}

function tooMany(what: string, named: ReadonlyMap<string, BadImage>): DataError {
  const images = [...named.values()];
  const listed = images.slice(0, MAX_LISTED).map((image) => `  ${image.key}: ${image.code}: ${image.message}`);
  const rest = images.length > MAX_LISTED ? [`  ... and ${images.length - MAX_LISTED} more`] : [];
  return new DataError(
    'too-many-bad-images',
    `${what}:\n${[...listed, ...rest].join('\n')}\nremove or repair them, or allow a larger share`,
  );
}
