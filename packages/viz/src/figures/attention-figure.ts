/**
 * CLS attention over pictures: the mean over heads and each head (Franca Fig. 7). Colours span the 1st to the 99th
 * percentile of each map, because a few patches often take most of the weight and would leave the rest black.
 */
import { type GridCell, type ImageGridOptions, imageGrid } from '../charts/image-grid';
import { type ColormapName, colourise, quantile } from '../drawing/colormap';
import type { Grid } from '../drawing/grid';
import type { PixelImage } from '../drawing/image';
import { resizeImage } from '../drawing/resample';
import type { Figure } from '../drawing/svg';
import { checkIndex, checkLength, checkOneEach, VizError } from '../errors';
import { type AttentionFeatures, type AttentionMaps, attentionMaps, massMask } from './attention-map';
import { heatOverlay, maskOverlay } from './overlay';

/** Options of `attentionFigure`. */
export interface AttentionFigureOptions extends Omit<ImageGridOptions, 'columnLabels'> {
  /** Stand left of the rows, one for each picture. */
  readonly labels?: readonly string[];
  /** `overlay`: smooth heat over the grey picture. `map`: the patches' values alone. Default `overlay`. */
  readonly style?: 'overlay' | 'map';
  readonly colormap?: ColormapName;
  /** Adds a column that shows only the patches that hold this share of the mean map, DINO's 0.6 for example. */
  readonly mass?: number;
  /** Heads shown. Default: all of them. */
  readonly heads?: readonly number[];
}

/** One row per picture: picture, mean, heads. Throws `shape` unless the attention is that of as many pictures. */
export function attentionFigure(
  images: readonly PixelImage[],
  features: AttentionFeatures | readonly AttentionFeatures[],
  options: AttentionFigureOptions = {},
): Figure {
  const maps = attentionMaps(features);
  const first = maps[0];
  if (!first) throw new VizError('shape', 'no picture was passed; give at least one with its attention');
  checkOneEach('pictures', images.length, 'the attention maps', maps.length);
  const { style, colormap, mass, labels, heads = [...first.heads.keys()], ...grid } = options;
  for (const [i, own] of maps.entries())
    for (const head of heads) checkIndex(`the head of picture ${i}`, head, own.heads.length);
  const rows = images.map((image, i) => ({ label: labels?.[i], cells: drawRow(image, maps[i]!, heads, options) }));
  const massLabel = mass === undefined ? [] : [`${Math.round(mass * 100)} % of mass`];
  const columnLabels = ['image', 'mean', ...massLabel, ...heads.map((head) => `head ${head}`)];
  return imageGrid(rows, { title: 'Attention of the CLS token', columnLabels, ...grid });
}

/** One map [rows, columns] drawn with the figure's colours, to place elsewhere. */
export function renderAttention(
  image: PixelImage,
  map: ArrayLike<number>,
  grid: Grid,
  options: Pick<AttentionFigureOptions, 'style' | 'colormap'> = {},
): PixelImage {
  checkLength('the attention map', map, grid);
  const domain: [number, number] = [quantile(map, 0.01), quantile(map, 0.99)];
  const colormap = options.colormap ?? 'inferno';
  if (options.style === 'map') return resizeImage(colourise(map, grid, domain, colormap), image, 'nearest');
  return heatOverlay(image, map, grid, { domain, colormap });
}

function drawRow(
  image: PixelImage,
  { mean, heads: maps, grid }: AttentionMaps,
  heads: readonly number[],
  options: AttentionFigureOptions,
): GridCell[] {
  const cells = [{ image }, { image: renderAttention(image, mean, grid, options) }];
  if (options.mass !== undefined) {
    const hidden = massMask(mean, options.mass).map((kept) => 1 - kept);
    cells.push({ image: maskOverlay(image, hidden, grid, { colour: [20, 20, 24], opacity: 0.82 }) });
  }
  for (const head of heads) cells.push({ image: renderAttention(image, maps[head]!, grid, options) });
  return cells;
}
