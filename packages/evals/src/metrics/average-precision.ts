/**
 * Average precision by eleven points, as the devkit of PASCAL VOC 2007 defines it. Items are ranked by their score; after each one that is judged, precision
 * is the share of positives so far and recall the share of all positives that are found. The result is the mean, over the recalls 0, 0.1, ..., 1,
 * of the highest precision at that recall or beyond; 0 where no rank reaches it.
 *
 * Source: Everingham et al., The PASCAL Visual Object Classes Challenge 2007 Development Kit, section 3.4.1 (VOCevalcls).
 */
import { checkArgument, checkOption, EvalsError } from '../errors';

/**
 * `truth` of each item: above 0 it is of the class, below 0 it is not, 0 it is not judged and left out. Equal scores rank in the order of
 * the items.
 *
 * @returns null where no item is of the class
 * @throws EvalsError `options` when there is not one score per item, `features` when one is NaN
 */
export function elevenPointPrecision(scores: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  checkArgument('elevenPointPrecision', 'scores', scores, 'list');
  checkArgument('elevenPointPrecision', 'truth', truth, 'list');
  checkOption(
    scores.length === truth.length,
    `elevenPointPrecision: ${scores.length} scores for ${truth.length} items; each item needs both`,
  );
  const items = Array.from({ length: truth.length }, (_, i) => i).filter((i) => truth[i] !== 0);
  if (items.some((i) => Number.isNaN(scores[i])))
    throw new EvalsError('features', 'elevenPointPrecision: a score is NaN; scores must be numbers');
  const positives = items.filter((i) => truth[i]! > 0).length;
  if (positives === 0) return null;
  items.sort((a, b) => scores[b]! - scores[a]!);
  // best precision at each of the recalls, or beyond
  const best = new Float64Array(11);
  let found = 0;
  items.forEach((item, rank) => {
    if (truth[item]! > 0) found += 1;
    const precision = found / (rank + 1);
    // the recalls t with found / positives >= t, in whole numbers
    for (let t = 0; t <= 10 && 10 * found >= t * positives; t++) best[t] = Math.max(best[t]!, precision);
  });
  return best.reduce((sum, precision) => sum + precision, 0) / 11;
}
