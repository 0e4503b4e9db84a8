/**
 * The images that a teacher is measured on, of which each rank decodes and runs a stretch. What is known of all of them is on all ranks; the features come together
 * in the order of the images, so that they are those that one rank alone computes.
 */
import { createHash } from 'node:crypto';
import type { Communicator } from '@franca/collective';
import type { ImageSource } from '@franca/data';
import { gatherRecords, gatherShares } from '../ranks/exchange';
import { together } from '../ranks/together';
import { type HeldOutImages, type HeldOutRequest, readHeldOutImages } from './held-out-images';

export interface SharedImages extends Pick<HeldOutImages, 'indices' | 'labels' | 'size' | 'skipped'> {
  /** The images of this rank. */
  readonly own: HeldOutImages;
  /** How many are on every rank. */
  readonly counts: readonly number[];
  /** SHA-256 of each image's pixels. */
  readonly digests: readonly string[];
}

/** Reads the images of `request`, each rank its stretch. Called by all ranks. */
export async function readSharedImages(
  ranks: Communicator,
  source: ImageSource,
  request: HeldOutRequest,
): Promise<SharedImages> {
  const own = await together(ranks, () => readHeldOutImages(source, request, ranks));
  const { images, indices, labels, skipped, size } = own;
  const digests = images.map(({ data }) => createHash('sha256').update(data).digest('base64'));
  const all = await gatherRecords(ranks, { indices, labels: [...labels], skipped, digests });
  return {
    own,
    size,
    counts: all.map((part) => part.indices.length),
    indices: all.flatMap((part) => part.indices),
    labels: Int32Array.from(all.flatMap((part) => part.labels)),
    skipped: all.flatMap((part) => part.skipped),
    digests: all.flatMap((part) => part.digests),
  };
}

/** A row of `width` values for each of all images, from `rowsOf` the own ones [n, width]. Called by all ranks. */
export async function rowsOnAll(
  ranks: Communicator,
  { own, counts }: Pick<SharedImages, 'own' | 'counts'>,
  width: number,
  rowsOf: (images: HeldOutImages) => Float32Array | Promise<Float32Array>,
): Promise<Float32Array> {
  const rows = await together(ranks, () => rowsOf(own));
  return gatherShares(ranks, rows, counts, width);
}
