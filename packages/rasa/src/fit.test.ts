import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RasaError } from './errors';
import { type FitOptions, fitRasa, OFFICIAL_RECIPE, type PatchFeatures, type PatchSource, type RasaFit } from './index';
import { gatherMoments } from './moments';
import { chainBases, removePlanes } from './planes';
import { constantError, gridPositions } from './position-head';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** Features that are linear in position, mixed at random into all dimensions, with noise of a given size about a given mean. */
function mixed(
  images: number,
  dim: number,
  options: { noise?: number; strength?: number; mean?: number; size?: number } = {},
): PatchFeatures {
  const { noise = 0.25, strength = 1, mean = 0, size = 1 } = options;
  const grid = [8, 8] as const;
  const positions = gridPositions(grid);
  const [directions, values] = [normals(2 * dim, 21), normals(images * 64 * dim, 22)];
  const patches = Float32Array.from(values, (value, i) => {
    const [patch, d] = [Math.floor(i / dim) % 64, i % dim];
    const [y, x] = [positions[2 * patch]! - 0.5, positions[2 * patch + 1]! - 0.5];
    return size * (mean + noise * value + strength * (y * directions[d]! + x * directions[dim + d]!));
  });
  return { patches, grid, dim };
}

/** R^2 of least squares with a bias, in f64 from the rows themselves: conjugate directions of the normal equations. */
function readFrom({ patches, grid, dim }: PatchFeatures, bases: RasaFit['bases']): number {
  const rows = Float64Array.from(patches);
  removePlanes(rows, dim, bases);
  const n = rows.length / dim;
  for (let d = 0; d < dim; d++) {
    let sum = 0;
    for (let i = d; i < rows.length; i += dim) sum += rows[i]!;
    for (let i = d; i < rows.length; i += dim) rows[i]! -= sum / n;
  }
  const positions = gridPositions(grid);
  const r2 = [0, 1].map((axis) => {
    const residual = Float64Array.from({ length: n }, (_, i) => positions[2 * (i % 64) + axis]! - 0.5);
    const before = residual.reduce((sum, value) => sum + value * value, 0);
    // Gram-Schmidt of the columns, one after the other out of the rest and out of the target
    const columns = Array.from({ length: dim }, (_, d) =>
      Float64Array.from({ length: n }, (_, i) => rows[i * dim + d]!),
    );
    const biggest = Math.max(...columns.map((column) => column.reduce((sum, value) => sum + value * value, 0)));
    for (let d = 0; d < dim; d++) {
      const column = columns[d]!;
      const length = column.reduce((sum, value) => sum + value * value, 0);
      if (length < 1e-9 * biggest) continue;
      for (const other of [...columns.slice(d + 1), residual]) {
        const along = other.reduce((sum, value, i) => sum + value * column[i]!, 0) / length;
        for (let i = 0; i < n; i++) other[i]! -= along * column[i]!;
      }
    }
    return 1 - residual.reduce((sum, value) => sum + value * value, 0) / before;
  });
  return (r2[0]! + r2[1]!) / 2;
}

async function failure(source: PatchSource, options?: FitOptions): Promise<RasaError> {
  const error = await fitRasa(gpu, source, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RasaError);
  return error as RasaError;
}

describe('with its defaults a fit goes on until position is gone', () => {
  test('from 512 images of which least squares reads it nearly whole', async () => {
    const features = mixed(512, 16);
    const fit = await fitRasa(gpu, features);
    expect(fit.before.r2).toBeGreaterThan(0.94);
    expect(fit.after.r2).toBeLessThan(0.01);
    expect(fit.stopped).toBe('position-gone');
    expect(fit.heads.length).toBeLessThan(5);
    // What it says is what the rows give; the ridge takes less than this.
    expect(fit.before.r2).toBeCloseTo(readFrom(features, []), 4);
    expect(fit.after.r2).toBeCloseTo(readFrom(features, fit.bases), 4);
  });
  test.each([
    ['few images', mixed(16, 12)],
    ['one image less than a chunk of anything', mixed(63, 12)],
    ['features a thousand times as large, far from 0', mixed(64, 12, { size: 1000, mean: 3 })],
    ['features a thousandth as large', mixed(64, 12, { size: 1e-3 })],
  ])('%s', async (_, features) => {
    const fit = await fitRasa(gpu, features);
    expect(fit.stopped).toBe('position-gone');
    expect(readFrom(features, fit.bases)).toBeLessThan(0.01 + fit.after.chance);
    expect(fit.before.r2).toBeGreaterThan(0.9);
    expect(fit.leftOut).toBe(0);
  });
  test('with another activation', async () => {
    for (const activation of ['tanh', 'none'] as const)
      expect((await fitRasa(gpu, mixed(32, 12), { activation })).stopped).toBe('position-gone');
  });
});

