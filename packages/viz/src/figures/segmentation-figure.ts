/** Segmentations beside their pictures: one column per labelling (prediction, ground truth), and a legend. */
import { type ImageGridOptions, imageGrid } from '../charts/image-grid';
import { vocColour } from '../drawing/colormap';
import type { Grid } from '../drawing/grid';
import type { PixelImage, Rgb } from '../drawing/image';
import { type Figure, hexColour } from '../drawing/svg';
import { checkLength, VizError } from '../errors';
import { segmentationOverlay } from './overlay';

/** One labelling: class indices [rows, columns] on any grid, of patches or pixels. */
export interface LabelMap {
  readonly grid: Grid;
  readonly labels: ArrayLike<number>;
}

/** A picture and its labellings, one per column. */
export interface SegmentationItem {
  readonly image: PixelImage;
  readonly maps: readonly LabelMap[];
  readonly label?: string;
}

/** Options of `segmentationFigure`. */
export interface SegmentationFigureOptions extends Omit<ImageGridOptions, 'columnLabels' | 'legend'> {
  /** Titles of the labellings' columns. */
  readonly columns: readonly string[];
  /** Class names by index; classes that occur are listed below the pictures. */
  readonly classes?: readonly string[];
  /** Colour of a class index. Default: PASCAL VOC's. */
  readonly colour?: (label: number) => Rgb;
  /** Labels that are not drawn. Default 0 (background) and 255 (ignore). */
  readonly transparent?: readonly number[];
}

/** Rows of picture and overlays. Throws `shape` when an item has not one map per column. */
export function segmentationFigure(items: readonly SegmentationItem[], options: SegmentationFigureOptions): Figure {
  const { columns, classes, colour = vocColour, transparent = [0, 255], ...grid } = options;
  const present = new Set<number>();
  const rows = items.map(({ image, maps, label }, i) => {
    if (maps.length !== columns.length) {
      throw new VizError('shape', `picture ${i} has ${maps.length} labellings for ${columns.length} columns`);
    }
    const overlays = maps.map((map) => {
      checkLength('the labels', map.labels, map.grid);
      for (const index of new Set(Array.from(map.labels))) present.add(index);
      return { image: segmentationOverlay(image, map.labels, map.grid, { colour, transparent }) };
    });
    return { label, cells: [{ image }, ...overlays] };
  });
  const legend = [...present]
    .filter((index) => !transparent.includes(index))
    .sort((a, b) => a - b)
    .map((index) => ({ name: classes?.[index] ?? `class ${index}`, colour: hexColour(colour(index)) }));
  return imageGrid(rows, { title: 'Segmentation', columnLabels: ['image', ...columns], legend, ...grid });
}
