/** Some of the matched pairs as pictures, of as many classes as there are. */
import { isImageError } from '@franca/data';
import { type MatchedPair, RECALL_THRESHOLD } from '@franca/evals';
import type { MatchedPictures, PointMatch } from '@franca/viz';
import type { PairSet, SetPair } from '../../image-sets/pair-set';

const SHOWN = 8;
/** More lines than these hide the pictures. */
const POINTS = 10;

/** Evenly spaced over the pairs that have key points, which lie class by class. */
export async function shownPairs(
  { pairs, pictures, classes }: PairSet,
  matched: ReadonlyMap<number, MatchedPair>,
): Promise<MatchedPictures[]> {
  const indices = [...matched].filter(([, { match }]) => match.cells.length > 0).map(([index]) => index);
  const count = Math.min(SHOWN, indices.length);
  const shown: MatchedPictures[] = [];
  for (let i = 0; i < count; i++) {
    const index = indices[Math.floor(((i + 0.5) * indices.length) / count)]!;
    const pair = pairs[index]!;
    const { match } = matched.get(index)!;
    try {
      shown.push({
        source: await pictures.read(pair.source),
        target: await pictures.read(pair.target),
        matches: pointsOf(pair, match).slice(0, POINTS),
        label: labelOf(pair, classes[pair.category]!, match),
      });
    } catch (error) {
      if (!isImageError(error)) throw error;
    }
  }
  return shown;
}

function labelOf({ viewpoint }: SetPair, category: string, { errors }: MatchedPair['match']): string {
  const right = errors.filter((error) => error < RECALL_THRESHOLD).length;
  return `${category}${viewpoint === undefined ? '' : `, d=${viewpoint}`}: ${right} of ${errors.length} found`;
}

const pointsOf = ({ points }: SetPair, { found, errors }: MatchedPair['match']): PointMatch[] =>
  points.map(({ source, target }, i) => ({
    source,
    found: found[i]!,
    truth: target,
    right: errors[i]! < RECALL_THRESHOLD,
  }));
