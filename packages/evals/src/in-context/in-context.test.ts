import { expect, test } from 'vitest';
import { gaussian, memoryKeeper, scenes } from '../../test/support';
import type { SegmentationFeatures } from '../features';
import { random } from '../numerics/random';
import { inContextSegmentation } from './in-context';
import { patchLabels } from './patch-labels';
import { samplePatches } from './sample-patches';

const scene = { images: 6, grid: [4, 6], patch: 2, classes: 3, dim: 8 } as const;
const train = scenes({ ...scene, noise: 0.1, seed: 1 });
const testSet = scenes({ ...scene, images: 4, noise: 0.1, seed: 2 });

test('a soft label is the share of each class among the pixels; void counts as class 0', () => {
  const mask = Uint8Array.of(0, 1, 2, 2, /**/ 1, 255, 2, 7);
  const soft = patchLabels(mask, { grid: [1, 2], maskSize: [2, 4], classes: 3, ignore: 255 });
  expect([...soft]).toEqual([0.5, 0.5, 0, 0, 0, 0.75]);
});

test('a mask that is no whole number of pixels per patch is refused', () => {
  const options = { grid: [2, 2], maskSize: [3, 4], classes: 2, ignore: 255 } as const;
  expect(() => patchLabels(new Uint8Array(12), options)).toThrow(/3 x 4 pixels .* 2 x 2 grid/);
});

