/**
 * CorLoc, correct localisation: the share of pictures whose one box covers some object.
 *
 * A box is right where its intersection over union with any true box of the picture is at least one half. Corners are whole pixels, so this is asked of
 * integers (2 * intersection >= union): exactly one half counts, as in the published code, whose single precision loses the 1e-7 that it adds.
 */
import { checkArgument, EvalsError } from '../errors';

/** Corners in pixels, half-open: the pixel at `x1` is outside. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** Intersection over union, 0 where there is neither. */
export function iou(a: Box, b: Box): number {
  const both = intersection(a, b);
  return both / (area(a) + area(b) - both) || 0;
}

/** Whether `box` is right for a picture with these objects. */
export const isHit = (box: Box, truth: readonly Box[]): boolean =>
  truth.some((other) => {
    const both = intersection(box, other);
    return both > 0 && 2 * both >= area(box) + area(other) - both;
  });

const area = ([x0, y0, x1, y1]: Box): number => Math.max(0, x1 - x0) * Math.max(0, y1 - y0);

const intersection = (a: Box, b: Box): number =>
  area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);

/** The box found in one picture, those that other orders of ties would give, and the true ones. */
export interface Localisation {
  readonly box: Box;
  readonly otherBoxes: readonly Box[];
  readonly truth: readonly Box[];
}

export interface CorLoc {
  /** Share of pictures whose box is right. */
  readonly corLoc: number;
  readonly hits: number;
  readonly images: number;
  /** The same with every tie resolved for the worse, and for the better. */
  readonly lowest: number;
  readonly highest: number;
  /** Mean over pictures of the best intersection over union with a true box. */
  readonly meanBestIou: number;
  /** Pictures for which ties give different boxes. */
  readonly tiedImages: number;
  readonly perImage: readonly { readonly iou: number; readonly hit: boolean }[];
}

/** @throws EvalsError `argument` for what is no list; `labels` for a picture without a true box, or no picture */
export function corLoc(results: readonly Localisation[]): CorLoc {
  checkArgument('corLoc', 'results', results, 'list');
  const images = results.length;
  const bare = results.findIndex(({ truth }) => truth.length === 0);
  if (images === 0 || bare >= 0)
    throw new EvalsError(
      'labels',
      images === 0 ? 'corLoc: there is no picture' : `corLoc: picture ${bare} has no true box`,
    );
  const perImage = results.map(({ box, truth }) => ({
    iou: truth.reduce((best, other) => Math.max(best, iou(box, other)), 0),
    hit: isHit(box, truth),
  }));
  const share = (isRight: (result: Localisation) => boolean): number => results.filter(isRight).length / images;
  const allOf = ({ box, otherBoxes }: Localisation): readonly Box[] => [box, ...otherBoxes];
  const hits = perImage.filter(({ hit }) => hit).length;
  return {
    corLoc: hits / images,
    hits,
    images,
    lowest: share((result) => allOf(result).every((box) => isHit(box, result.truth))),
    highest: share((result) => allOf(result).some((box) => isHit(box, result.truth))),
    meanBestIou: perImage.reduce((sum, { iou: best }) => sum + best, 0) / images,
    tiedImages: results.filter(({ otherBoxes }) => otherBoxes.length > 0).length,
    perImage,
  };
}