describe('position in features that show something as well, and vary with it as much', () => {
  const dim = 16;
  const features = mixed(64, dim, { strength: 4, noise: 0.5 });
  const [kinds, shown] = [normals(6 * dim, 31), normals(64 * 64, 32)];
  for (let i = 0; i < features.patches.length; i++) {
    const kind = Math.floor(6 * Math.abs(shown[Math.floor(i / dim)]!)) % 6;
    features.patches[i]! += 2 * kinds[kind * dim + (i % dim)]!;
  }
  test('is gone with the directions along which features vary with it', async () => {
    const fit = await fitRasa(gpu, features);
    expect(fit.bases.length).toBeLessThanOrEqual(2);
    expect(readFrom(features, fit.bases)).toBeLessThan(0.01 + fit.after.chance);
  });
  test('stays there without those from which it is read best', async () => {
    const fit = await fitRasa(gpu, features, { directions: 'weights', iterations: 2 });
    expect(fit.stages[0]!.head.r2).toBeGreaterThan(0.9);
    expect(readFrom(features, fit.bases)).toBeGreaterThan(0.3);
  });
});

test('every stage says what is read before and after it', async () => {
  const { stages, before, after, bases } = await fitRasa(gpu, mixed(64, 12));
  expect(stages.length).toBe(bases.length);
  expect(stages[0]!.before).toEqual(before);
  expect(stages.at(-1)!.after).toEqual(after);
  for (const [i, stage] of stages.entries()) {
    expect(stage.after.r2).toBeLessThan(stage.before.r2);
    if (i > 0) expect(stage.before).toEqual(stages[i - 1]!.after);
    // a sigmoid of a linear map never reaches the ends 0 and 1 of the grid, so the first head is not quite as good
    expect(stage.head.r2).toBeGreaterThan(stage.before.r2 - 0.05);
  }
});

test('features without position are left as they are, and what they seem to say of it is told as chance', async () => {
  const { before, bases, stages, stopped } = await fitRasa(gpu, mixed(32, 24, { strength: 0 }));
  expect([bases, stages, stopped]).toEqual([[], [], 'position-gone']);
  // 24 free numbers on 2048 independent rows: 24 / 2047 by chance
  expect(before.r2).toBeGreaterThan(0.006);
  expect(Math.abs(before.r2 - before.chance)).toBeLessThan(0.01);
});

test('planes as many as asked for, and no more than the width has', async () => {
  const three = await fitRasa(gpu, mixed(64, 12), { iterations: 3, minR2: 0 });
  expect([three.bases.length, three.stopped]).toEqual([3, 'planes-spent']);
  const narrow = await fitRasa(gpu, mixed(16, 3), { minR2: 0 });
  expect([narrow.bases.length, narrow.stopped]).toEqual([1, 'planes-spent']);
});

test('a head that has not learned is an error, with the planes before it', async () => {
  const features = mixed(512, 16);
  const official = await failure(features, { ...OFFICIAL_RECIPE, minLearned: 0.5 });
  expect(official.code).toBe('not-learned');
  expect(official.message).toMatch(
    /reads R2 -?0\.\d+ where least squares reads 0\.9\d+.*in 20 steps at lr 0\.0002; raise minSteps or epochs/,
  );
  expect(official.fit!.bases).toEqual([]);
  expect((await failure(mixed(64, 12), { lr: 1e-6 })).code).toBe('not-learned');
});

test('the published procedure goes through its nine planes, and says what it left', async () => {
  const fit = await fitRasa(gpu, mixed(150, 20), OFFICIAL_RECIPE);
  expect([fit.bases.length, fit.stopped, fit.images, fit.leftOut]).toEqual([9, 'planes-spent', 150, 22]);
  expect([...fit.biases[0]!]).toEqual([0, 0]);
  expect(fit.bases).toEqual(chainBases(fit.heads, 20, false));
});

