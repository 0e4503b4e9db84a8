import { type PixelImage, resizeAndCrop } from '@franca/data';
import { warpPoint } from '@franca/evals';
import { describe, expect, it, vi } from 'vitest';
import type { ImageSet } from '../../image-sets/image-set';
import { centreCrop, prepare } from '../../image-sets/preparation';
import type { IndexedPatches } from '../part';
import { warpedPairs } from './warped-pairs';
import { STRENGTHS, warpedSet } from './warped-set';

const SIZE = 64;

/** A grey picture with a white spot of radius 3 at `(x, y)`. */
function spotted(x: number, y: number): PixelImage {
  const data = new Uint8Array(90 * 70 * 3).fill(60);
  for (let row = 0; row < 70; row++) {
    for (let column = 0; column < 90; column++) {
      if (Math.hypot(column + 0.5 - x, row + 0.5 - y) < 3)
        data.fill(255, 3 * (90 * row + column), 3 * (90 * row + column) + 3);
    }
  }
  return { width: 90, height: 70, channels: 3, data };
}

/** Middle of what is bright, in shares of the side. */
function spotOf({ width, height, data }: PixelImage): [x: number, y: number] {
  let [sum, across, down] = [0, 0, 0];
  for (let i = 0; i < width * height; i++) {
    const light = Math.max(0, data[3 * i]! - 90);
    sum += light;
    across += light * ((i % width) + 0.5);
    down += light * (Math.floor(i / width) + 0.5);
  }
  return [across / sum / width, down / sum / height];
}

const read = vi.fn(async (index: number) => spotted(38 + 4 * index, 30 + 2 * index));
const photographs = {
  dataset: 'photographs',
  split: 'val',
  total: 7,
  length: 3,
  notes: [],
  key: (index: number) => `${index}.jpg`,
  label: () => -1,
  version: (index: number) => `version ${index}`,
  read,
} as Partial<ImageSet> as ImageSet;
const set = warpedSet(photographs, { size: SIZE, seed: 0 });
const cut = (index: number): PixelImage =>
  resizeAndCrop(spotted(38 + 4 * index, 30 + 2 * index), { resize: 73, crop: SIZE });

describe('a warped set', () => {
  it('has each picture, cut out, and its warps after it; all of the same reading', async () => {
    expect([set.length, set.total]).toEqual([3 * (1 + STRENGTHS.length), 7]);
    expect([0, 1, 2, 3, 4].map(set.key)).toEqual([
      '0.jpg',
      '0.jpg (mild warp)',
      '0.jpg (medium warp)',
      '0.jpg (strong warp)',
      '1.jpg',
    ]);
    expect(await Promise.all([4, 5, 6, 7].map((index) => set.read(index)))).toContainEqual(cut(1));
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('shows what is at a point where the warp takes the point', async () => {
    for (let index = 0; index < set.length; index++) {
      const { picture, warped } = set.views(index);
      if (!warped) continue;
      const [x, y] = warpPoint(warped.warp, spotOf(cut(picture)));
      const [u, v] = spotOf(await set.read(index));
      // A spot of a few pixels under a tilt: its middle is not quite where its centre goes.
      expect(SIZE * Math.hypot(u - x, v - y), set.key(index)).toBeLessThan(0.3);
    }
  });

  it('has images that the model is given as they are', async () => {
    const squashed = new Float32Array(3 * SIZE * SIZE);
    prepare(await set.read(0), { kind: 'squash', size: SIZE }, squashed);
    const cropped = new Float32Array(3 * SIZE * SIZE);
    prepare(spotted(38, 30), centreCrop(SIZE), cropped);
    expect(squashed).toEqual(cropped);
  });

  it('is another one for another seed, cut or picture, and the same for another place in the set', async () => {
    const version = (of = set, index = 3) => of.version(index);
    const others = [
      version(warpedSet(photographs, { size: SIZE, seed: 1 })),
      version(warpedSet(photographs, { size: SIZE, seed: 0, resize: 64 })),
      version(warpedSet(photographs, { size: 56, seed: 0 })),
      version(set, 2),
      version(set, 7),
    ];
    expect(new Set([await version(), ...(await Promise.all(others))]).size).toBe(6);
    const fewer = { ...photographs, length: 1, key: () => '1.jpg', version: () => 'version 1' };
    expect(await version(warpedSet(fewer, { size: SIZE, seed: 0 }))).toBe(await version(set, 7));
  });
});

describe('pairs', () => {
  /** One token of width 1 a picture: its number. */
  const batch = (...images: number[]): IndexedPatches => ({
    dim: 1,
    grid: [2, 2],
    patches: Float32Array.from(images.flatMap((image) => [image, 0, 0, 0])),
    images,
  });
  async function imagesOfPairs(...batches: IndexedPatches[]) {
    const pairs = [];
    for await (const { images } of warpedPairs(
      set,
      (async function* () {
        yield* batches;
      })(),
    ))
      pairs.push(images);
    return pairs;
  }

  it('are of a picture and each of its warps, wherever batches end', async () => {
    expect(await imagesOfPairs(batch(0, 1, 2), batch(3, 4), batch(5, 6, 7))).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [4, 5],
      [4, 6],
      [4, 7],
    ]);
  });

  it('are none of a picture that was left out', async () => {
    expect(await imagesOfPairs(batch(0, 1, 2, 3), batch(5, 6, 7, 8, 9))).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [8, 9],
    ]);
  });
});
