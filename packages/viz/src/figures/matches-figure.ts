/**
 * Matches of points between two pictures: side by side, a line from each point to where it was found. Right ones and wrong ones differ in colour
 * (told apart by the colour-blind as well) and in stroke, and a wrong one has its true place marked.
 */

import { drawLegend } from '../charts/axes';
import type { PixelImage } from '../drawing/image';
import { resizeImage } from '../drawing/resample';
import { element, type Figure, figure, heading, label, line, type Markup, MUTED, picture } from '../drawing/svg';
import { checkCount, checkRange, VizError } from '../errors';

/** A place in a picture, in its pixels. */
export type PicturePlace = readonly [x: number, y: number];

/** A point of the left picture, where it was found in the right one, and where it is. */
export interface PointMatch {
  readonly source: PicturePlace;
  readonly found: PicturePlace;
  readonly truth: PicturePlace;
  readonly right: boolean;
}

/** Two pictures and their matches. */
export interface MatchedPictures {
  readonly source: PixelImage;
  readonly target: PixelImage;
  readonly matches: readonly PointMatch[];
  /** Stands below. */
  readonly label?: string;
}

/** Options of `matchesFigure`. */
export interface MatchesFigureOptions {
  readonly title?: string;
  readonly subtitle?: string;
  /** Pairs in a row. Default 2. */
  readonly columns?: number;
  /** Longer side of a picture in CSS pixels. Default 200. */
  readonly cellSize?: number;
  /** Pixels stored per CSS pixel. Default 2. */
  readonly density?: number;
}

/** Blue and vermilion of Okabe and Ito, 2008. */
const RIGHT = '#0072b2';
const WRONG = '#d55e00';
const GAP = 10;
const PAIR_GAP = 26;
const LINE_HEIGHT = 20;
const LEFT = 14;

/** Pairs in rows. Throws `shape` when there is none, `options` for a match outside its pictures. */
export function matchesFigure(pairs: readonly MatchedPictures[], options: MatchesFigureOptions = {}): Figure {
  if (pairs.length === 0) throw new VizError('shape', 'no pair was passed; give at least one with its matches');
  const { title, subtitle, columns = 2, cellSize = 200, density = 2 } = options;
  checkCount('the number of columns', columns);
  checkRange('the density', density, 0.25, 8);
  const head = heading(LEFT, title, subtitle);
  const pieces = [...head.pieces];
  const pairWidth = 2 * cellSize + GAP;
  let y = head.height + 4;
  for (let first = 0; first < pairs.length; first += columns) {
    const row = pairs.slice(first, first + columns);
    const heights = row.flatMap(({ source, target }) =>
      [source, target].map((image) => fitted(image, cellSize).height),
    );
    const height = Math.max(...heights);
    for (const [i, pair] of row.entries()) {
      const x = LEFT + i * (pairWidth + PAIR_GAP);
      pieces.push(...drawPair(pair, first + i, { x, y, cellSize, density }));
      if (pair.label)
        pieces.push(
          label(x + pairWidth / 2, y + height + 15, pair.label, { anchor: 'middle', opacity: MUTED, size: 11 }),
        );
    }
    y += height + (row.some((pair) => pair.label) ? LINE_HEIGHT : 0) + GAP;
  }
  const across = Math.min(columns, pairs.length);
  const width = 2 * LEFT + across * pairWidth + (across - 1) * PAIR_GAP;
  const legend = drawLegend(
    [
      { name: 'found', colour: RIGHT, shape: 'box' },
      { name: 'missed (ring: where it is)', colour: WRONG, shape: 'box' },
    ],
    LEFT,
    y + 4,
    width - 2 * LEFT,
  );
  pieces.push(...legend.pieces);
  return figure({ width, height: y + legend.height + 8 }, title ?? 'Matched points', pieces);
}

function drawPair(
  { source, target, matches }: MatchedPictures,
  index: number,
  { x, y, cellSize, density }: { x: number; y: number; cellSize: number; density: number },
): Markup[] {
  const left = place(source, x, y, cellSize);
  const right = place(target, x + cellSize + GAP, y, cellSize);
  const pieces = [source, target].map((image, i) => picture(shrunk(image, cellSize * density), [left, right][i]!.box));
  // the wrong ones first: what was found lies on top
  for (const match of [...matches].sort((a, b) => Number(a.right) - Number(b.right))) {
    checkPlace(index, match.source, source);
    checkPlace(index, match.found, target);
    checkPlace(index, match.truth, target);
    const [from, to, truth] = [left.at(match.source), right.at(match.found), right.at(match.truth)];
    const colour = match.right ? RIGHT : WRONG;
    const stroke = {
      'stroke-width': 1.5,
      'stroke-opacity': 0.9,
      ...(match.right ? {} : { 'stroke-dasharray': '4 3' }),
    };
    if (!match.right) pieces.push(...ring(truth, colour));
    pieces.push(line(...from, ...to, { stroke: colour, ...stroke }), dot(from, colour), dot(to, colour));
  }
  return pieces;
}

const dot = ([cx, cy]: PicturePlace, fill: string): Markup =>
  element('circle', { cx, cy, r: 3, fill, stroke: '#ffffff', 'stroke-width': 1 });

const ring = ([cx, cy]: PicturePlace, stroke: string): Markup[] => [
  element('circle', { cx, cy, r: 5, fill: 'none', stroke: '#ffffff', 'stroke-width': 4 }),
  element('circle', { cx, cy, r: 5, fill: 'none', stroke, 'stroke-width': 2 }),
];

/** Where a picture stands in its cell, at the top and in the middle, and where its places are. */
function place(image: PixelImage, x: number, y: number, cellSize: number) {
  const { width, height, scale } = fitted(image, cellSize);
  const left = x + (cellSize - width) / 2;
  return {
    box: { x: left, y, width, height },
    at: ([u, v]: PicturePlace): [x: number, y: number] => [left + u * scale, y + v * scale],
  };
}

function fitted({ width, height }: PixelImage, cellSize: number): { width: number; height: number; scale: number } {
  const scale = cellSize / Math.max(width, height);
  return { width: width * scale, height: height * scale, scale };
}

/** No more pixels are stored than are shown. */
function shrunk(image: PixelImage, side: number): PixelImage {
  const { width, height, scale } = fitted(image, side);
  if (scale >= 1) return image;
  return resizeImage(image, { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) }, 'area');
}

function checkPlace(index: number, [x, y]: PicturePlace, { width, height }: PixelImage): void {
  // a cell of a padded picture may lie beside it
  const longer = Math.max(width, height);
  if (x >= 0 && y >= 0 && x <= longer && y <= longer) return;
  throw new VizError(
    'options',
    `a match of pair ${index} is at (${x}, ${y}), but its picture is ${width} x ${height}; places are in pixels of the picture`,
  );
}
