/**
 * PCA maps: patch features [rows * columns, D] of pictures to colours, by the recipes of `pca-recipe.ts`.
 *
 *   stage 1   score_1 = first principal score over all patches       -> foreground
 *   stage 2   scores_{1..3} of a PCA fitted on the foreground only   -> red, green, blue
 *
 * Pictures passed together share both PCAs (a joint PCA: the same part has the same colour in each); for one PCA per
 * picture call once per picture. Source: Franca section 5.2 and Fig. 9; DINOv2 Fig. 1.
 */
import { cellsOf, type Grid, pixelPerCell } from '../drawing/grid';
import { type PixelImage, type Rgb, rgbImage, toByte } from '../drawing/image';
import { type ImageSize, resample } from '../drawing/resample';
import { checkCount, checkLength, VizError } from '../errors';
import { type ForegroundRule, type PcaRecipe, type PcaRecipeName, resolveRecipe, scaleScores } from './pca-recipe';
import { componentScores, type FeatureRows, principalComponents } from './principal-components';

/** Patch features of n pictures of one grid, as a model of `@franca/vit` gives them. */
export interface PatchFeatures {
  /** [n, rows * columns, D], without CLS and register tokens. */
  readonly patches: Float32Array;
  readonly grid: Grid;
  /** Width D of one feature. */
  readonly dim: number;
}

/** Colours of one picture's patches. */
export interface PcaMap {
  readonly grid: Grid;
  /** [rows, columns, 3] in 0..1, background patches too (scored by the foreground's PCA and clipped). */
  readonly colours: Float32Array;
  /** 1 where the patch is foreground, [rows, columns]. */
  readonly foreground: Uint8Array;
}

/** Maps of the pictures passed together. */
export interface PcaMaps {
  readonly maps: readonly PcaMap[];
  /** Share of the foreground's variance that each of the three components explains. */
  readonly explained: readonly number[];
}

/** Options of `pcaMaps`. */
export interface PcaMapOptions {
  /** A published recipe's name, or one's own. Default `paper`. */
  readonly recipe?: PcaRecipeName | PcaRecipe;
  /** Foreground per picture, [rows, columns] of 0 and 1: replaces the recipe's own rule. */
  readonly foreground?: readonly ArrayLike<number>[];
  /** Components are fitted on at most so many patches, evenly spaced; all are coloured. Default: all. Bounds the cost of wide features. */
  readonly fitRows?: number;
}

/** Options of `renderPcaMap`. */
export interface PcaRenderOptions extends ImageSize {
  /** How colours are enlarged; the foreground is always enlarged by `nearest`. Default `nearest`. */
  readonly resampling?: 'nearest' | 'bilinear';
  /** Colour of background patches. Default black. */
  readonly background?: Rgb;
}

/**
 * Colours for the patches of pictures, one map for each in order. Batches may differ in grid but not in `dim` (at least 3). When no patch is
 * foreground every map is background and nothing is explained. Throws `shape`, `not-finite` and `options`.
 */
export function pcaMaps(features: PatchFeatures | readonly PatchFeatures[], options: PcaMapOptions = {}): PcaMaps {
  const pictures = singlePictures(features);
  const rows = stackPictures(pictures);
  const recipe = resolveRecipe(options.recipe ?? 'paper');
  const { fitRows = rows.rows } = options;
  checkCount('the number of patches to fit on', fitRows);
  const foreground = findForeground(pictures, rows, recipe, options);
  const kept = thinRows(selectRows(rows, foreground), fitRows);
  if (kept.rows === 0)
    return { maps: splitPictures(pictures, new Float32Array(rows.rows * 3), foreground), explained: [0, 0, 0] };
  const pca = principalComponents(kept, 3);
  const fitted = componentScores(pca, kept);
  const scores = componentScores(pca, rows);
  const colours = new Float32Array(rows.rows * 3);
  for (let k = 0; k < 3; k++) {
    const fittedScores = column(fitted, k);
    const deviation = recipe.whiten && pca.variances[k]! > 0 ? Math.sqrt(pca.variances[k]!) : 1;
    const unit = (isSkewedToNegative(fittedScores) ? -1 : 1) / deviation;
    const scaled = scaleScores(
      column(scores, k).map((score) => score * unit),
      fittedScores.map((score) => score * unit),
      recipe.scale,
    );
    scaled.forEach((value, n) => {
      colours[n * 3 + k] = value;
    });
  }
  const explained = Array.from(pca.variances, (variance) => (pca.totalVariance > 0 ? variance / pca.totalVariance : 0));
  return { maps: splitPictures(pictures, colours, foreground), explained };
}

/** A map as a picture of the given size. */
export function renderPcaMap(map: PcaMap, options: PcaRenderOptions): PixelImage {
  const colours = resample(map.colours, pixelPerCell(map.grid), options, 3, options.resampling ?? 'nearest');
  const foreground = resample(map.foreground, pixelPerCell(map.grid), options, 1, 'nearest');
  const background = options.background ?? [0, 0, 0];
  const data = new Uint8Array(colours.length);
  for (let i = 0; i < data.length; i++)
    data[i] = foreground[Math.floor(i / 3)]! > 0 ? toByte(colours[i]!) : background[i % 3]!;
  return rgbImage(options.width, options.height, data);
}

