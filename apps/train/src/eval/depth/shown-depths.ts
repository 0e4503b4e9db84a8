/** Pictures for the page: measured and predicted depth of some test pictures, evenly spaced, so that they are none that somebody chose. */
import { type DepthItem, depthFigure, type Figure } from '@franca/viz';
import type { DepthImages } from '../../image-sets/depth-set';
import { depthPicture } from '../../image-sets/depth-view';
import type { DepthSize } from './depth-sizes';
import type { ScoredDepth } from './probe-depth';

const SHOWN = 6;

export const shownIndices = (length: number): ReadonlySet<number> =>
  new Set(
    Array.from({ length: Math.min(SHOWN, length) }, (_, i) => Math.floor((i * length) / Math.min(SHOWN, length))),
  );

/** Undefined where none of them could be read. */
export async function shownDepths(
  set: DepthImages,
  { preparation: { view }, depthSize, label }: DepthSize,
  scored: readonly ScoredDepth[],
): Promise<Figure | undefined> {
  const items: DepthItem[] = [];
  for (const { index, metrics, shown } of scored) {
    if (!shown) continue;
    const image = depthPicture(await set.read(index), view, index);
    const error = metrics ? `${metrics.rmse.toFixed(2)} m` : 'no reading';
    items.push({ image, label: `RMSE ${error}`, size: depthSize, ...shown });
  }
  if (items.length === 0) return undefined;
  return depthFigure(items, { title: `Depth of ${set.dataset} ${set.split}, ${label}`, cellSize: 150, density: 1 });
}
