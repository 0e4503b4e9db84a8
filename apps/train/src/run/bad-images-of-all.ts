/** Images that could not be used, counted over all ranks. */
import type { Communicator } from '@franca/collective';
import type { BadImageCounts, LoaderCursor } from '@franca/data';
import { gatherNumbers } from '../ranks/exchange';

export type { BadImageCounts } from '@franca/data';

/** What all ranks counted by `cursor`. Called by all. */
export async function badImagesOfAll(ranks: Communicator, cursor: LoaderCursor | undefined): Promise<BadImageCounts> {
  const { seen, bad } = cursor?.badImages ?? NONE;
  const all = await gatherNumbers(ranks, [seen, bad]);
  const total = (at: number): number => all.reduce((sum, own) => sum + own[at]!, 0);
  return { seen: total(0), bad: total(1) };
}

/** Where a rank goes on counting: rank 0 from what all counted before, so that the sum stays right. */
export const ownCursor = (cursor: LoaderCursor | undefined, rank: number): LoaderCursor | undefined =>
  cursor && rank > 0 ? { ...cursor, badImages: NONE } : cursor;

const NONE: BadImageCounts = { seen: 0, bad: 0 };
