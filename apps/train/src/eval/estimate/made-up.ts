/** Features of no image, which take as long as real ones: numbers by seed, of the right width, with classes in turn. */
import { createRandom } from '@franca/data';
import type { LabelledFeatures, ProbeFeatures, ProbeShape, SegmentationFeatures } from '@franca/evals';

/** Numbers around 0; distinct rows, so that nothing comes to its end early. */
export function madeUpRows(rows: number, cols: number, seed = 0): Float32Array {
  const random = createRandom({ seed, position: 0, stream: 0 });
  // of a large matrix the same numbers again, shifted by a row
  const drawn = Float32Array.from({ length: Math.min(rows * cols, DRAWN) }, () => random.uniform() - 0.5);
  const data = new Float32Array(rows * cols);
  for (let at = 0; at < data.length; at++) data[at] = drawn[(at + Math.floor(at / DRAWN)) % drawn.length]!;
  return data;
}

const DRAWN = 2 ** 20;

const madeUpLabels = (rows: number, classes: number): Int32Array =>
  Int32Array.from({ length: rows }, (_, row) => row % classes);

export const madeUpTokens = (rows: number, dim: number, classes: number, seed = 0): LabelledFeatures => ({
  dim,
  cls: madeUpRows(rows, dim, seed),
  labels: madeUpLabels(rows, classes),
});

export const madeUpProbe = (rows: number, { dim, blocks, patchMean }: ProbeShape, classes: number): ProbeFeatures => ({
  dim,
  blocks: Array.from({ length: blocks }, (_, block) => madeUpRows(rows, dim, block)),
  ...(patchMean && { patchMean: madeUpRows(rows, dim, blocks) }),
  labels: madeUpLabels(rows, classes),
});

export interface PatchShape {
  readonly dim: number;
  readonly grid: readonly [rows: number, columns: number];
  /** Side of a mask. */
  readonly side: number;
  readonly classes: number;
}

/** Masks are two things on a background, as on many pictures. */
export function madeUpPatches(
  images: number,
  { dim, grid, side, classes }: PatchShape,
  seed = 0,
): SegmentationFeatures {
  const masks = new Uint8Array(images * side * side);
  for (let image = 0; image < images; image++)
    for (let row = side >> 2; row < side >> 1; row++)
      for (let column = side >> 2; column < side; column++)
        masks[(image * side + row) * side + column] = (image + Number(column > side >> 1)) % classes;
  return {
    dim,
    grid,
    patches: madeUpRows(images * grid[0] * grid[1], dim, seed),
    maskSize: [side, side],
    masks,
  };
}

/** The same batch so many times. */
export const repeated = <T>(batch: T, times: number): Iterable<T> => ({
  *[Symbol.iterator]() {
    for (let i = 0; i < times; i++) yield batch;
  },
});
