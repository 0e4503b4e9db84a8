/**
 * Pictures with something drawn over them: a heat map, a patch mask, a segmentation. Each blends
 * `(1 - alpha) * picture + alpha * colour` in sRGB bytes.
 */
import { type ColormapName, colormapColour, extent, vocColour } from '../drawing/colormap';
import { type Grid, pixelPerCell } from '../drawing/grid';
import { type PixelImage, type Rgb, rgbImage, toRgb } from '../drawing/image';
import { type ImageSize, resample } from '../drawing/resample';
import { checkRange } from '../errors';

/** Options of `heatOverlay`. */
export interface HeatOverlayOptions {
  /** Values of the two ends of the colour map. Default: the map's smallest and largest. */
  readonly domain?: readonly [low: number, high: number];
  readonly colormap?: ColormapName;
  /** 0 shows the picture alone, 1 the map alone. Default 0.65. */
  readonly opacity?: number;
  readonly resampling?: 'nearest' | 'bilinear';
}

/**
 * A heat map of `values` [rows, columns] on a grid of patches over the picture it belongs to. The picture is shown in grey, so
 * that every hue belongs to the map.
 */
export function heatOverlay(
  image: PixelImage,
  values: ArrayLike<number>,
  grid: Grid,
  options: HeatOverlayOptions = {},
): PixelImage {
  const opacity = options.opacity ?? 0.65;
  checkRange('the opacity', opacity, 0, 1);
  const [low, high] = options.domain ?? extent(values);
  const enlarged = resample(values, pixelPerCell(grid), image, 1, options.resampling ?? 'bilinear');
  return blend(greyscale(image), (p) => {
    const t = high > low ? (enlarged[p]! - low) / (high - low) : 0;
    return { colour: colormapColour(options.colormap ?? 'inferno', t), alpha: opacity };
  });
}

/** Options of `maskOverlay`. */
export interface MaskOverlayOptions {
  /** Colour of masked patches. Default a light grey. */
  readonly colour?: Rgb;
  /** Default 0.88. */
  readonly opacity?: number;
}

/** The picture with its masked patches covered: `mask` [rows, columns] is non-zero where a patch is hidden. */
export function maskOverlay(
  image: PixelImage,
  mask: ArrayLike<number>,
  grid: Grid,
  options: MaskOverlayOptions = {},
): PixelImage {
  const opacity = options.opacity ?? 0.88;
  checkRange('the opacity', opacity, 0, 1);
  const colour = options.colour ?? [205, 208, 214];
  const enlarged = resample(mask, pixelPerCell(grid), image, 1, 'nearest');
  return blend(image, (p) => ({ colour, alpha: enlarged[p] ? opacity : 0 }));
}

const BORDER_COLOUR: Rgb = [255, 255, 255];

/** Options of `segmentationOverlay`. */
export interface SegmentationOverlayOptions {
  /** Colour of a class index. Default: PASCAL VOC's. */
  readonly colour?: (label: number) => Rgb;
  /** Default 0.6. */
  readonly opacity?: number;
  /** Labels left as they are in the picture. Default 0 (background) and 255 (ignore). */
  readonly transparent?: readonly number[];
}

/**
 * A segmentation over its picture: `labels` [rows, columns] are class indices on any grid (patches or pixels); borders
 * between classes are drawn in white, so that touching and dark regions stay apart.
 */
export function segmentationOverlay(
  image: PixelImage,
  labels: ArrayLike<number>,
  grid: Grid,
  options: SegmentationOverlayOptions = {},
): PixelImage {
  const opacity = options.opacity ?? 0.6;
  checkRange('the opacity', opacity, 0, 1);
  const transparent = new Set(options.transparent ?? [0, 255]);
  const colour = options.colour ?? vocColour;
  const enlarged = resample(labels, pixelPerCell(grid), image, 1, 'nearest');
  const reach = Math.max(1, Math.round(Math.min(image.width, image.height) / 220));
  return blend(image, (p) => {
    const label = enlarged[p]!;
    if (transparent.has(label)) return { colour: [0, 0, 0], alpha: 0 };
    return isBorder(enlarged, image, p, reach)
      ? { colour: BORDER_COLOUR, alpha: 0.9 }
      : { colour: colour(label), alpha: opacity };
  });
}

/** Luma of Rec. 601 in all three channels. */
function greyscale(image: PixelImage): PixelImage {
  const { data } = toRgb(image);
  const grey = Uint8Array.from(data, (_, i) => {
    const p = i - (i % 3);
    return Math.round(0.299 * data[p]! + 0.587 * data[p + 1]! + 0.114 * data[p + 2]!);
  });
  return rgbImage(image.width, image.height, grey);
}

function isBorder(labels: Float32Array, { width, height }: ImageSize, p: number, reach: number): boolean {
  const x = p % width;
  const y = Math.floor(p / width);
  const differs = (nx: number, ny: number): boolean =>
    nx >= 0 && ny >= 0 && nx < width && ny < height && labels[ny * width + nx] !== labels[p];
  return differs(x - reach, y) || differs(x + reach, y) || differs(x, y - reach) || differs(x, y + reach);
}

function blend(picture: PixelImage, over: (pixel: number) => { colour: Rgb; alpha: number }): PixelImage {
  const image = toRgb(picture);
  const data = new Uint8Array(image.data.length);
  for (let p = 0; p < image.width * image.height; p++) {
    const { colour, alpha } = over(p);
    for (let c = 0; c < 3; c++) {
      data[p * 3 + c] = Math.round((1 - alpha) * image.data[p * 3 + c]! + alpha * colour[c]!);
    }
  }
  return rgbImage(image.width, image.height, data);
}
