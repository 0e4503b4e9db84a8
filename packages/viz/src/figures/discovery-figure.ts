/**
 * Objects found in pictures: the picture with the boxes that are labelled and the one that was found, and maps over the patches, such as the similarity of
 * all of them to the seed. Patches are squares of `patchSize` pixels from the upper left; where the picture's sides are no multiples of it, the last ones
 * reach beyond it and are cut off.
 */
import { type ImageGridOptions, imageGrid } from '../charts/image-grid';
import { type ColormapName, quantile } from '../drawing/colormap';
import type { Grid } from '../drawing/grid';
import { type PixelImage, type Rgb, rgbImage, toRgb } from '../drawing/image';
import { type Figure, hexColour } from '../drawing/svg';
import { checkCount, checkIndex, checkLength, checkRange, VizError } from '../errors';
import { heatOverlay } from './overlay';

/** A half-open box in pixels of its picture. */
export type PixelBox = readonly [x0: number, y0: number, x1: number, y1: number];

/** A picture, what is known and what was found in it. */
export interface DiscoveryItem {
  readonly image: PixelImage;
  readonly label?: string;
  readonly truth: readonly PixelBox[];
  readonly found: PixelBox;
  readonly patchSize: number;
  /** Patches of the picture once it is padded. */
  readonly grid: Grid;
  /** Patch that the search began at, row-major. */
  readonly seed: number;
  /** Values of the patches [rows, columns], a map for each column. */
  readonly maps: readonly ArrayLike<number>[];
}

/** Options of `discoveryFigure`. */
export interface DiscoveryFigureOptions extends Omit<ImageGridOptions, 'columnLabels' | 'legend'> {
  /** Titles of the maps' columns. */
  readonly columns: readonly string[];
  readonly colormap?: ColormapName;
}

const TRUTH: Rgb = [86, 180, 233];
const FOUND: Rgb = [255, 128, 0];
const SEED: Rgb = [0, 220, 170];

/**
 * Rows of picture and maps; a map's colours span its 1st to 99th percentile.
 * @throws VizError `shape` when an item has not one map per column or a map not one value per patch, `options` for a seed that is no patch
 */
export function discoveryFigure(items: readonly DiscoveryItem[], options: DiscoveryFigureOptions): Figure {
  const { columns, colormap, ...grid } = options;
  const rows = items.map((item, i) => {
    if (item.maps.length !== columns.length)
      throw new VizError('shape', `picture ${i} has ${item.maps.length} maps for ${columns.length} columns`);
    const seed = patchBox(item, i);
    const boxes = item.truth.map((box) => ({ box, colour: TRUTH }));
    const picture = outlined(item.image, [...boxes, { box: item.found, colour: FOUND }]);
    const maps = item.maps.map((map) => ({
      image: outlined(patchMap(item, map, colormap), [{ box: seed, colour: SEED }]),
    }));
    return { label: item.label, cells: [{ image: picture }, ...maps] };
  });
  const legend = [
    { name: 'labelled', colour: hexColour(TRUTH) },
    { name: 'found', colour: hexColour(FOUND) },
    { name: 'seed', colour: hexColour(SEED) },
  ];
  return imageGrid(rows, { title: 'Objects found', columnLabels: ['picture', ...columns], legend, ...grid });
}

/** The seed's patch in pixels. */
function patchBox({ seed, grid: [rows, columns], patchSize }: DiscoveryItem, picture: number): PixelBox {
  checkCount('the patch size', patchSize);
  checkIndex(`the seed of picture ${picture}`, seed, rows * columns);
  const [x, y] = [(seed % columns) * patchSize, Math.floor(seed / columns) * patchSize];
  return [x, y, x + patchSize, y + patchSize];
}

/** A map over its picture, each pixel with the value of its own patch. */
function patchMap(
  { image, grid, patchSize }: DiscoveryItem,
  map: ArrayLike<number>,
  colormap: ColormapName | undefined,
): PixelImage {
  checkLength('a map', map, grid);
  const [rows, columns] = grid;
  checkRange('rows of patches', rows, Math.ceil(image.height / patchSize), Number.POSITIVE_INFINITY);
  checkRange('columns of patches', columns, Math.ceil(image.width / patchSize), Number.POSITIVE_INFINITY);
  const values = new Float64Array(image.width * image.height);
  for (let y = 0, i = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++, i++)
      values[i] = map[Math.floor(y / patchSize) * columns + Math.floor(x / patchSize)]!;
  const domain = [quantile(map, 0.01), quantile(map, 0.99)] as const;
  return heatOverlay(image, values, [image.height, image.width], {
    domain,
    resampling: 'nearest',
    opacity: 0.8,
    ...(colormap && { colormap }),
  });
}

/** The picture with lines along the inside of boxes, each with a dark line beside it, so that it is seen on any ground. */
function outlined(picture: PixelImage, boxes: readonly { readonly box: PixelBox; readonly colour: Rgb }[]): PixelImage {
  const { width, height, data } = toRgb(picture);
  const pixels = data.slice();
  const line = Math.max(1, Math.round(Math.max(width, height) / 110));
  const draw = ([x0, y0, x1, y1]: PixelBox, from: number, to: number, colour: Rgb): void => {
    for (let y = Math.max(0, y0); y < Math.min(height, y1); y++)
      for (let x = Math.max(0, x0); x < Math.min(width, x1); x++) {
        const inside = Math.min(x - x0, y - y0, x1 - 1 - x, y1 - 1 - y);
        if (inside >= from && inside < to) pixels.set(colour, (y * width + x) * 3);
      }
  };
  for (const { box, colour } of boxes) {
    const [x0, y0, x1, y1] = box;
    const whole = [Math.round(x0), Math.round(y0), Math.round(x1), Math.round(y1)] as const;
    draw(whole, line, line + Math.ceil(line / 2), [0, 0, 0]);
    draw(whole, 0, line, colour);
  }
  return rgbImage(width, height, pixels);
}