/** The pictures of one or several batches, each by itself. Throws `shape` where a batch is not whole pictures of its grid. */
export function singlePictures(features: PatchFeatures | readonly PatchFeatures[]): PatchFeatures[] {
  return ('grid' in features ? [features] : features).flatMap(({ patches, grid, dim }, i) => {
    const [rows, columns] = grid;
    const each = cellsOf(grid) * dim;
    const count = Math.max(1, Math.floor(patches.length / each) || 0);
    checkLength(`the patch features of batch ${i}`, patches, [count, rows, columns, dim]);
    return Array.from({ length: count }, (_, n) => ({
      patches: patches.subarray(n * each, (n + 1) * each),
      grid,
      dim,
    }));
  });
}

function stackPictures(pictures: readonly PatchFeatures[]): FeatureRows {
  const first = pictures[0];
  if (!first) throw new VizError('shape', 'no picture was passed; pass the patch features of at least one');
  if (first.dim < 3)
    throw new VizError('shape', `features have ${first.dim} dimensions; three colours need at least 3`);
  for (const [i, picture] of pictures.entries()) {
    if (picture.dim !== first.dim) {
      throw new VizError(
        'shape',
        `picture ${i} has ${picture.dim}-dimensional features, picture 0 has ${first.dim}; a joint PCA needs one dimension`,
      );
    }
  }
  const rows = pictures.reduce((total, { grid }) => total + cellsOf(grid), 0);
  const data = new Float64Array(rows * first.dim);
  let offset = 0;
  for (const picture of pictures) {
    data.set(picture.patches, offset);
    offset += picture.patches.length;
  }
  return { data, rows, dim: first.dim };
}

function findForeground(
  pictures: readonly PatchFeatures[],
  rows: FeatureRows,
  recipe: PcaRecipe,
  { foreground: masks, fitRows = rows.rows }: PcaMapOptions,
): Uint8Array {
  if (masks) return stackMasks(pictures, masks);
  if (!recipe.foreground) return new Uint8Array(rows.rows).fill(1);
  const scores = componentScores(principalComponents(thinRows(rows, fitRows), 1), rows);
  return thresholdScores(orientedScores(scores, borderPatches(pictures), recipe.foreground.keep), recipe.foreground);
}

/** The side that is kept must not be the border's: pictures show their subject in the middle. */
function orientedScores(scores: Float64Array, border: Uint8Array, keep: 'above' | 'below'): Float64Array {
  const borderSum = scores.reduce((sum, score, n) => sum + (border[n] ? score : 0), 0);
  const borderIsHigh =
    Math.abs(borderSum) > 1e-9 * Math.sqrt(scores.length) ? borderSum > 0 : isSkewedToNegative(scores);
  return borderIsHigh === (keep === 'above') ? scores.map((score) => -score) : scores;
}

function thresholdScores(scores: Float64Array, rule: ForegroundRule): Uint8Array {
  const compared = rule.score === 'minmax' ? scaleScores(scores, scores, { kind: 'minmax' }) : scores;
  return Uint8Array.from(compared, (score) => (score > rule.threshold === (rule.keep === 'above') ? 1 : 0));
}

function borderPatches(pictures: readonly PatchFeatures[]): Uint8Array {
  const flags = pictures.flatMap(({ grid: [rows, columns] }) =>
    Array.from({ length: rows * columns }, (_, p) => {
      const y = Math.floor(p / columns);
      const x = p % columns;
      return y === 0 || x === 0 || y === rows - 1 || x === columns - 1 ? 1 : 0;
    }),
  );
  return Uint8Array.from(flags);
}

function stackMasks(pictures: readonly PatchFeatures[], masks: readonly ArrayLike<number>[]): Uint8Array {
  if (masks.length !== pictures.length) {
    throw new VizError('shape', `${masks.length} foreground masks for ${pictures.length} pictures; pass one for each`);
  }
  pictures.forEach(({ grid }, i) => {
    checkLength(`the foreground of picture ${i}`, masks[i]!, grid);
  });
  return Uint8Array.from(masks.flatMap((mask) => Array.from(mask, (value) => (value > 0 ? 1 : 0))));
}

function selectRows({ data, dim }: FeatureRows, keep: Uint8Array): FeatureRows {
  const indices = Array.from(keep.keys()).filter((n) => keep[n]);
  const selected = new Float64Array(indices.length * dim);
  indices.forEach((n, row) => {
    for (let d = 0; d < dim; d++) selected[row * dim + d] = data[n * dim + d]!;
  });
  return { data: selected, rows: indices.length, dim };
}

/** At most `count` rows, evenly spaced. */
function thinRows(rows: FeatureRows, count: number): FeatureRows {
  if (rows.rows <= count) return rows;
  const keep = new Uint8Array(rows.rows);
  for (let i = 0; i < count; i++) keep[Math.floor((i * rows.rows) / count)] = 1;
  return selectRows(rows, keep);
}

function splitPictures(pictures: readonly PatchFeatures[], colours: Float32Array, foreground: Uint8Array): PcaMap[] {
  let start = 0;
  return pictures.map(({ grid }) => {
    const end = start + cellsOf(grid);
    const map = { grid, colours: colours.slice(start * 3, end * 3), foreground: foreground.slice(start, end) };
    start = end;
    return map;
  });
}

function column(scores: Float64Array, k: number): Float64Array {
  return Float64Array.from({ length: scores.length / 3 }, (_, n) => scores[n * 3 + k]!);
}

/** Sign of the third central moment; centred scores, so that no mean is taken off. */
function isSkewedToNegative(scores: Float64Array): boolean {
  return scores.reduce((sum, score) => sum + score ** 3, 0) < 0;
}
