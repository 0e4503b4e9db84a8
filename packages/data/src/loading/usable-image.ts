/**
 * The image of a place in the sequence: its own, or the first of its stand-ins that can be used.
 *
 * Which one that is depends on the ordinal alone. What the other places of a batch hold, and what is drawn later, is the
 * same whether an image can be used or not, and so it is the same for every process that shares the sequence.
 */

import { isImageError } from '../errors';
import { type DecodeOptions, readImage } from '../images/decode';
import type { PixelImage } from '../images/image';
import type { ImageSource } from '../images/image-source';
import type { Draw, Sampler } from './sampler';

/** A place, and how many images were tried for it before. */
export interface Place {
  readonly ordinal: number;
  readonly attempt: number;
}

/** What was found for a place. */
export interface Found {
  /** Absent when all that were tried cannot be used. */
  readonly usable?: { readonly draw: Draw; readonly image: PixelImage };
  /** Those that cannot be used, in the order in which they were tried. */
  readonly unusable: readonly { readonly key: string; readonly error: unknown }[];
  /** Where to go on. */
  readonly next: Place;
}

/** Images tried before the caller is asked: it may know by then that too many are unusable. */
const ATTEMPTS = 16;

/**
 * Tries the images of a place, a few of them at most.
 * @throws what the source throws for anything that is not about one image; the signal's reason once it is aborted
 */
export async function findUsable(
  source: ImageSource,
  sampler: Sampler,
  { ordinal, attempt: first }: Place,
  decode: DecodeOptions | undefined,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const unusable: { key: string; error: unknown }[] = [];
  let attempt = first;
  while (attempt < Math.min(first + ATTEMPTS, source.length)) {
    const draw = sampler.draw(ordinal, attempt++);
    try {
      const image = await readImage(source, draw.index, decode, signal);
      return { usable: { draw, image }, unusable, next: { ordinal, attempt } };
    } catch (error) {
      signal?.throwIfAborted();
      if (!isImageError(error)) throw error;
      unusable.push({ key: source.key(draw.index), error });
    }
  }
  return { unusable, next: { ordinal, attempt } };
}