test('heads are given for features as they are: with their bias they read what the fit says', async () => {
  const features = mixed(32, 12, { size: 30, mean: 2 });
  const { heads, biases, bases, stages } = await fitRasa(gpu, features, {
    iterations: 2,
    minR2: 0,
    directions: 'weights',
  });
  expect(bases).toEqual(chainBases(heads, 12));
  const positions = gridPositions(features.grid);
  const rows = Float64Array.from(features.patches);
  for (const [t, head] of heads.entries()) {
    let error = 0;
    for (let i = 0; i < rows.length / 12; i++)
      for (const axis of [0, 1]) {
        let logit = biases[t]![axis]!;
        for (let d = 0; d < 12; d++) logit += rows[i * 12 + d]! * head[axis * 12 + d]!;
        error += (1 / (1 + Math.exp(-logit)) - positions[2 * (i % 64) + axis]!) ** 2 / (rows.length / 6);
      }
    // f32 against f64
    expect(error).toBeCloseTo(stages[t]!.head.mse, 6);
    expect(1 - error / constantError(features.grid)).toBeCloseTo(stages[t]!.head.r2, 5);
    removePlanes(rows, 12, [bases[t]!]);
  }
});

test('moments are those of the rows, in whatever batches they come', async () => {
  const [dim, images] = [5, 131];
  const features = mixed(images, dim, { mean: 40 });
  const third = 64 * dim * 50;
  const batches = [0, third, 2 * third].map((at, i) => ({
    ...features,
    patches: features.patches.slice(at, i < 2 ? at + third : undefined),
  }));
  const { mean, covariance, cross } = await gatherMoments(gpu, batches);
  const n = images * 64;
  const column = (d: number) => Float64Array.from({ length: n }, (_, i) => features.patches[i * dim + d]!);
  const average = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;
  const positions = gridPositions(features.grid);
  for (let d = 0; d < dim; d++) {
    const x = column(d);
    expect(mean[d]).toBeCloseTo(average(x), 9);
    for (let e = 0; e < dim; e++) {
      const other = column(e);
      const [mx, my] = [average(x), average(other)];
      expect(covariance[d * dim + e]).toBeCloseTo(average(x.map((value, i) => (value - mx) * (other[i]! - my))), 6);
    }
    for (const half of [0, 1]) {
      const rows = [...x.keys()].filter((i) => Math.floor(i / 64) % 2 === half);
      const y = Float64Array.from(rows, (i) => (positions[2 * (i % 64) + 1]! - 0.5) * (x[i]! - mean[d]!));
      expect(cross[half]![dim + d]).toBeCloseTo(average(y), 6);
    }
  }
});

describe('refused', () => {
  test.each([
    [{ iterations: 0 }, /iterations is 0; it must be a whole number from 1/],
    [{ iterations: Number.NaN }, /iterations is NaN/],
    [{ batchSize: 0 }, /batchSize is 0/],
    [{ batchSize: 2.5 }, /batchSize is 2\.5/],
    [{ epochs: -1 }, /epochs is -1/],
    [{ minSteps: 0 }, /minSteps is 0/],
    [{ minR2: Number.NaN }, /minR2 is NaN; it must be at least 0 and below 1/],
    [{ minR2: 1 }, /minR2 is 1/],
    [{ minLearned: -0.1 }, /minLearned is -0\.1/],
    [{ lr: 0 }, /lr is 0; it must be a positive number/],
    [{ lr: Number.POSITIVE_INFINITY }, /lr is Infinity/],
    [{ weightDecay: -1 }, /weightDecay is -1/],
    [{ lastBatch: 'leave-out', batchSize: 9 } as const, /8 images, a batch needs 9; lower batchSize/],
    // as from JavaScript
    [{ min_r2: 0.1 } as FitOptions, /no option min_r2; there are iterations, /],
    [JSON.parse('{ "activation": "relu" }') as FitOptions, /activation is relu; it must be one of sigmoid, tanh, none/],
  ])('options %o', async (options, message) => {
    const error = await failure(mixed(8, 4), options);
    expect(error.code).toBe('options');
    expect(error.message).toMatch(message);
  });
  const some = mixed(8, 4);
  const once = (function* () {
    yield some;
  })();
  test.each<[string, PatchSource, string, RegExp]>([
    ['no features', [], 'source', /0 images; two at least/],
    ['one image', mixed(1, 4), 'source', /1 images; two at least/],
    ['a source that is empty the second time', () => once, 'source', /once and then no more/],
    [
      'a value that is no number',
      { ...some, patches: some.patches.map((v, i) => (i === 77 ? Number.NaN : v)) },
      'source',
      /not finite/,
    ],
    ['fewer patches than dimensions', mixed(2, 150), 'source', /cannot tell position from chance.*give more images/],
    ['a batch of another width', [some, mixed(8, 5)], 'shape', /width 5 came after 8 x 8 of width 4/],
    ['half an image', { ...some, patches: some.patches.slice(0, 130) }, 'shape', /130 values are no whole images/],
    ['a grid of one row', { ...some, grid: [1, 64] }, 'shape', /two rows and two columns/],
  ])('%s', async (_, source, code, message) => {
    const error = await failure(source);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});
