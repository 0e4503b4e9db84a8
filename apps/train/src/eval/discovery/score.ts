/** What was found in the pictures of a set beside what is labelled there: CorLoc of each setting, and everything about each picture. */
import { type Box, boxOfCells, type CorLoc, corLoc } from '@franca/evals';
import type { DiscoveredSet, Found } from './discover-set';
import type { Setting } from './settings';

export interface ScoredPicture {
  /** In the set. */
  readonly index: number;
  readonly found: Found;
  readonly box: Box;
  readonly otherBoxes: readonly Box[];
  readonly truth: readonly Box[];
  /** Largest with a labelled box. */
  readonly iou: number;
  readonly hit: boolean;
}

export interface Scored {
  readonly setting: Setting;
  readonly score: CorLoc;
  readonly pictures: readonly ScoredPicture[];
}

/** One for each setting, in order. */
export const scoreSet = (discovered: DiscoveredSet, patchSize: number): Scored[] =>
  discovered.settings.map((setting, at) => {
    const results = discovered.pictures.map(({ index, size, found }) => ({
      index,
      found: found[at]!,
      box: boxOfCells(found[at]!.cells, patchSize, size),
      otherBoxes: found[at]!.otherCells.map((cells) => boxOfCells(cells, patchSize, size)),
      truth: discovered.set.boxes(index),
    }));
    const score = corLoc(results);
    const pictures = results.map((result, i): ScoredPicture => ({ ...result, ...score.perImage[i]! }));
    return { setting, score, pictures };
  });

/** CorLoc of the box of the whole picture: what large objects give for nothing. */
export const scoreOfWholePictures = ({ set, pictures }: DiscoveredSet): number =>
  corLoc(
    pictures.map(({ index, size }) => ({
      box: [0, 0, size.width, size.height],
      otherBoxes: [],
      truth: set.boxes(index),
    })),
  ).corLoc;
