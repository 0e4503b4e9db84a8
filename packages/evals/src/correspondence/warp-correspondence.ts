/**
 * Correspondence under known warps: does a patch find itself again in a warped picture? Exact truth for any photograph, without labels.
 *
 * Of a picture and its warp `W`, every cell of the source grid is one question. Its centre `p` goes to `W(p)`; where that lies inside
 * the target, the answer is the centre of the target cell whose token is most similar to the source cell's (cosine; the lowest index of
 * equals), and its error the distance from `W(p)` in shares of the side:
 *
 *   recall@t = share of points with |centre(argmax_j <s_p, t_j>) - W(p)| < t
 *
 * What a number means shows beside three others: `chance`, the share of target cells that would count; `in place`, the recall of who
 * answers `p` itself (a token that knows its position and nothing else); and `best cell`, that of the cell nearest to `W(p)`, which no
 * answer in whole cells exceeds. It is a geometric question of one picture with itself, no semantic one between two of a class.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkSet, PATCHES } from '../check-features';
import { valueItems } from '../compare/item-results';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import { imageCount, type PatchFeatures } from '../features';
import type { Outcome } from '../outcome';
import { matchPoints, type Point } from './match-points';
import { checkWarp, WARP_STRENGTHS, type Warp, type WarpStrength, warpPoint } from './warp';

/** Shares of the side within which an answer counts; the first one is the metric. */
const THRESHOLDS = [0.1, 0.05] as const;

/** Questions of a pair are at most so many: of a finer grid than 16 x 16, every second or third row and column. */
const MAX_POINTS = 256;

/** The answer for one cell of the source. */
export interface WarpMatch {
  /** Cell of the source, and the cell of the target that was found. */
  readonly source: number;
  readonly found: number;
  /** Where the centre of the source cell is in the target, in shares of the side. */
  readonly truth: Point;
  /** Distance of the found cell's centre from there, in shares of the side. */
  readonly error: number;
}

/**
 * Matches the tokens of a square picture with those of its warp.
 * @param source tokens of one picture, and `target` of the same picture under `warp`, on the same grid
 * @returns one answer for each cell of the source that the target shows, of a grid of more than 16 rows for every second or third in both directions
 * @throws EvalsError `features` for tokens of more pictures or of two kinds, or that are not finite; `argument` for what is no warp
 */
export function matchWarped(source: PatchFeatures, target: PatchFeatures, warp: Warp): WarpMatch[] {
  checkPair(source, target);
  checkWarp('matchWarped', warp);
  const side = source.grid[0];
  const asked = questions(side, warp);
  const { cells } = matchPoints(
    source,
    target,
    asked.map(({ cell }) => cornerAligned(cell, side)),
  );
  return asked.map(({ cell, truth }, i) => {
    const found = cells[i]!;
    return { source: cell, found, truth, error: distance(centreOf(found, side), truth) };
  });
}

/** The centre of a cell where the centres of the corner cells are the corners, as `matchPoints` reads the source: its own token alone. */
const cornerAligned = (cell: number, side: number): Point =>
  side === 1 ? [0, 0] : [(cell % side) / (side - 1), Math.floor(cell / side) / (side - 1)];

/** What a picture adds to the result; each list has a number for each threshold. */
export interface WarpTally {
  readonly points: number;
  /** Points found, and those that one would find by answering with the source's own position, or with the cell nearest to the truth. */
  readonly found: readonly number[];
  readonly inPlace: readonly number[];
  readonly bestCell: readonly number[];
  /** Sum over the points of the share of cells that would count. */
  readonly chance: readonly number[];
  /** Sum of the errors in shares of the side. */
  readonly error: number;
}

/**
 * Counts the answers for one picture with `side` rows of cells.
 * @throws EvalsError `argument`
 */
export function tallyWarp(matches: readonly WarpMatch[], side: number): WarpTally {
  checkArgument('tallyWarp', 'matches', matches, 'list');
  checkArgument('tallyWarp', 'side', side, 'number');
  const centres = Array.from({ length: side * side }, (_, cell) => centreOf(cell, side));
  const distances = matches.map(({ truth }) => centres.map((centre) => distance(centre, truth)));
  const each = (count: (at: number, threshold: number) => number): number[] =>
    THRESHOLDS.map((threshold) => sum(matches.map((_, at) => count(at, threshold))));
  return {
    points: matches.length,
    found: each((at, threshold) => Number(matches[at]!.error < threshold)),
    inPlace: each((at, threshold) => Number(distances[at]![matches[at]!.source]! < threshold)),
    bestCell: each((at, threshold) => Number(Math.min(...distances[at]!) < threshold)),
    chance: each((at, threshold) => distances[at]!.filter((value) => value < threshold).length / centres.length),
    error: sum(matches.map(({ error }) => error)),
  };
}

