/** Patch features to fit on: batches of any size, checked to be of one shape, and cut into batches of one size. */
import { RasaError } from './errors';

/** Patch tokens of some images after the final norm: [n, rows * columns, D]. */
export interface PatchBatch {
  readonly patches: Float32Array;
  readonly grid: readonly [rows: number, columns: number];
  readonly dim: number;
}

/**
 * Features to fit on: called once per epoch, and twice before to learn grid, width and number of images, so a source may shuffle or augment. All
 * batches have one grid.
 */
export type PatchSource = () => AsyncIterable<PatchBatch> | Iterable<PatchBatch>;

/** What all batches of a source have in common. */
export type PatchShape = Pick<PatchBatch, 'grid' | 'dim'>;

/** Grid and width of a source, by its first batch. Throws `RasaError` if there is none. */
export async function shapeOf(source: PatchSource): Promise<PatchShape> {
  for await (const { grid, dim } of source()) return { grid, dim };
  throw new RasaError('options', 'the source gave no features');
}

/** Whole batches of `batchSize` images in one pass. Throws `RasaError` if there is none, or a batch is of another shape. */
export async function countBatches(source: PatchSource, shape: PatchShape, batchSize: number): Promise<number> {
  let images = 0;
  for await (const batch of source()) images += countImages(batch, shape);
  const batches = Math.floor(images / batchSize);
  if (batches === 0)
    throw new RasaError('options', `the source has ${images} images, a batch needs ${batchSize}; lower batchSize`);
  return batches;
}

/** One pass in batches [batchSize, N, D], each in the same array; what is left at the end is left out. Throws `RasaError` as `countBatches`. */
export async function* evenBatches(
  source: PatchSource,
  shape: PatchShape,
  batchSize: number,
): AsyncGenerator<Float32Array> {
  const buffer = new Float32Array(batchSize * valuesPerImage(shape));
  let filled = 0;
  for await (const batch of source()) {
    countImages(batch, shape);
    for (let at = 0; at < batch.patches.length; ) {
      const part = batch.patches.subarray(at, at + buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < buffer.length) continue;
      yield buffer;
      filled = 0;
    }
  }
}

const valuesPerImage = ({ grid: [rows, columns], dim }: PatchShape): number => rows * columns * dim;

function countImages({ patches, grid: [h, w], dim }: PatchBatch, shape: PatchShape): number {
  const [rows, columns] = shape.grid;
  if (h !== rows || w !== columns || dim !== shape.dim)
    throw new RasaError(
      'shape',
      `a batch of ${h} x ${w} patches of width ${dim} came after ${rows} x ${columns} of width ${shape.dim}`,
    );
  return patches.length / valuesPerImage(shape);
}
