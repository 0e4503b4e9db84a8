/** PCA maps beside their pictures: one row per picture, one column per recipe (Franca Fig. 9). */
import { type GridRow, type ImageGridOptions, imageGrid } from '../charts/image-grid';
import type { RgbImage } from '../drawing/image';
import type { Figure } from '../drawing/svg';
import { VizError } from '../errors';
import { type PatchFeatures, type PcaMapOptions, pcaMaps, renderPcaMap } from './pca-map';
import type { PcaRecipeName } from './pca-recipe';

/** A picture and its patch features. */
export interface PcaFigureItem {
  readonly image: RgbImage;
  readonly features: PatchFeatures;
  readonly label?: string;
}

/** Options of `pcaFigure`. */
export interface PcaFigureOptions extends Omit<ImageGridOptions, 'columnLabels'> {
  /** One column each. Default: the paper's. */
  readonly recipes?: readonly PcaRecipeName[];
  /** One PCA over all pictures instead of one each. */
  readonly joint?: boolean;
  readonly resampling?: 'nearest' | 'bilinear';
}

/** Rows of picture and maps. Throws as `pcaMaps` does, and `bad-shape` without a picture. */
export function pcaFigure(items: readonly PcaFigureItem[], options: PcaFigureOptions = {}): Figure {
  if (items.length === 0) throw new VizError('bad-shape', 'no picture was passed; give at least one with its features');
  const { recipes = ['paper'], joint = false, resampling, ...grid } = options;
  const columns = recipes.map((recipe) => drawColumn(items, { recipe }, joint, resampling));
  const rows = items.map(
    (item, i): GridRow => ({
      label: item.label,
      cells: [{ image: item.image }, ...columns.map((column) => ({ image: column[i]! }))],
    }),
  );
  const columnLabels = ['image', ...recipes.map((recipe) => (joint ? `${recipe}, joint` : recipe))];
  return imageGrid(rows, { title: 'PCA of patch features', columnLabels, ...grid });
}

function drawColumn(
  items: readonly PcaFigureItem[],
  options: PcaMapOptions,
  joint: boolean,
  resampling: PcaFigureOptions['resampling'],
): RgbImage[] {
  const features = items.map((item) => item.features);
  const maps = joint ? pcaMaps(features, options).maps : features.flatMap((one) => pcaMaps([one], options).maps);
  return maps.map((map, i) => {
    const { width, height } = items[i]!.image;
    return renderPcaMap(map, { width, height, resampling });
  });
}
