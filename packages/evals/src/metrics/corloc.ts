/**
 * CorLoc: the share of pictures whose one box meets a true object, with IoU of at least one half. Boxes are half-open in pixels, so
 * areas need no "+ 1". Exactly one half is a hit: in whole pixels `2 |A and B| >= |A or B|` decides it without rounding.
 *
 * Where a method has several equally justified boxes for a picture, the rule's counts; the lowest and highest share say what other choices could
 * make of the whole set.
 */
import { checkArgument, EvalsError } from '../errors';

/** A box in pixels, half-open: it covers `x0 <= x < x1` and `y0 <= y < y1`. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** The box that was found in a picture, and those that are there. */
export interface Located {
  readonly box: Box;
  /** Boxes that equal values would have allowed in its place. */
  readonly otherBoxes: readonly Box[];
  /** Boxes of the objects, at least one. */
  readonly truth: readonly Box[];
}

/** How well one box meets the objects of its picture. */
export interface LocatedScore {
  /** IoU with the object that it meets best. */
  readonly iou: number;
  readonly hit: boolean;
}

/** CorLoc of a set of pictures. */
export interface CorLoc {
  /** Share of hits. */
  readonly corLoc: number;
  readonly hits: number;
  readonly images: number;
  /** Share of pictures of which every allowed box is a hit, and of which any is. */
  readonly lowest: number;
  readonly highest: number;
  readonly meanBestIou: number;
  /** Pictures with more than one allowed box. */
  readonly tiedImages: number;
  readonly perImage: readonly LocatedScore[];
}

/** Intersection over union; 0 for boxes without area. */
export function iou(a: Box, b: Box): number {
  const { both, either } = areas(a, b);
  return either > 0 ? both / either : 0;
}

/** Whether a box has an IoU of at least one half with any of `truth`. */
export function isHit(box: Box, truth: readonly Box[]): boolean {
  checkBoxes('isHit', 'truth', truth);
  return truth.some((each) => {
    const { both, either } = areas(box, each);
    return both > 0 && 2 * both >= either;
  });
}

/** @throws EvalsError `labels` for no pictures, or one without an object */
export function corLoc(results: readonly Located[]): CorLoc {
  checkArgument('corLoc', 'results', results, 'list');
  if (results.length === 0) throw new EvalsError('labels', 'corLoc: there are no pictures');
  const scores = results.map(({ box, otherBoxes, truth }, i) => {
    checkBoxes('corLoc', `results[${i}].truth`, truth);
    checkBoxes('corLoc', `results[${i}].otherBoxes`, otherBoxes);
    if (truth.length === 0)
      throw new EvalsError('labels', `corLoc: results[${i}] has no true box; leave out pictures without objects`);
    const allowed = [box, ...otherBoxes].map((each) => isHit(each, truth));
    return {
      iou: truth.reduce((best, each) => Math.max(best, iou(box, each)), 0),
      hit: allowed[0]!,
      always: allowed.every((hit) => hit),
      ever: allowed.some((hit) => hit),
      tied: otherBoxes.some((other) => other.join() !== box.join()),
    };
  });
  const images = scores.length;
  const count = (of: (score: (typeof scores)[number]) => boolean): number => scores.filter(of).length;
  const hits = count(({ hit }) => hit);
  return {
    corLoc: hits / images,
    hits,
    images,
    lowest: count(({ always }) => always) / images,
    highest: count(({ ever }) => ever) / images,
    meanBestIou: scores.reduce((sum, score) => sum + score.iou, 0) / images,
    tiedImages: count(({ tied }) => tied),
    perImage: scores.map(({ iou, hit }) => ({ iou, hit })),
  };
}

function areas(a: Box, b: Box): { both: number; either: number } {
  checkBoxes('iou', 'the boxes', [a, b]);
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const both = width * height;
  return { both, either: area(a) + area(b) - both };
}

function area([x0, y0, x1, y1]: Box): number {
  return Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
}

function checkBoxes(what: string, name: string, boxes: readonly Box[]): void {
  checkArgument(what, name, boxes, 'list');
  for (const box of boxes) {
    checkArgument(what, `a box of ${name}`, box, 'numbers');
    if (box.length !== 4 || !box.every(Number.isFinite))
      throw new EvalsError('labels', `${what}: a box of ${name} is [${box}]; it must be [x0, y0, x1, y1], finite`);
  }
}
