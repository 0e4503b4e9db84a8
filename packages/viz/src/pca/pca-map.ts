/**
 * PCA maps: patch features [H * W, D] of pictures to colours, by the recipes of `pca-recipe.ts`.
 *
 *   stage 1   score_1 = first principal score over all patches       -> foreground
 *   stage 2   scores_{1..3} of a PCA fitted on the foreground only   -> red, green, blue
 *
 * Pictures passed together share both PCAs (a joint PCA: the same part has the same colour in each); for one PCA per
 * picture call once per picture. Source: Franca section 5.2 and Fig. 9; DINOv2 Fig. 1.
 */
import { type Rgb, type RgbImage, rgbImage, toByte } from '../drawing/image';
import { type GridSize, resample } from '../drawing/resample';
import { checkCount, checkLength, VizError } from '../errors';
import { type ForegroundRule, type PcaRecipe, type PcaRecipeName, resolveRecipe, scaleScores } from './pca-recipe';
import { componentScores, type FeatureRows, principalComponents } from './principal-components';

/** Patch features of one picture: `data` is [height, width, dim], without CLS and register tokens. */
export interface PatchFeatures extends GridSize {
  readonly data: ArrayLike<number>;
  readonly dim: number;
}

/** Colours of one picture's patches. */
export interface PcaMap extends GridSize {
  /** [height, width, 3] in 0..1, background patches too (scored by the foreground's PCA and clipped). */
  readonly colours: Float32Array;
  /** 1 where the patch is foreground, [height, width]. */
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
  /** Foreground per picture, [height, width] of 0 and 1: replaces the recipe's own rule. */
  readonly foreground?: readonly ArrayLike<number>[];
  /** Components are fitted on at most so many patches, evenly spaced; all are coloured. Default: all. Bounds the cost of wide features. */
  readonly fitRows?: number;
}

/** Options of `renderPcaMap`. */
export interface PcaRenderOptions extends GridSize {
  /** How colours are enlarged; the foreground is always enlarged by `nearest`. Default `nearest`. */
  readonly resampling?: 'nearest' | 'bilinear';
  /** Colour of background patches. Default black. */
  readonly background?: Rgb;
}

/**
 * Colours for the patches of `pictures`, which may differ in grid size but not in `dim` (at least 3). When no patch is
 * foreground every map is background and nothing is explained. Throws `bad-shape`, `not-finite` and `bad-option`.
 */
export function pcaMaps(pictures: readonly PatchFeatures[], options: PcaMapOptions = {}): PcaMaps {
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
export function renderPcaMap(map: PcaMap, options: PcaRenderOptions): RgbImage {
  const colours = resample(map.colours, map, options, 3, options.resampling ?? 'nearest');
  const foreground = resample(map.foreground, map, options, 1, 'nearest');
  const background = options.background ?? [0, 0, 0];
  const data = Uint8Array.from(colours, (value, i) =>
    foreground[Math.floor(i / 3)]! > 0 ? toByte(value) : background[i % 3]!,
  );
  return rgbImage(options.width, options.height, data);
}

function stackPictures(pictures: readonly PatchFeatures[]): FeatureRows {
  const first = pictures[0];
  if (!first) throw new VizError('bad-shape', 'no picture was passed; pass the patch features of at least one');
  checkCount('the feature dimension', first.dim);
  if (first.dim < 3)
    throw new VizError('bad-shape', `features have ${first.dim} dimensions; three colours need at least 3`);
  for (const [i, picture] of pictures.entries()) {
    if (picture.dim !== first.dim) {
      throw new VizError(
        'bad-shape',
        `picture ${i} has ${picture.dim}-dimensional features, picture 0 has ${first.dim}; a joint PCA needs one dimension`,
      );
    }
    checkLength(`the features of picture ${i}`, picture.data, [picture.height, picture.width, picture.dim]);
  }
  const rows = pictures.reduce((total, picture) => total + picture.height * picture.width, 0);
  const data = new Float64Array(rows * first.dim);
  let offset = 0;
  for (const picture of pictures) {
    data.set(picture.data, offset);
    offset += picture.data.length;
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

function borderPatches(pictures: readonly GridSize[]): Uint8Array {
  const flags = pictures.flatMap(({ height, width }) =>
    Array.from({ length: height * width }, (_, p) => {
      const y = Math.floor(p / width);
      const x = p % width;
      return y === 0 || x === 0 || y === height - 1 || x === width - 1 ? 1 : 0;
    }),
  );
  return Uint8Array.from(flags);
}

function stackMasks(pictures: readonly GridSize[], masks: readonly ArrayLike<number>[]): Uint8Array {
  if (masks.length !== pictures.length) {
    throw new VizError(
      'bad-shape',
      `${masks.length} foreground masks for ${pictures.length} pictures; pass one for each`,
    );
  }
  pictures.forEach(({ height, width }, i) => {
    checkLength(`the foreground of picture ${i}`, masks[i]!, [height, width]);
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

function splitPictures(pictures: readonly GridSize[], colours: Float32Array, foreground: Uint8Array): PcaMap[] {
  let start = 0;
  return pictures.map(({ height, width }) => {
    const end = start + height * width;
    const map = { height, width, colours: colours.slice(start * 3, end * 3), foreground: foreground.slice(start, end) };
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
