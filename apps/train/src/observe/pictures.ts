/** Pictures of a run: crops with their masks, how often each prototype is chosen; and how a picture is kept. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import {
  contactSheet,
  type Figure,
  type Grid,
  type GridCell,
  type ImageBatch,
  imageFromTensor,
  maskSheet,
  prototypeUsageChart,
} from '@franca/viz';
import { figureToPng } from '@franca/viz/node';

/** Writes `pictures/<kind>-<step>.png`; returns its bytes. */
export async function savePicture(
  folder: string,
  kind: string,
  step: number,
  figure: Figure,
): Promise<{ png: Uint8Array; width: number; height: number }> {
  const png = figureToPng(figure, { scale: 1 });
  await mkdir(join(folder, 'pictures'), { recursive: true });
  await writeFileAtomic(join(folder, 'pictures', `${kind}-${String(step).padStart(8, '0')}.png`), (sink) => sink(png));
  return { png, width: figure.width, height: figure.height };
}

/** Crops in a row. */
const SHOWN = 8;

/** Global crops under their masks [2b, N], the first of them or all, and local crops where there are any. */
export function cropFigures(input: {
  globalCrops: ImageBatch;
  localCrops: ImageBatch | undefined;
  masks: Uint8Array;
  grid: Grid;
}): { masks: Figure; locals: Figure | undefined } {
  const { globalCrops, localCrops, grid } = input;
  const N = grid[0] * grid[1];
  const masked = Array.from({ length: Math.min(2 * SHOWN, globalCrops.shape[0]) }, (_, i) => ({
    image: imageFromTensor(globalCrops, i),
    mask: input.masks.subarray(i * N, (i + 1) * N),
    grid,
  }));
  return {
    masks: maskSheet(masked, SHOWN, { cellSize: 96 }),
    locals: localCrops && contactSheet(firstOf(localCrops, 3 * SHOWN), SHOWN, { cellSize: 64 }),
  };
}

const firstOf = (batch: ImageBatch, count: number): GridCell[] =>
  Array.from({ length: Math.min(count, batch.shape[0]) }, (_, i) => ({ image: imageFromTensor(batch, i) }));

export const usagePicture = (counts: ArrayLike<number>): Figure => prototypeUsageChart(counts);