export interface WarpCorrespondenceOptions {
  /** Rows of cells of the pictures. */
  readonly side: number;
  /** Seed of the warps. */
  readonly seed: number;
  /** Milliseconds that it took. */
  readonly wallMs: number;
}

const OPTIONS: OptionKinds<WarpCorrespondenceOptions> = { side: 'number', seed: 'number', wallMs: 'number' };

/**
 * The result of one strength from the tallies of its pictures; all points count alike.
 * @throws EvalsError `options` where there is no point
 */
export function warpCorrespondence(
  strength: WarpStrength,
  tallies: readonly WarpTally[],
  options: WarpCorrespondenceOptions,
): Outcome {
  checkArgument('warpCorrespondence', 'strength', strength, 'string');
  checkArgument('warpCorrespondence', 'tallies', tallies, 'list');
  checkOptions('warpCorrespondence', options, OPTIONS);
  const { side, seed, wallMs } = options;
  const points = sum(tallies.map((tally) => tally.points));
  checkOption(points > 0, 'warpCorrespondence: the tallies have no point; give those of one picture at least');
  const share = (of: (tally: WarpTally) => number): number => sum(tallies.map(of)) / points;
  const value = share(({ found }) => found[0]!);
  const scatter = sum(tallies.map((tally) => (tally.found[0]! - value * tally.points) ** 2));
  const floors = THRESHOLDS.flatMap((threshold, k) => [
    ...(k === 0 ? [] : [[`recall@${threshold}`, share(({ found }) => found[k]!)]]),
    [`chance@${threshold}`, share(({ chance }) => chance[k]!)],
    [`in place@${threshold}`, share(({ inPlace }) => inPlace[k]!)],
    [`best cell@${threshold}`, share(({ bestCell }) => bestCell[k]!)],
  ]);
  return {
    task: 'warp-correspondence',
    protocol: 'known-warps',
    variant: strength,
    evaluated: tallies.length,
    total: tallies.length,
    metric: `recall@${THRESHOLDS[0]}`,
    value,
    unit: 'share',
    others: {
      ...Object.fromEntries(floors),
      'mean error in cells': side * share(({ error }) => error),
      // Of the ratio of two sums over pictures: points of one picture are not independent.
      ...(tallies.length > 1 && {
        'standard error': Math.sqrt((scatter * tallies.length) / (tallies.length - 1)) / points,
      }),
    },
    perClass: [],
    // points of one picture are not independent, so a picture is an item
    items: valueItems(tallies.map(({ found }) => (found[0]! * tallies.length) / points)),
    hyper: { ...WARP_STRENGTHS[strength], threshold: THRESHOLDS[0], points, grid: [side, side] },
    selectedOn: 'nothing',
    seeds: [seed],
    quirks: false,
    wallMs,
  };
}

/** The cells whose centres the target shows, and where. */
function questions(side: number, warp: Warp): { cell: number; truth: Point }[] {
  const step = Math.ceil(side / Math.sqrt(MAX_POINTS));
  const asked: { cell: number; truth: Point }[] = [];
  for (let row = step >> 1; row < side; row += step) {
    for (let column = step >> 1; column < side; column += step) {
      const cell = row * side + column;
      const truth = warpPoint(warp, centreOf(cell, side));
      if (truth.every((position) => position >= 0 && position < 1)) asked.push({ cell, truth });
    }
  }
  return asked;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const centreOf = (cell: number, side: number): Point => [
  ((cell % side) + 0.5) / side,
  (Math.floor(cell / side) + 0.5) / side,
];

const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

function checkPair(source: PatchFeatures, target: PatchFeatures): void {
  checkSet('matchWarped: source', source, PATCHES);
  checkSet('matchWarped: target', target, PATCHES);
  const [rows, columns] = source.grid;
  const same = source.dim === target.dim && source.grid.every((extent, axis) => extent === target.grid[axis]);
  if (!same || rows !== columns || imageCount(source) !== 1 || imageCount(target) !== 1)
    throw new EvalsError(
      'features',
      `matchWarped: source is ${textOf(source)}, target ${textOf(target)}; give tokens of one square picture each, on the same grid`,
    );
}

const textOf = ({ dim, grid, patches }: PatchFeatures): string =>
  `${patches.length} numbers of ${grid.join(' x ')} tokens of ${dim}`;