test('a bounded memory prefers patches of rare classes', () => {
  // Nine patches of class 0, one of class 1: the rare one scores u * 1 against u * 9.
  const labels = new Float32Array(20);
  for (let p = 0; p < 10; p++) labels[p * 2 + (p === 4 ? 1 : 0)] = 1;
  const draws = random(0);
  const kept = Array.from({ length: 400 }, () => samplePatches(labels, 2, 1, draws)[0] === 4);
  // P(u < 9 min of nine u) is 0.63; a uniform choice would keep it in 0.1 of the draws.
  const share = kept.filter(Boolean).length / 400;
  expect(share).toBeGreaterThan(0.5);
  expect(share).toBeLessThan(0.76);
  expect([...samplePatches(labels, 2, 99, draws)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('querying the memory with its own images and one neighbour gives back the patch labels', async () => {
  const unlike: SegmentationFeatures = { ...train, patches: gaussian(6 * 24, 8, 5).data };
  const { outcome, predicted } = await inContextSegmentation(unlike, unlike, { classes: 3, k: 1 });
  // Only the bilinear transition between patches of two classes can err, and it splits them in the middle.
  expect(outcome.value).toBe(1);
  expect(Uint8Array.from(predicted.flatMap((map) => [...map]))).toEqual(unlike.masks);
});

test('features that know the class segment other images, random ones do not', async () => {
  const { outcome } = await inContextSegmentation(train, testSet, { classes: 3, k: 5 });
  expect(outcome).toMatchObject({ evaluated: 4, selectedOn: 'nothing', hyper: { memoryPatches: 144, k: 5 } });
  expect(outcome.value).toBeGreaterThan(0.95);
  const noise = { ...testSet, patches: gaussian(4 * 24, 8, 9).data };
  expect((await inContextSegmentation(train, noise, { classes: 3, k: 5 })).outcome.value).toBeLessThan(0.6);
});

test('a memory that arrives image by image gives the same maps', async () => {
  const one = (i: number): SegmentationFeatures => ({
    ...train,
    patches: train.patches.slice(i * 192, (i + 1) * 192),
    masks: train.masks.slice(i * 96, (i + 1) * 96),
  });
  const { predicted } = await inContextSegmentation([0, 1, 2, 3, 4, 5].map(one), testSet, { classes: 3 });
  expect(predicted).toEqual((await inContextSegmentation(train, testSet, { classes: 3 })).predicted);
});

/** Images `from` to `to` of a set. */
const some = (set: SegmentationFeatures, from: number, to: number): SegmentationFeatures => ({
  ...set,
  patches: set.patches.slice(from * 192, to * 192),
  masks: set.masks.slice(from * 96, to * 96),
});

const halves = [some(train, 0, 2), some(train, 2, 6)];
const stream = [some(testSet, 0, 1), some(testSet, 1, 3), some(testSet, 3, 4)];

test.each([
  [undefined, [1, 2, 3, 4, 5, 6]],
  [72, [6]],
  [1, [2, 6]],
] as const)(
  'test images that stream, %s patches at a time, read train once and give the same as all at once',
  async (heldPatches, counts) => {
    const options = { classes: 3, k: 5, memory: { patches: 60, images: 6 } };
    const whole = await inContextSegmentation(train, testSet, options);
    const searched: number[] = [];
    function* once() {
      yield* halves;
    }
    const { outcome, predicted } = await inContextSegmentation(once(), stream, {
      ...options,
      onSearched: (images) => searched.push(images),
      heldPatches,
      predictions: 3,
    });
    expect(searched).toEqual(counts);
    expect(predicted).toEqual(whole.predicted.slice(0, 3));
    expect({ ...outcome, wallMs: 0 }).toEqual({ ...whole.outcome, wallMs: 0 });
  },
);

test.each([undefined, 1])(
  'a search that was stopped goes on to the same bits, %s patches held',
  async (heldPatches) => {
    const options = { classes: 3, k: 5, memory: { patches: 60, images: 6 }, heldPatches };
    const whole = await inContextSegmentation(halves, stream, options);
    const asked: number[] = [];
    const made = async function* (from: number) {
      asked.push(from);
      // places are what the source likes: here ten for each image
      for (const [first, last] of [
        [0, 2],
        [2, 5],
        [5, 6],
      ] as const)
        if (10 * first >= from) yield { ...some(train, first, last), next: 10 * last };
    };
    for (const source of [halves, made]) {
      const progress = memoryKeeper(1);
      const keeping = { ...options, progress };
      await expect(inContextSegmentation(source, stream, keeping)).rejects.toThrow('stopped');
      const { outcome, predicted } = await inContextSegmentation(source, stream, keeping);
      expect(predicted).toEqual(whole.predicted);
      expect({ ...outcome, wallMs: 0 }).toEqual({ ...whole.outcome, wallMs: 0 });
      expect(progress.saved()).toBeUndefined();
    }
    expect(asked).toEqual([0, 20]);
  },
);

test('a test set that can be read once only is refused where it does not fit', async () => {
  function* once() {
    yield* stream;
  }
  await expect(inContextSegmentation(halves, once(), { classes: 3, heldPatches: 1 })).rejects.toThrow(
    /could not be read again/,
  );
});

test('a bounded memory keeps its share of each image', async () => {
  const memory = { patches: 20, images: 6 };
  const { outcome } = await inContextSegmentation(train, testSet, { classes: 3, memory, seed: 4 });
  expect(outcome).toMatchObject({ hyper: { memoryPatches: 18 }, seeds: [4] });
});

test('void pixels are not scored, and the mean can be taken over some classes', async () => {
  const masks = testSet.masks.map((label) => (label === 2 ? 255 : label));
  const { outcome } = await inContextSegmentation(train, { ...testSet, masks }, { classes: 4, averageOver: [0, 1] });
  expect(outcome.perClass[3]).toBeNull();
  expect(outcome.value).toBeCloseTo((outcome.perClass[0]! + outcome.perClass[1]!) / 2, 12);
  expect(outcome.value).toBeGreaterThan(0.9);
});

test('renaming predictions after the fact repairs swapped names, and is marked as a quirk', async () => {
  const swapped = { ...testSet, masks: testSet.masks.map((label) => [1, 0, 2][label]!) };
  const plain = await inContextSegmentation(train, swapped, { classes: 3 });
  const renamed = await inContextSegmentation(train, swapped, { classes: 3, relabel: 'hungarian' });
  expect(plain.outcome.value).toBeLessThan(0.4);
  expect(renamed.outcome.value).toBeGreaterThan(0.95);
  expect([plain.outcome.quirks, renamed.outcome.quirks]).toEqual([false, true]);
  // each says what the other way gives
  expect(plain.outcome.others['mIoU relabelled']).toBe(renamed.outcome.value);
  expect(renamed.outcome.others['mIoU as named']).toBe(plain.outcome.value);
});
