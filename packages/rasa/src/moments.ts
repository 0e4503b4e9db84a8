/**
 * Moments of patch features and positions, from one pass: all that a least-squares fit of position needs, however many images there are. The covariance of
 * features is summed chunk by chunk on the device, about a first guess of their mean, and the chunks in f64. The covariance with position is all f64, for
 * the even and the odd images apart:
 *
 *   Cov(x, y) = 1 / (n N) sum_p (y_p - mean y) sum_i x_ip        over images i and patches p, as every image has all positions
 *
 * What a chain of planes leaves of the features has the moments that the chain leaves of these: a linear map goes through them exactly.
 */
import { compile, type Gpu, matmul, sub } from '@franca/tensor';
import { RasaError } from './errors';
import { type PatchShape, type PatchSource, passOver, valuesPerImage } from './patch-batches';
import { removePlanes } from './planes';
import { centredPositions } from './position-head';
import type { Basis } from './result';

/** Patches that are summed in f32 before their sum goes into f64. */
const CHUNK = 4096;

export interface Moments extends PatchShape {
  readonly images: number;
  readonly mean: Float64Array;
  /** Cov(x, x), [D, D]. */
  readonly covariance: Float64Array;
  /** Cov(y, x), [2, D], of the even and of the odd images. */
  readonly cross: readonly [Float64Array, Float64Array];
}

/** Moments of a source. Throws `RasaError`: `source` if it has fewer than two images or a value that is not finite, `shape` as `passOver`. */
export async function gatherMoments(gpu: Gpu, source: PatchSource): Promise<Moments> {
  let sums: Sums | undefined;
  try {
    for await (const { patches, grid, dim } of passOver(source)) {
      if (patches.length === 0) continue;
      sums ??= await startSums(gpu, { grid, dim }, patches);
      await addPatches(sums, patches);
    }
    if (!sums || sums.images < 2)
      throw new RasaError('source', `the source gave ${sums?.images ?? 0} images; two at least are needed`);
    return await momentsOf(sums);
  } finally {
    sums?.step.dispose();
  }
}

/** What is left of the moments when `basis` is removed from the features. */
export function withoutPlane(moments: Moments, basis: Basis): Moments {
  const { dim: D } = moments;
  const covariance = moments.covariance.slice();
  removePlanes(covariance, D, [basis]);
  transpose(covariance, D);
  removePlanes(covariance, D, [basis]);
  const left = (rows: Float64Array): Float64Array => {
    const out = rows.slice();
    removePlanes(out, D, [basis]);
    return out;
  };
  const [even, odd] = moments.cross;
  return { ...moments, mean: left(moments.mean), covariance, cross: [left(even), left(odd)] };
}

interface Sums extends PatchShape {
  images: number;
  readonly step: Awaited<ReturnType<typeof gramStep>>;
  /** What stands for the mean until it is known, and fills a chunk that is not full: it adds nothing. */
  readonly shift: Float32Array;
  readonly chunk: Float32Array;
  filled: number;
  readonly gram: Float64Array;
  /** Sums over images [N, D], even and odd ones. */
  readonly perPatch: readonly [Float64Array, Float64Array];
}

async function startSums(gpu: Gpu, shape: PatchShape, patches: Float32Array): Promise<Sums> {
  const { dim: D } = shape;
  const rows = patches.length / D;
  const mean = new Float64Array(D);
  for (let i = 0; i < patches.length; i++) mean[i % D]! += patches[i]! / rows;
  return {
    ...shape,
    images: 0,
    step: await gramStep(gpu, D),
    shift: Float32Array.from(mean),
    chunk: new Float32Array(CHUNK * D),
    filled: 0,
    gram: new Float64Array(D * D),
    perPatch: [new Float64Array(valuesPerImage(shape)), new Float64Array(valuesPerImage(shape))],
  };
}

/** z^T z of one chunk, z = rows - shift. */
const gramStep = (gpu: Gpu, D: number) =>
  compile(
    gpu,
    (_, { rows, shift }) => {
      const z = sub(rows, shift);
      return { gram: matmul(z, z, { transposeA: true }) };
    },
    { batch: { rows: { shape: [CHUNK, D], dtype: 'f32' }, shift: { shape: [D], dtype: 'f32' } } },
  );

async function addPatches(sums: Sums, patches: Float32Array): Promise<void> {
  const perImage = valuesPerImage(sums);
  for (let start = 0; start < patches.length; start += perImage) {
    const total = sums.perPatch[sums.images % 2]!;
    for (let i = 0; i < perImage; i++) total[i]! += patches[start + i]!;
    sums.images++;
  }
  for (let at = 0; at < patches.length; ) {
    const part = patches.subarray(at, at + sums.chunk.length - sums.filled);
    sums.chunk.set(part, sums.filled);
    sums.filled += part.length;
    at += part.length;
    if (sums.filled === sums.chunk.length) await addChunk(sums);
  }
}

async function addChunk(sums: Sums): Promise<void> {
  const { dim: D, chunk, shift, step, gram } = sums;
  for (let i = sums.filled; i < chunk.length; i++) chunk[i] = shift[i % D]!;
  sums.filled = 0;
  step.run({ rows: chunk, shift });
  const values = await step.read('gram');
  for (let i = 0; i < gram.length; i++) gram[i]! += values[i]!;
}

async function momentsOf(sums: Sums): Promise<Moments> {
  if (sums.filled > 0) await addChunk(sums);
  const { grid, dim: D, images, gram, shift, perPatch } = sums;
  const N = grid[0] * grid[1];
  const mean = new Float64Array(D);
  for (const total of perPatch) for (let i = 0; i < total.length; i++) mean[i % D]! += total[i]! / (images * N);
  if (!(gram.every(Number.isFinite) && mean.every(Number.isFinite)))
    throw new RasaError(
      'source',
      'there are features that are not finite numbers, or too large for f32; look for NaN in what the backbone gives',
    );
  const drift = mean.map((value, d) => value - shift[d]!);
  const covariance = gram.map((sum, i) => sum / (images * N) - drift[Math.floor(i / D)]! * drift[i % D]!);
  const positions = centredPositions(grid);
  const cross = perPatch.map((total, half) => {
    const out = new Float64Array(2 * D);
    const patches = N * (half === 0 ? Math.ceil(images / 2) : Math.floor(images / 2));
    for (let i = 0; i < total.length; i++) {
      const [patch, d] = [Math.floor(i / D), i % D];
      for (const axis of [0, 1]) out[axis * D + d]! += (positions[2 * patch + axis]! * total[i]!) / patches;
    }
    return out;
  });
  return { grid, dim: D, images, mean, covariance, cross: cross as [Float64Array, Float64Array] };
}

function transpose(matrix: Float64Array, D: number): void {
  for (let i = 0; i < D; i++)
    for (let j = 0; j < i; j++) [matrix[i * D + j], matrix[j * D + i]] = [matrix[j * D + i]!, matrix[i * D + j]!];
}
