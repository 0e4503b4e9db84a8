import { expect, test } from 'vitest';
import { memoryKeeper, scenes } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import type { SegmentationFeatures } from '../features';
import { random } from '../numerics/random';
import { linearSegmentation } from './linear-segmentation';
import { scoreHeads, segmentationHeads } from './segmentation-heads';
import { epochsOf, takeImages, trainImages } from './train-images';

const scene = { grid: [4, 6], patch: 2, classes: 3, dim: 8, noise: 0.3 } as const;
const train = scenes({ ...scene, images: 20, seed: 1 });
const testSet = scenes({ ...scene, images: 10, seed: 2 });
const options = {
  classes: 3,
  size: [8, 12],
  epochs: 6,
  dropAfter: 4,
  batchSize: 4,
  learningRates: [1e-5, 0.1],
} as const;

test('a linear head on features that know the class segments other images', async () => {
  const { outcome, candidates } = await linearSegmentation(train, testSet, options);
  expect(outcome.value).toBeGreaterThan(0.9);
  expect(outcome).toMatchObject({
    selectedOn: 'train-holdout',
    quirks: false,
    evaluated: 10,
    hyper: { learningRate: 0.1 },
  });
  expect(candidates.length).toBe(12);
});

test('a score does not depend on how many images are scored at once', async () => {
  const [many, head] = [scenes({ ...scene, images: 67, seed: 3 }), segmentationHeads(8, 3, [0.1], 0)[0]!.initial];
  const score = async (images: readonly number[]) =>
    (await scoreHeads(cpuBackend, [head], [takeImages(many, images)], { classes: 3 }, { size: [8, 12] }))[0]!;
  const all = await score([...Array(67).keys()]);
  const reversed = await score([...Array(67).keys()].reverse());
  expect(all).toEqual({ ...reversed, images: reversed.images.toReversed() });
  let correct = 0;
  for (let i = 0; i < 67; i++) correct += (await score([i])).pixelAccuracy;
  expect(all.pixelAccuracy).toBeCloseTo(correct / 67, 12);
});

test('epochs are told as they end, those of the final training too', async () => {
  const told: string[] = [];
  const onEpoch = (done: number, all: number) => told.push(`${done} of ${all}`);
  const { outcome } = await linearSegmentation(train, testSet, { ...options, epochs: 3, onEpoch });
  const last = Number(outcome.hyper.epoch);
  const again = Array.from({ length: last }, (_, i) => `${4 + i} of ${3 + last}`);
  expect(told).toEqual(['1 of 3', '2 of 3', '3 of 3', ...again]);
});

test('choosing learning rate and epoch on the test images is possible and said', async () => {
  const { outcome, candidates } = await linearSegmentation(train, testSet, { ...options, select: 'test' });
  expect(outcome.value).toBe(Math.max(...candidates.map(({ miou }) => miou)));
  expect(outcome).toMatchObject({ selectedOn: 'test', quirks: true });
});

test('the quirk of scoring whole batches only leaves images out, and the record says how many', async () => {
  const { outcome } = await linearSegmentation(train, testSet, { ...options, epochs: 1, quirks: true });
  expect(outcome).toMatchObject({ evaluated: 8, total: 10, quirks: true });
});

test('void pixels teach nothing', async () => {
  const masks = train.masks.map((label, i) => (i % 2 ? 255 : label));
  const { outcome } = await linearSegmentation({ ...train, masks }, testSet, { ...options, learningRates: [0.1] });
  expect(outcome.value).toBeGreaterThan(0.9);
});

/** A set in parts of so many images. */
function partsOf(set: SegmentationFeatures, sizes: readonly number[]): SegmentationFeatures[] {
  let first = 0;
  return sizes.map((size) => {
    first += size;
    return takeImages(
      set,
      Array.from({ length: size }, (_, i) => first - size + i),
    );
  });
}

/** A stream of parts that counts how often each is read. */
function streamed(parts: readonly SegmentationFeatures[], sizes: readonly number[]) {
  const reads = sizes.map(() => 0);
  const read = async (part: number) => {
    reads[part]!++;
    return parts[part]!;
  };
  return { stream: { parts: sizes, read }, reads };
}

test.each(['train-holdout', 'test'] as const)(
  'parts that are read one at a time give what they give in memory (%s)',
  async (select) => {
    const sizes = [7, 1, 9, 3];
    const parts = partsOf(train, sizes);
    const { stream, reads } = streamed(parts, sizes);
    const inMemory = await linearSegmentation(parts, testSet, { ...options, select });
    const read = await linearSegmentation(stream, partsOf(testSet, [3, 7]), { ...options, select });
    expect({ ...read.outcome, wallMs: 0 }).toEqual({ ...inMemory.outcome, wallMs: 0 });
    expect([read.candidates, read.head]).toEqual([inMemory.candidates, inMemory.head]);
    // once an epoch, and where images are held out again for those and for the final training
    expect(Math.max(...reads)).toBeLessThanOrEqual(select === 'test' ? 6 : 18);
    // one part is what a set is
    const whole = await linearSegmentation(train, testSet, { ...options, select });
    const single = await linearSegmentation([train], testSet, { ...options, select });
    expect([single.candidates, single.head]).toEqual([whole.candidates, whole.head]);
    expect([whole, read].map(({ outcome }) => outcome.hyper.order)).toEqual([
      'drawn over all images',
      '4 parts in a drawn order, images drawn within each',
    ]);
  },
);

