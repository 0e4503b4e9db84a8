/**
 * Mask coverage (paper Fig. 4): how often is each patch position visible, over many drawn masks? A strategy with a
 * spatial bias shows some places more often than others; cyclic masks show all alike. The number is the coefficient of
 * variation of the visibility over positions, beside what an unbiased strategy would give by chance from so few draws:
 * `sqrt((1 - p) / (p N))` for `N` independent masks of mean visibility `p`.
 */
import { checkArgument, checkOption } from '../errors';
import type { Extent } from '../numerics/bilinear';
import { elapsed, type Outcome } from '../outcome';

/** How often each position was visible in so many masks. */
export interface CoverageCounts {
  /** How often each position was visible (not masked), `[rows * cols]`. */
  readonly visible: ArrayLike<number>;
  /** Masks drawn. */
  readonly draws: number;
  readonly grid: Extent;
}

export interface MaskCoverageResult {
  /** Coefficient of variation of the visibility; 0 is perfectly even. */
  readonly outcome: Outcome;
  /** P(visible) of each position, row-major over the grid. */
  readonly probability: Float64Array;
}

/**
 * @param strategy name of the masking strategy, for the record
 * @throws EvalsError `bad-option` when the counts do not fit the grid or the draws
 */
export function maskCoverage(counts: CoverageCounts, strategy: string): MaskCoverageResult {
  const started = performance.now();
  checkArgument('maskCoverage', 'the counts', counts, 'object');
  checkArgument('maskCoverage', 'strategy', strategy, 'string');
  const { visible, draws, grid } = counts;
  checkArgument('maskCoverage', 'visible', visible, 'list');
  checkArgument('maskCoverage', 'grid', grid, 'numbers');
  const cells = grid[0] * grid[1];
  checkOption(visible.length === cells && cells > 0, `${visible.length} counts for a ${grid.join(' x ')} grid`);
  checkOption(Number.isInteger(draws) && draws > 0, `draws is ${draws}; it must be a positive integer`);
  const probability = Float64Array.from(visible, (count) => count / draws);
  checkOption(
    probability.every((p) => p >= 0 && p <= 1),
    `a position is visible more often than ${draws} times, or less than never; pass counts of visible patches`,
  );
  const mean = probability.reduce((sum, p) => sum + p, 0) / cells;
  checkOption(mean > 0, 'no position is ever visible; pass counts of visible, not of masked patches');
  const variance = probability.reduce((sum, p) => sum + (p - mean) ** 2, 0) / cells;
  const outcome: Outcome = {
    task: 'mask-coverage',
    protocol: 'paper-fig-4',
    variant: strategy,
    evaluated: draws,
    total: draws,
    metric: 'coefficient of variation',
    value: Math.sqrt(variance) / mean,
    unit: 'number',
    others: {
      'expected by chance': Math.sqrt((1 - mean) / (mean * draws)),
      'mean visibility': mean,
      'least visible': probability.reduce((low, p) => Math.min(low, p), 1),
      'most visible': probability.reduce((high, p) => Math.max(high, p), 0),
    },
    perClass: [],
    hyper: { strategy, grid },
    selectedOn: 'nothing',
    seeds: [],
    quirks: false,
    wallMs: elapsed(started),
  };
  return { outcome, probability };
}

/**
 * Counts how often each position is visible in masks of 1 (masked) and 0 (visible).
 *
 * @throws EvalsError `bad-option` for a mask of another size than the grid
 */
export function countVisible(masks: Iterable<ArrayLike<number>>, grid: Extent): CoverageCounts {
  checkArgument('countVisible', 'grid', grid, 'numbers');
  checkOption(
    typeof masks === 'object' && masks !== null && Symbol.iterator in masks,
    'countVisible: masks are no series of masks; give an array of them',
  );
  const visible = new Float64Array(grid[0] * grid[1]);
  let draws = 0;
  for (const mask of masks) {
    checkOption(
      mask.length === visible.length,
      `countVisible: a mask of ${mask.length} patches for a ${grid.join(' x ')} grid; give one number per patch`,
    );
    for (let p = 0; p < visible.length; p++) if (!mask[p]) visible[p]! += 1;
    draws += 1;
  }
  return { visible, draws, grid };
}
