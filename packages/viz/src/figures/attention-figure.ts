/**
 * CLS attention over pictures: the mean over heads and each head (Franca Fig. 7). Colours span the 1st to the 99th
 * percentile of each map, because a few patches often take most of the weight and would leave the rest black.
 */
import { type GridCell, type ImageGridOptions, imageGrid } from '../charts/image-grid';
import { type ColormapName, colourise, quantile } from '../drawing/colormap';
import type { RgbImage } from '../drawing/image';
import { type GridSize, resizeImage } from '../drawing/resample';
import type { Figure } from '../drawing/svg';
import { checkLength, VizError } from '../errors';
import { attentionHead, type ClsAttention, massMask, meanAttention } from './attention-map';
import { heatOverlay, maskOverlay } from './overlay';

/** A picture and the attention of its CLS token; `grid` is the patch grid, height * width = patches. */
export interface AttentionFigureItem {
  readonly image: RgbImage;
  readonly attention: ClsAttention;
  readonly grid: GridSize;
  readonly label?: string;
}

/** Options of `attentionFigure`. */
export interface AttentionFigureOptions extends Omit<ImageGridOptions, 'columnLabels'> {
  /** `overlay`: smooth heat over the grey picture. `map`: the patches' values alone. Default `overlay`. */
  readonly style?: 'overlay' | 'map';
  readonly colormap?: ColormapName;
  /** Adds a column that shows only the patches that hold this share of the mean map, DINO's 0.6 for example. */
  readonly mass?: number;
  /** Heads shown. Default: all of them. */
  readonly heads?: readonly number[];
}

/** One row per picture: picture, mean, heads. Throws `bad-shape` when a grid does not hold the patches. */
export function attentionFigure(items: readonly AttentionFigureItem[], options: AttentionFigureOptions = {}): Figure {
  const first = items[0];
  if (!first) throw new VizError('bad-shape', 'no picture was passed; give at least one with its attention');
  const heads = options.heads ?? Array.from({ length: first.attention.heads }, (_, head) => head);
  const { style, colormap, mass, heads: _, ...grid } = options;
  const rows = items.map((item) => ({ label: item.label, cells: drawRow(item, heads, options) }));
  const massLabel = mass === undefined ? [] : [`${Math.round(mass * 100)} % of mass`];
  const columnLabels = ['image', 'mean', ...massLabel, ...heads.map((head) => `head ${head}`)];
  return imageGrid(rows, { title: 'Attention of the CLS token', columnLabels, ...grid });
}

/** One map [height, width] drawn with the figure's colours, to place elsewhere. */
export function renderAttention(
  image: RgbImage,
  map: ArrayLike<number>,
  grid: GridSize,
  options: Pick<AttentionFigureOptions, 'style' | 'colormap'> = {},
): RgbImage {
  checkLength('the attention map', map, [grid.height, grid.width]);
  const domain: [number, number] = [quantile(map, 0.01), quantile(map, 0.99)];
  const colormap = options.colormap ?? 'inferno';
  if (options.style === 'map') return resizeImage(colourise(map, grid, domain, colormap), image, 'nearest');
  return heatOverlay(image, map, grid, { domain, colormap });
}

function drawRow(item: AttentionFigureItem, heads: readonly number[], options: AttentionFigureOptions): GridCell[] {
  const { image, attention, grid } = item;
  const mean = meanAttention(attention);
  const cells = [{ image }, { image: renderAttention(image, mean, grid, options) }];
  if (options.mass !== undefined) {
    const hidden = massMask(mean, options.mass).map((kept) => 1 - kept);
    cells.push({ image: maskOverlay(image, hidden, grid, { colour: [20, 20, 24], opacity: 0.82 }) });
  }
  for (const head of heads)
    cells.push({ image: renderAttention(image, attentionHead(attention, head), grid, options) });
  return cells;
}