test('every image is seen once an epoch, in whole batches but the last, in an order of its own', async () => {
  const sizes = [7, 1, 9, 3];
  // an image is known by its first mask pixel
  const numbered = { ...train, masks: train.masks.map((_, i) => Math.floor(i / 96)) };
  const epoch = epochsOf(trainImages(partsOf(numbered, sizes)), 6, random(0));
  const orders: number[][] = [];
  for (let e = 0; e < 3; e++) {
    const batches: number[][] = [];
    for await (const { masks } of epoch(e)) batches.push([...masks.filter((_, i) => i % 96 === 0)]);
    expect(batches.map(({ length }) => length)).toEqual([6, 6, 6, 2]);
    orders.push(batches.flat());
  }
  for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()]);
  expect(new Set(orders.map(String)).size).toBe(3);
});

test('an order is drawn over as many parts as are held at once, each read once', async () => {
  const sizes = [7, 1, 9, 3];
  const numbered = { ...train, masks: train.masks.map((_, i) => Math.floor(i / 96)) };
  const { stream, reads } = streamed(partsOf(numbered, sizes), sizes);
  const imagesOf = async (pool: number) => {
    const images: number[] = [];
    for await (const { masks } of epochsOf(trainImages({ ...stream, pool }), 6, random(0))(0))
      images.push(...masks.filter((_, i) => i % 96 === 0));
    return images;
  };
  const partOf = (image: number) => (image < 7 ? 0 : image < 8 ? 1 : image < 17 ? 2 : 3);
  const changes = (images: readonly number[]) =>
    images.filter((image, i) => i > 0 && partOf(image) !== partOf(images[i - 1]!));
  const [one, all] = [await imagesOf(1), await imagesOf(4)];
  expect([changes(one).length, changes(all).length > 6]).toEqual([3, true]);
  expect(all.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()]);
  expect(reads).toEqual([2, 2, 2, 2]);
  const orderOf = async (pool: number) => {
    const quick = { ...options, epochs: 1, select: 'test' } as const;
    return (await linearSegmentation({ ...streamed(partsOf(train, sizes), sizes).stream, pool }, testSet, quick))
      .outcome.hyper.order;
  };
  expect([await orderOf(2), await orderOf(4)]).toEqual([
    '4 parts in a drawn order, images drawn within 2 of them at a time',
    'drawn over all images',
  ]);
});

test('a training that was stopped goes on to the same bits, in the search and in what follows', async () => {
  const sizes = [7, 13];
  const stream = () => ({ ...streamed(partsOf(train, sizes), sizes).stream, pool: 1 });
  const whole = await linearSegmentation(stream(), testSet, options);
  expect(whole.outcome.hyper.epoch).toBeGreaterThan(1);
  const stages: unknown[] = [];
  for (const stop of [1, 5, 6]) {
    const progress = memoryKeeper(stop);
    await expect(linearSegmentation(stream(), testSet, { ...options, progress })).rejects.toThrow('stopped');
    stages.push(progress.saved()?.state);
    const { outcome, candidates, head } = await linearSegmentation(stream(), testSet, { ...options, progress });
    expect({ ...outcome, wallMs: 0 }).toEqual({ ...whole.outcome, wallMs: 0 });
    expect([candidates, head, progress.saved()]).toEqual([whole.candidates, whole.head, undefined]);
  }
  expect(stages).toEqual([
    { stage: 'search', epoch: 1 },
    { stage: 'search', epoch: 5 },
    { stage: 'again', epoch: 1 },
  ]);
  const progress = memoryKeeper(2);
  await expect(linearSegmentation(stream(), testSet, { ...options, progress })).rejects.toThrow('stopped');
  const fewer = { ...options, learningRates: [0.1], progress };
  await expect(linearSegmentation(stream(), testSet, fewer)).rejects.toThrow(/of another computation/);
});

test('a part of another size than was said is refused, and a test set that can be read once only', async () => {
  const { stream } = streamed(partsOf(train, [10, 10]), [10, 9]);
  await expect(linearSegmentation(stream, testSet, options)).rejects.toThrow(
    /part 1 of train has 10 images; .* have 9/,
  );
  function* once() {
    yield testSet;
  }
  await expect(linearSegmentation(train, once(), options)).rejects.toThrow(/not a generator/);
});

test('a function makes the batches of each epoch', async () => {
  const epochs: number[] = [];
  function* augmented(epoch: number) {
    epochs.push(epoch);
    for (let step = 0; step < 5; step++) yield scenes({ ...scene, images: 4, seed: 10 + 5 * epoch + step });
  }
  const { outcome } = await linearSegmentation(augmented, testSet, { ...options, select: { validation: train } });
  expect(epochs).toEqual([0, 1, 2, 3, 4, 5]);
  expect(outcome).toMatchObject({ selectedOn: 'validation' });
  expect(outcome.value).toBeGreaterThan(0.9);
  await expect(linearSegmentation(augmented, testSet, options)).rejects.toThrow(/validation set/);
});
