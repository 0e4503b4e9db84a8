/** The best k-NN reading of a run that goes on from trained weights, whose teacher is kept in a file of its own: a run that ends worse has lost nothing. */
import type { KnnFigures } from './knn-figures';

/** A reading of the teacher. */
export interface BestReading {
  readonly step: number;
  /** k-NN accuracy, 0..1. */
  readonly share: number;
}

/** The file of a run folder that holds the teacher of its best reading. */
export const BEST_TEACHER = 'best.safetensors';

/** The best reading so far of a run from trained weights: the first of those that are above its start. */
export function bestReading(
  known: BestReading | undefined,
  { step, share, start }: KnnFigures,
): BestReading | undefined {
  if (start?.weights !== 'pretrained') return undefined;
  return share > (known ?? start).share ? { step, share } : known;
}
