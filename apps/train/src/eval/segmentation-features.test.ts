import { expect, test } from 'vitest';
import type { ImageSet } from '../image-sets/image-set';
import type { MaskedFeatures, SegmentationPart } from './part';
import { batchesOf, croppedEpochs, croppedPasses, learnable, onlyOf, readable } from './segmentation-features';

/** Image i: one patch of width 2 that holds i, and a mask of one pixel. */
const batch = (images: readonly number[]): MaskedFeatures => ({
  dim: 2,
  grid: [1, 1],
  patches: Float32Array.from(images.flatMap((i) => [i, i])),
  maskSize: [1, 1],
  masks: Uint8Array.from(images),
  images,
});

const SHARDS = [[0, 1, 2], [], [6, 8]];

/** A part of nine images in three shards, of which some cannot be read; `dim` says how large it is taken to be. */
function partOf(dim: number) {
  const crops: unknown[] = [];
  const part: SegmentationPart = {
    set: { length: 9 } as ImageSet,
    preprocessing: '',
    patches: 9,
    dim,
    occurs: [],
    shards: SHARDS.length,
    batches: {
      async *[Symbol.asyncIterator]() {
        for (const images of SHARDS) if (images.length > 0) yield batch(images);
      },
    },
    shard: async (number) => (SHARDS[number]!.length > 0 ? batch(SHARDS[number]!) : undefined),
    async *crops(images, { seed, pass }, atOnce) {
      crops.push({ seed, pass, atOnce, images: Array.from(images) });
      yield batch(Array.from(images));
    },
  };
  return { part, crops };
}

const LARGE = 2 ** 30;

test('few tokens are held, many are read shard by shard, those without a picture left out', async () => {
  const [small, large] = [partOf(2).part, partOf(LARGE).part];
  expect(await readable(small)).toMatchObject({ images: [0, 1, 2, 6, 8] });
  expect(await readable(large)).toBe(large.batches);
  expect(await learnable(small)).toMatchObject({ images: [0, 1, 2, 6, 8] });
  const stream = await learnable(large);
  if (!('parts' in stream)) throw new Error('held');
  // one shard alone is more than a pool
  expect([stream.parts, stream.pool]).toEqual([[3, 2], 1]);
  // 9 tokens of 2^26 numbers are 2.25 GiB in three shards, of which two are held
  expect(await learnable(partOf(2 ** 26).part)).toMatchObject({ pool: 2 });
  expect(await stream.read(1)).toMatchObject({ images: [6, 8] });
});

test.each([2, LARGE])('some images are taken of what is held and of what is read (width %s)', async (dim) => {
  const source = onlyOf(await readable(partOf(dim).part), new Set([1, 2, 7, 8]));
  for (let reading = 0; reading < 2; reading++) {
    const found: number[] = [];
    for await (const { masks } of source) found.push(...masks);
    expect(found).toEqual([1, 2, 8]);
  }
});

test('epochs of crops see every image in an order of their own, passes the images that are named', async () => {
  const { part, crops } = partOf(2);
  const epoch = croppedEpochs(part, { name: 'r', scale: [1, 1], flipProbability: 0, jitter: 0 }, 4);
  for (const number of [0, 1]) for await (const _ of epoch(number));
  const [first, second] = crops as { images: number[]; pass: number; atOnce: number }[];
  expect([first!.pass, second!.pass, first!.atOnce]).toEqual([0, 1, 4]);
  expect(first!.images).not.toEqual(second!.images);
  for (const { images } of [first!, second!]) expect(images.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  crops.length = 0;
  const recipe = { name: 'r', scale: [1, 1], flipProbability: 0, jitter: 0 } as const;
  const passes = croppedPasses(part, [3, 5], { recipe, passes: 2 });
  const places: number[] = [];
  for (const from of [0, 3, 4]) for await (const { next } of passes(from)) places.push(next);
  expect(crops).toMatchObject([
    { pass: 0, images: [3, 5] },
    { pass: 1, images: [3, 5] },
    { pass: 1, images: [5] },
  ]);
  expect(places).toEqual([2, 4, 4]);
});

test('a value is one batch', () => {
  const one = batch([1]);
  expect([...(batchesOf(one) as Iterable<MaskedFeatures>)]).toEqual([one]);
});
