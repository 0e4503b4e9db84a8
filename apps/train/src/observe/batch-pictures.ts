/** Pictures of the batch at hand: crops under their masks, local crops, the use of prototypes. */
import type { ImageBatch } from '@franca/viz';
import type { ObservedRun } from './observed-run';
import { cropFigures, savePicture, usagePicture } from './pictures';

/** Crops of a kind that are read. */
const MOST_CROPS = 24;

/** @param masks of the batch's global crops [2b, N] */
export async function drawBatch(run: ObservedRun, at: number, masks: Uint8Array): Promise<void> {
  const { options, out, events, record } = run;
  const { perDevice } = options.batch;
  const { global_crops_size: globalSize, local_crops_size: localSize, local_crops_number: locals } = options.crops;
  const globalCrops = await readCrops(run, 'globalCrops', globalSize, 2 * perDevice);
  const localCrops = locals > 0 ? await readCrops(run, 'localCrops', localSize, locals * perDevice) : undefined;
  const figures = cropFigures({ globalCrops, localCrops, masks, grid: options.masks.grid });
  await events.picture(at, 'masks', await savePicture(out, 'masks', at, figures.masks));
  if (figures.locals)
    await events.picture(at, 'local crops', await savePicture(out, 'local-crops', at, figures.locals));
  const { counts } = record.usage;
  if (counts.some((count) => count > 0))
    await events.picture(at, 'prototypes', await savePicture(out, 'prototypes', at, usagePicture(counts)));
}

async function readCrops(
  { gpu, step }: ObservedRun,
  name: 'globalCrops' | 'localCrops',
  size: number,
  count: number,
): Promise<ImageBatch> {
  const shape = [Math.min(count, MOST_CROPS), 3, size, size] as const;
  const bytes = await gpu.readBytes(step.inputBuffer(name), 0, 4 * shape[0] * 3 * size * size);
  return { data: new Float32Array(bytes), shape };
}
