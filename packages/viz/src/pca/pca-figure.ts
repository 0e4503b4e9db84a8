/** PCA maps beside their pictures: one row per picture, one column per recipe (Franca Fig. 9). */
import { type GridRow, type ImageGridOptions, imageGrid } from '../charts/image-grid';
import type { PixelImage } from '../drawing/image';
import type { Figure } from '../drawing/svg';
import { checkOneEach, VizError } from '../errors';
import { type PatchFeatures, pcaMaps, renderPcaMap, singlePictures } from './pca-map';
import type { PcaRecipeName } from './pca-recipe';

/** Options of `pcaFigure`. */
export interface PcaFigureOptions extends Omit<ImageGridOptions, 'columnLabels'> {
  /** Stand left of the rows, one for each picture. */
  readonly labels?: readonly string[];
  /** One column each. Default: the paper's. */
  readonly recipes?: readonly PcaRecipeName[];
  /** One PCA over all pictures instead of one each. */
  readonly joint?: boolean;
  readonly resampling?: 'nearest' | 'bilinear';
}

/** Rows of picture and maps. Throws as `pcaMaps` does, and `shape` unless the features are those of as many pictures. */
export function pcaFigure(
  images: readonly PixelImage[],
  features: PatchFeatures | readonly PatchFeatures[],
  options: PcaFigureOptions = {},
): Figure {
  const pictures = singlePictures(features);
  if (pictures.length === 0) throw new VizError('shape', 'no picture was passed; give at least one with its features');
  checkOneEach('pictures', images.length, 'the patch features', pictures.length);
  const { recipes = ['paper'], joint = false, resampling, labels, ...grid } = options;
  const columns = recipes.map((recipe) => {
    const maps = joint ? pcaMaps(pictures, { recipe }).maps : pictures.flatMap((one) => pcaMaps(one, { recipe }).maps);
    return maps.map((map, i) => {
      const { width, height } = images[i]!;
      return { image: renderPcaMap(map, { width, height, resampling }) };
    });
  });
  const rows = images.map(
    (image, i): GridRow => ({ label: labels?.[i], cells: [{ image }, ...columns.map((column) => column[i])] }),
  );
  const columnLabels = ['image', ...recipes.map((recipe) => (joint ? `${recipe}, joint` : recipe))];
  return imageGrid(rows, { title: 'PCA of patch features', columnLabels, ...grid });
}
