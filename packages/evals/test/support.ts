import type { LabelledFeatures, SegmentationFeatures } from '../src/features';
import type { Matrix } from '../src/matrix';
import { random } from '../src/numerics/random';
import type { ProgressKeeper, SavedProgress } from '../src/progress';

/** Standard normal rows. */
export function gaussian(rows: number, cols: number, seed: number): Matrix {
  const draws = random(seed);
  return { data: Float32Array.from({ length: rows * cols }, draws.normal), rows, cols };
}

export interface BlobOptions {
  readonly classes: number;
  readonly perClass: number;
  readonly dim: number;
  readonly noise: number;
  readonly seed: number;
}

/** Items around one random unit-scale centre per class; the centres depend on `classes` and `dim` only. */
export function blobs({ classes, perClass, dim, noise, seed }: BlobOptions): LabelledFeatures {
  const centres = gaussian(classes, dim, 1);
  const draws = random(seed + 1000);
  const labels = Int32Array.from({ length: classes * perClass }, (_, i) => i % classes);
  const cls = Float32Array.from(
    { length: labels.length * dim },
    (_, i) => centres.data[labels[Math.floor(i / dim)]! * dim + (i % dim)]! + noise * draws.normal(),
  );
  return { dim, cls, labels };
}

/** The central difference of `f` at `x` along coordinate `i`. */
export async function centralDifference(
  f: (x: Float64Array) => Promise<number>,
  x: Float64Array,
  i: number,
  h: number,
): Promise<number> {
  const moved = x.slice();
  moved[i] = x[i]! + h;
  const above = await f(moved);
  moved[i] = x[i]! - h;
  return (above - (await f(moved))) / (2 * h);
}

export interface SceneOptions {
  readonly images: number;
  readonly grid: readonly [number, number];
  /** Pixels per side of a patch. */
  readonly patch: number;
  readonly classes: number;
  readonly dim: number;
  /** Standard deviation of the noise on unit-scale class features. */
  readonly noise: number;
  readonly seed: number;
}

/**
 * Images whose patches hold one class each, in vertical stripes that start at a random column; a patch's token is its
 * class's fixed random vector plus noise.
 */
export function scenes({ images, grid, patch, classes, dim, noise, seed }: SceneOptions): SegmentationFeatures {
  const centres = gaussian(classes, dim, 1);
  const draws = random(seed + 2000);
  const [rows, cols] = grid;
  const maskSize = [rows * patch, cols * patch] as const;
  const patches = new Float32Array(images * rows * cols * dim);
  const masks = new Uint8Array(images * maskSize[0] * maskSize[1]);
  for (let i = 0; i < images; i++) {
    const shift = draws.integer(classes);
    for (let p = 0; p < rows * cols; p++) {
      const label = ((p % cols) + shift) % classes;
      for (let d = 0; d < dim; d++) {
        patches[(i * rows * cols + p) * dim + d] = centres.data[label * dim + d]! + noise * draws.normal();
      }
    }
    for (let y = 0; y < maskSize[0]; y++) {
      for (let x = 0; x < maskSize[1]; x++) {
        masks[(i * maskSize[0] + y) * maskSize[1] + x] = (Math.floor(x / patch) + shift) % classes;
      }
    }
  }
  return { dim, grid, patches, maskSize, masks };
}

/** Keeps progress in memory. With `dieAt` the computation dies in that save, counted from 1, once what was saved is kept. */
export function memoryKeeper(dieAt?: number): ProgressKeeper & { readonly saved: () => SavedProgress | undefined } {
  let saved: SavedProgress | undefined;
  let saves = 0;
  return {
    saved: () => saved,
    load: async () => saved,
    due: () => true,
    save: async (progress) => {
      saved = structuredClone(progress) as SavedProgress;
      if (++saves === dieAt) throw new Error('stopped');
    },
    done: async () => {
      saved = undefined;
    },
  };
}
