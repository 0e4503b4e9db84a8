/**
 * k-NN scores any features, not only a network's. Small pictures of four textures, each at a random phase and with noise,
 * are described three ways: by their pixels, by a histogram of gradient directions, and by random projections of the
 * pixels. With fifty labelled pictures per class even pixels name the textures well; with five, only the description that
 * does not care about the phase does. Nothing is trained.
 *
 *   npx tsx examples/knn-on-any-features.ts
 */

import { type RandomSource, seededRandom } from '@franca/cyclic-mask';
import { evalRecord, knn, knnFewShot, type LabelledFeatures } from '@franca/evals';
import { formatTable } from '@franca/evals/node';

const SIDE = 16;
const BINS = 8;
const PROJECTIONS = 32;
/** Waves per picture along x and y; the last texture is the sum of the first two. */
const TEXTURES = [
  [[3, 0]],
  [[0, 3]],
  [[2, 2]],
  [
    [3, 0],
    [0, 3],
  ],
] as const;

interface Picture {
  readonly pixels: Float32Array;
  readonly label: number;
}
type Describe = (pixels: Float32Array) => ArrayLike<number>;

function drawPicture(label: number, random: RandomSource): Picture {
  const pixels = new Float32Array(SIDE * SIDE);
  for (const [wavesX, wavesY] of TEXTURES[label]!) {
    const phase = random.uniform(0, 2 * Math.PI);
    for (let i = 0; i < pixels.length; i++) {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      pixels[i]! += Math.sin((2 * Math.PI * (wavesX * x + wavesY * y)) / SIDE + phase);
    }
  }
  return { pixels: pixels.map((value) => value + random.uniform(-1, 1)), label };
}

function drawPictures(perClass: number, seed: number): Picture[] {
  const random = seededRandom(seed);
  return Array.from({ length: perClass * TEXTURES.length }, (_, i) => drawPicture(i % TEXTURES.length, random));
}

/** How much gradient the picture has in each direction, opposite directions counted together. */
function gradientHistogram(pixels: Float32Array): Float32Array {
  const histogram = new Float32Array(BINS);
  for (let y = 1; y < SIDE - 1; y++) {
    for (let x = 1; x < SIDE - 1; x++) {
      const dx = pixels[y * SIDE + x + 1]! - pixels[y * SIDE + x - 1]!;
      const dy = pixels[(y + 1) * SIDE + x]! - pixels[(y - 1) * SIDE + x]!;
      const direction = (Math.atan2(dy, dx) / Math.PI + 1) % 1;
      histogram[Math.floor(direction * BINS) % BINS]! += Math.hypot(dx, dy);
    }
  }
  return histogram;
}

function randomProjection(seed: number): Describe {
  const random = seededRandom(seed);
  const rows = Array.from({ length: PROJECTIONS }, () =>
    Float32Array.from({ length: SIDE * SIDE }, () => random.uniform(-1, 1)),
  );
  return (pixels) => rows.map((row) => row.reduce((sum, weight, i) => sum + weight * pixels[i]!, 0));
}

function describeAll(pictures: readonly Picture[], describe: Describe): LabelledFeatures {
  const rows = pictures.map(({ pixels }) => [...Array.from(describe(pixels))]);
  return {
    dim: rows[0]!.length,
    cls: Float32Array.from(rows.flat()),
    labels: Int32Array.from(pictures, ({ label }) => label),
  };
}

const trainPictures = drawPictures(50, 1);
const testPictures = drawPictures(50, 2);
const descriptions: Record<string, Describe> = {
  pixels: (pixels) => pixels,
  'random projections': randomProjection(3),
  'gradient histogram': gradientHistogram,
};

const records = [];
for (const [features, describe] of Object.entries(descriptions)) {
  const train = describeAll(trainPictures, describe);
  const test = describeAll(testPictures, describe);
  const subject = { dataset: 'textures', split: 'test', features, preprocessing: 'none' };
  records.push(evalRecord(subject, (await knn(train, test, { ks: [10] })).outcome));
  records.push(evalRecord(subject, (await knnFewShot(train, test, { shots: 5, ks: [5] })).outcome));
}
console.log(formatTable(records));
