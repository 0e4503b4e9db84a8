import type { Json } from '@franca/evals';
import { expect, test } from 'vitest';
import type { FeatureShard } from '../features/compute-shard';
import type { FeatureSession } from '../features/session';
import type { ImageSet } from '../image-sets/image-set';
import { heldImages, imagePart } from './image-part';
import { PAPER_LINEAR } from './paper-protocol';

/** The tokens of an image say which it is and of which pass. */
const shard = (images: readonly number[], pass: number): FeatureShard => ({
  index: { shape: [images.length], data: Int32Array.from(images) },
  blocks: { shape: [images.length, 1, 2], data: Float32Array.from(images.flatMap((image) => [image, pass])) },
  patch_mean: { shape: [images.length, 2], data: new Float32Array(2 * images.length) },
});

const set = {
  dataset: 'd',
  split: 'train',
  length: 7,
  label: (index: number) => index % 2,
  key: String,
} as Partial<ImageSet> as ImageSet;

/** Of a session, what gives crops and stored features; images of `broken` cannot be read. */
function partOf(broken: readonly number[] = [], of: ImageSet = set) {
  const asked: number[] = [];
  const session: Partial<FeatureSession> = {
    size: 8,
    model: { config: { depth: 2, embedDim: 2, patchSize: 8 } } as FeatureSession['model'],
    weights: { rasa: { planes: [], folded: undefined, notes: [] } } as Partial<
      FeatureSession['weights']
    > as FeatureSession['weights'],
    async *fresh(_, { images, preparation }) {
      asked.push(images.length);
      const pass = preparation.kind === 'random-crop' ? preparation.draw.pass : -1;
      const read = Array.from(images).filter((image) => !broken.includes(image));
      if (read.length > 0) yield shard(read, pass);
    },
    async stored(some, { blocks, patchMean }) {
      const images = Int32Array.from({ length: some.length }, (_, index) => index).filter((i) => !broken.includes(i));
      const tokens = (begin: number, end: number, of: number) =>
        Float32Array.from(Array.from(images.subarray(begin, end)).flatMap((image) => [image, of]));
      return {
        dim: 2,
        images,
        read: async (begin, end) => ({
          blocks: Array.from({ length: blocks }, (_, b) => tokens(begin, end, b)),
          ...(patchMean && { patchMean: tokens(begin, end, 9) }),
        }),
      };
    },
  };
  return { asked, part: imagePart(session as FeatureSession, of, { blocks: 2 }) };
}

const options = { images: [0, 1, 2, 4, 5, 6], recipe: PAPER_LINEAR.crops, seed: 0 };

/** Images and passes of the first steps. */
async function steps({ part }: ReturnType<typeof partOf>, batchSize: number, count: number, from?: Json) {
  const found: { images: number[]; passes: number[]; labels: number[]; place?: Json | undefined }[] = [];
  for await (const { blocks, labels, place } of part.crops({ ...options, batchSize }, from)) {
    const rows = [...labels.keys()];
    found.push({
      images: rows.map((row) => blocks[0]![2 * row]!),
      passes: rows.map((row) => blocks[0]![2 * row + 1]!),
      labels: Array.from(labels),
      place,
    });
    if (found.length === count) break;
  }
  return found;
}

test('every step has as many crops, every pass every image once, in an order of its own', async () => {
  const drawn = await steps(partOf(), 4, 3);
  expect(drawn.map(({ passes }) => passes)).toEqual([
    [0, 0, 0, 0],
    [0, 0, 1, 1],
    [1, 1, 1, 1],
  ]);
  const all = drawn.flatMap(({ images }) => images);
  const [first, second] = [all.slice(0, 6), all.slice(6)];
  expect(first.toSorted()).toEqual(options.images);
  expect(second.toSorted()).toEqual(options.images);
  expect(second).not.toEqual(first);
  for (const { images, labels } of drawn) expect(labels).toEqual(images.map((image) => image % 2));
  const others = await steps(partOf(), 6, 2);
  expect(others.flatMap(({ images }) => images)).toEqual(all);
});

test('the next image is taken in place of one that cannot be read; with none at all there is an end', async () => {
  const drawn = await steps(partOf([0, 4]), 4, 2);
  expect(drawn.map(({ images }) => images.length)).toEqual([4, 4]);
  expect(drawn[0]!.images.toSorted()).toEqual([1, 2, 5, 6]);
  await expect(steps(partOf(options.images), 4, 1)).rejects.toThrow(/none of the 6 images of d train can be read/);
});

test('crops go on at the place that came with a step', async () => {
  const drawn = await steps(partOf([4]), 4, 6);
  for (const [at, { place }] of drawn.slice(0, 3).entries())
    expect(await steps(partOf([4]), 4, 2, place)).toEqual(drawn.slice(at + 1, at + 3));
  await expect(steps(partOf(), 4, 1, { pass: 'first' })).rejects.toThrow(/no place among crops/);
});

test('features are read by row or in order, of the blocks that were asked for, with labels by image', async () => {
  const { part } = partOf([2]);
  const { images, probe, batches } = await part.features();
  expect([part.shape, Array.from(images)]).toEqual([{ dim: 2, blocks: 1, patchMean: true }, [0, 1, 3, 4, 5, 6]]);
  expect(await probe.read(1, 3)).toEqual({
    dim: 2,
    blocks: [Float32Array.of(1, 0, 3, 0)],
    patchMean: Float32Array.of(1, 9, 3, 9),
    labels: Int32Array.of(1, 1),
  });
  const held = await heldImages(part);
  for (let reading = 0; reading < 2; reading++) for await (const batch of batches) expect(batch).toEqual(held.labelled);
  expect(Array.from((await heldImages(part.take([5, 6]))).labelled.labels)).toEqual([1, 0]);
});
