/** Pictures of a run: crops with their masks, how often each prototype is chosen; and how a picture is kept. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import { contactSheet, type Figure, imageFromTensor, maskSheet, prototypeUsageChart } from '@franca/viz';
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

/** Global crops [2b, 3, S, S] under their masks [2b, N], and local crops [., 3, s, s]. */
export function cropFigures(input: {
  globalCrops: Float32Array;
  globalSize: number;
  localCrops: Float32Array;
  localSize: number;
  masks: Uint8Array;
  grid: readonly [number, number];
}): { masks: Figure; locals: Figure | undefined } {
  const image = (data: Float32Array, size: number, i: number) =>
    imageFromTensor(data.subarray(i * 3 * size * size, (i + 1) * 3 * size * size), { width: size, height: size });
  const [height, width] = input.grid;
  const N = height * width;
  const count = Math.min(2 * SHOWN, input.masks.length / N);
  const masked = Array.from({ length: count }, (_, i) => ({
    image: image(input.globalCrops, input.globalSize, i),
    mask: input.masks.subarray(i * N, (i + 1) * N),
    height,
    width,
  }));
  const localPixels = 3 * input.localSize ** 2;
  const locals = Math.min(3 * SHOWN, localPixels > 0 ? input.localCrops.length / localPixels : 0);
  return {
    masks: maskSheet(masked, SHOWN, { cellSize: 96 }),
    locals:
      locals > 0
        ? contactSheet(
            Array.from({ length: locals }, (_, i) => ({ image: image(input.localCrops, input.localSize, i) })),
            SHOWN,
            { cellSize: 64 },
          )
        : undefined,
  };
}

export const usagePicture = (counts: ArrayLike<number>): Figure => prototypeUsageChart(counts);
