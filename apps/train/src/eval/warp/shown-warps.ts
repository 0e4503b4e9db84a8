/** Some pictures with their warps and a few of the patches that were looked for, as a figure. */
import { isImageError } from '@franca/data';
import { type Figure, type MatchedPictures, matchesFigure } from '@franca/viz';
import type { WarpedPair } from './warped-pairs';
import { STRENGTHS, type WarpedSet } from './warped-set';

/** Pictures, and patches of each pair: more lines hide the pictures. */
const PICTURES = 3;
const PATCHES = 12;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Whether a pair is one of those that the figure shows: those of some pictures, evenly spaced. */
export function isShown(set: WarpedSet, { images }: WarpedPair): boolean {
  const pictures = set.length / (1 + STRENGTHS.length);
  const shown = Array.from({ length: PICTURES }, (_, i) => Math.floor(((i + 0.5) * pictures) / PICTURES));
  return shown.includes(set.views(images[0]).picture);
}

/** A row for each picture, a column for each strength; undefined where no picture can be read any more. */
export async function warpsFigure(
  set: WarpedSet,
  pairs: readonly WarpedPair[],
  threshold: number,
): Promise<Figure | undefined> {
  const shown: MatchedPictures[] = [];
  for (const pair of pairs) {
    try {
      const [source, target] = [await set.read(pair.images[0]), await set.read(pair.images[1])];
      shown.push({ source, target, ...pointsOf(pair, source.width, threshold) });
    } catch (error) {
      if (!isImageError(error)) throw error;
    }
  }
  if (shown.length === 0) return undefined;
  return matchesFigure(shown, {
    title: 'Patches of a picture and where they were found under a warp',
    columns: STRENGTHS.length,
    cellSize: 150,
  });
}

function pointsOf({ warped, side, matches }: WarpedPair, size: number, threshold: number) {
  const centreOf = (cell: number): [x: number, y: number] => [
    (((cell % side) + 0.5) * size) / side,
    ((Math.floor(cell / side) + 0.5) * size) / side,
  ];
  const found = matches.filter(({ error }) => error < threshold).length;
  // By the golden section, since evenly spaced ones of a grid lie in few columns.
  const places = Array.from({ length: PATCHES }, (_, i) => Math.floor(((i * GOLDEN) % 1) * matches.length));
  const chosen = matches.filter((_, at) => places.includes(at));
  return {
    label: `${warped.strength}: ${found} of ${matches.length} patches found`,
    matches: chosen.map((match) => ({
      source: centreOf(match.source),
      found: centreOf(match.found),
      truth: [match.truth[0] * size, match.truth[1] * size] as const,
      right: match.error < threshold,
    })),
  };
}
