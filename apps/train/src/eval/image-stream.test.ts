import { expect, test } from 'vitest';
import type { FeatureShard } from '../features/compute-shard';
import type { FeatureSession } from '../features/session';
import { chosenOf, type ImageSet } from '../image-sets/image-set';
import { imageStream } from './image-stream';
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

/** Of a session, what gives crops and shards; images of `broken` cannot be read. */
function streamOf(broken: readonly number[] = [], of: ImageSet = set) {
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
    async *shards(some) {
      const images = Array.from({ length: some.length }, (_, index) => index);
      yield shard(images.slice(0, 3), 0);
      yield shard(images.slice(3), 0);
    },
  };
  return { asked, stream: imageStream(session as FeatureSession, of, {}) };
}

const options = { images: [0, 1, 2, 4, 5, 6], recipe: PAPER_LINEAR.crops, seed: 0 };

/** Images and passes of the first steps. */
async function steps({ stream }: ReturnType<typeof streamOf>, batchSize: number, count: number) {
  const found: { images: number[]; passes: number[]; labels: number[] }[] = [];
  for await (const { blocks, labels } of stream.crops({ ...options, batchSize })) {
    const rows = [...labels.keys()];
    found.push({
      images: rows.map((row) => blocks[0]![2 * row]!),
      passes: rows.map((row) => blocks[0]![2 * row + 1]!),
      labels: Array.from(labels),
    });
    if (found.length === count) break;
  }
  return found;
}

test('every step has as many crops, every pass every image once, in an order of its own', async () => {
  const drawn = await steps(streamOf(), 4, 3);
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
  const others = await steps(streamOf(), 6, 2);
  expect(others.flatMap(({ images }) => images)).toEqual(all);
});

test('the next image is taken in place of one that cannot be read; with none at all there is an end', async () => {
  const drawn = await steps(streamOf([0, 4]), 4, 2);
  expect(drawn.map(({ images }) => images.length)).toEqual([4, 4]);
  expect(drawn[0]!.images.toSorted()).toEqual([1, 2, 5, 6]);
  await expect(steps(streamOf(options.images), 4, 1)).rejects.toThrow(/none of the 6 images of d train can be read/);
});

test('class tokens come shard by shard, and some images are held where they are asked for', async () => {
  const { stream } = streamOf();
  for (let reading = 0; reading < 2; reading++) {
    const found: number[] = [];
    for await (const { cls } of stream.batches) found.push(cls.length / 2);
    expect(found).toEqual([3, 4]);
  }
  const some = await stream.take([5, 6]);
  expect(some.labelled.labels).toEqual(Int32Array.from([5, 6], (index) => chosenOf(set, [5, 6]).label(index - 5)));
});
