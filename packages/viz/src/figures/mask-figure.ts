/**
 * Masks: how often each position stays visible (Franca Fig. 4), and sampled masks over pictures. Uneven coverage shows
 * as structure and as a coefficient of variation (standard deviation over mean) above that of sampling alone, sqrt((1 -
 * p) / (p n)) for n masks with visible share p.
 */
import { type HeatMapOptions, heatMapFigure } from '../charts/heat-map';
import { contactSheet, type ImageGridOptions } from '../charts/image-grid';
import type { Grid } from '../drawing/grid';
import type { PixelImage } from '../drawing/image';
import type { Figure } from '../drawing/svg';
import { checkCount, checkLength, checkRange, VizError } from '../errors';
import { maskOverlay } from './overlay';

/** Coverage of one strategy. */
export interface MaskCoverage {
  readonly name: string;
  /** In how many of the masks each position was visible, [rows, columns]. */
  readonly visible: ArrayLike<number>;
  readonly grid: Grid;
  /** Masks drawn. */
  readonly draws: number;
}

/** Evenness of a coverage map. */
export interface CoverageStatistics {
  /** Mean probability that a position is visible. */
  readonly mean: number;
  /** Standard deviation over mean across positions. */
  readonly variation: number;
  /** The variation that even coverage would show for so many masks. */
  readonly expected: number;
}

/** Statistics of one strategy. Throws `shape` and, on a count above the number of masks, `options`. */
export function coverageStatistics(coverage: MaskCoverage): CoverageStatistics {
  const probabilities = visibleProbability(coverage);
  const mean = probabilities.reduce((a, b) => a + b, 0) / probabilities.length;
  const variance = probabilities.reduce((sum, p) => sum + (p - mean) ** 2, 0) / probabilities.length;
  if (mean === 0) return { mean, variation: 0, expected: 0 };
  return { mean, variation: Math.sqrt(variance) / mean, expected: Math.sqrt((1 - mean) / (mean * coverage.draws)) };
}

/** Heat maps of P(visible) per strategy under one colour bar, from 0 to the highest probability. */
export function maskCoverageFigure(coverages: readonly MaskCoverage[], options: HeatMapOptions = {}): Figure {
  if (coverages.length === 0) throw new VizError('shape', 'no coverage was passed; give at least one strategy');
  const panels = coverages.map((coverage) => {
    const { variation, expected } = coverageStatistics(coverage);
    const note = `CV ${variation.toFixed(3)} (even: ${expected.toFixed(3)})`;
    return { ...coverage, values: visibleProbability(coverage), title: coverage.name, note };
  });
  const highest = Math.max(...panels.map((panel) => panel.values.reduce((a, b) => Math.max(a, b), 0)));
  const defaults: HeatMapOptions = { title: 'Mask coverage', label: 'P(patch visible)', domain: [0, highest || 1] };
  return heatMapFigure(panels, { ...defaults, ...options });
}

/** A picture with its mask. */
export interface MaskedPicture {
  readonly image: PixelImage;
  /** [rows, columns], non-zero where a patch is hidden. */
  readonly mask: ArrayLike<number>;
  readonly grid: Grid;
  readonly label?: string;
}

/** Pictures with their masked patches covered; each is labelled with its masked share unless it has a label. */
export function maskSheet(pictures: readonly MaskedPicture[], columns: number, options: ImageGridOptions = {}): Figure {
  const cells = pictures.map((picture) => {
    checkLength('the mask', picture.mask, picture.grid);
    const share = Array.from(picture.mask).filter(Boolean).length / picture.mask.length;
    return {
      image: maskOverlay(picture.image, picture.mask, picture.grid),
      label: picture.label ?? `${Math.round(share * 100)} % masked`,
    };
  });
  return contactSheet(cells, columns, { title: 'Masks', ...options });
}

function visibleProbability(coverage: MaskCoverage): Float64Array {
  checkCount('the number of masks', coverage.draws);
  checkLength(`the coverage of '${coverage.name}'`, coverage.visible, coverage.grid);
  return Float64Array.from(coverage.visible, (count, position) => {
    checkRange(`the visible count of '${coverage.name}' at position ${position}`, count, 0, coverage.draws);
    return count / coverage.draws;
  });
}
