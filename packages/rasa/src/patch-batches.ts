/** Patch features to fit on: batches of any size, checked to be of one shape, and cut into batches of one size, pass by pass or without end. */
import { RasaError } from './errors';

/** Patch tokens of some images after the final norm: [n, rows * columns, D]. */
export interface PatchFeatures {
  readonly patches: Float32Array;
  readonly grid: readonly [rows: number, columns: number];
  readonly dim: number;
}

/** Features that come in pieces. */
export type Batches = AsyncIterable<PatchFeatures> | Iterable<PatchFeatures>;

/**
 * Features to fit on: all in one, or batches, or a function that starts a pass over them. They are read many times (once for the moments, then `epochs`
 * times or more a plane, then once to judge it), and a function may give them shuffled or augmented anew each time. All batches have one grid.
 */
export type PatchSource = PatchFeatures | Batches | (() => Batches);

/** What all batches of a source have in common. */
export type PatchShape = Pick<PatchFeatures, 'grid' | 'dim'>;

/** Images of one size of batch: [batchSize, N, D], of which the first `count` images are new, the rest left from before. */
export interface EvenBatch {
  readonly patches: Float32Array;
  readonly count: number;
}

export const valuesPerImage = ({ grid: [rows, columns], dim }: PatchShape): number => rows * columns * dim;

/** One pass over a source, every batch checked. Throws `RasaError` `shape` if one is of another grid or width than the first, or of no whole image. */
export async function* passOver(source: PatchSource): AsyncGenerator<PatchFeatures> {
  let shape: PatchShape | undefined;
  for await (const batch of batchesOf(source)) {
    shape ??= checkedShape(batch);
    checkBatch(batch, shape);
    yield batch;
  }
}

/** One pass in batches of `batchSize` images, each in the same array; the last one may be of fewer. */
export async function* evenBatches(
  source: PatchSource,
  shape: PatchShape,
  batchSize: number,
): AsyncGenerator<EvenBatch> {
  const perImage = valuesPerImage(shape);
  const buffer = new Float32Array(batchSize * perImage);
  let filled = 0;
  for await (const batch of passOver(source)) {
    checkBatch(batch, shape);
    for (let at = 0; at < batch.patches.length; ) {
      const part = batch.patches.subarray(at, at + buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < buffer.length) continue;
      yield { patches: buffer, count: batchSize };
      filled = 0;
    }
  }
  if (filled > 0) yield { patches: buffer, count: filled / perImage };
}

/**
 * Whole batches of `batchSize` images without end, pass after pass. A batch that a pass leaves incomplete is completed by the next one (`carry-over`), or
 * left out. Throws `RasaError` `source` where a pass gives nothing.
 */
export async function* endlessBatches(
  source: PatchSource,
  shape: PatchShape,
  batchSize: number,
  lastBatch: 'carry-over' | 'leave-out',
): AsyncGenerator<Float32Array> {
  if (lastBatch === 'leave-out')
    for (;;)
      for await (const { patches, count } of evenBatches(joined(source, 1), shape, batchSize))
        if (count === batchSize) yield patches;
  for await (const { patches } of evenBatches(joined(source), shape, batchSize)) yield patches;
}

/** `passes` passes as one, none of them empty. */
async function* joined(source: PatchSource, passes = Number.POSITIVE_INFINITY): AsyncGenerator<PatchFeatures> {
  for (let pass = 0; pass < passes; pass++) {
    let some = false;
    for await (const batch of batchesOf(source)) {
      some ||= batch.patches.length > 0;
      yield batch;
    }
    if (!some)
      throw new RasaError(
        'source',
        'the source gave features once and then no more; it is read many times: pass a function that starts a new pass, or an array of batches',
      );
  }
}

function batchesOf(source: PatchSource): Batches {
  if (typeof source === 'function') return source();
  return 'patches' in source ? [source] : source;
}

function checkedShape({ grid, dim }: PatchFeatures): PatchShape {
  const [rows, columns] = grid;
  if (!(isCount(rows) && isCount(columns) && rows > 1 && columns > 1))
    throw new RasaError('shape', `a grid of ${rows} x ${columns} patches; there must be two rows and two columns`);
  if (!(isCount(dim) && dim > 1))
    throw new RasaError('shape', `patches of width ${dim}; a plane needs two dimensions at least`);
  return { grid, dim };
}

const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;

function checkBatch({ patches, grid: [h, w], dim }: PatchFeatures, shape: PatchShape): void {
  const [rows, columns] = shape.grid;
  if (h !== rows || w !== columns || dim !== shape.dim)
    throw new RasaError(
      'shape',
      `a batch of ${h} x ${w} patches of width ${dim} came after ${rows} x ${columns} of width ${shape.dim}`,
    );
  if (patches.length % valuesPerImage(shape) !== 0)
    throw new RasaError(
      'shape',
      `${patches.length} values are no whole images of ${rows} x ${columns} patches of width ${dim}`,
    );
}
