import { expect, test } from 'vitest';
import { blobs, gaussian } from '../../test/support';
import { linearProbe } from './linear-probe';
import type { ProbeFeatures } from './probe-features';
import { probeGrid } from './probe-grid';
import { scoreProbe } from './score-probe';
import { shuffledBatches } from './train-grid';

/** Only the last block knows the class; the earlier three and the patch mean are noise. */
function features(seed: number): ProbeFeatures {
  const { cls, labels, dim } = blobs({ classes: 4, dim: 6, perClass: 40, noise: 0.3, seed });
  const noise = (offset: number) => gaussian(labels.length, dim, seed + offset).data;
  return { dim, blocks: [noise(1), noise(2), noise(3), cls], patchMean: noise(4), labels };
}

const train = features(10);
const testSet = features(20);
const short = { epochs: 5, batchSize: 16 };

test('the official grid has 52 classifiers, and as many as the features allow', () => {
  const options = { classes: 4, batchSize: 128, learningRates: Array(13).fill(0.1), blocks: [1, 4], seed: 0 };
  const shape = { dim: 6, blocks: 4, patchMean: true };
  expect(probeGrid(shape, options).length).toBe(52);
  expect(probeGrid({ dim: 6, blocks: 1, patchMean: false }, options).length).toBe(13);
  expect(probeGrid(shape, options)[0]).toMatchObject({ start: 18, end: 24, learningRate: 0.05 });
});

test('the whole grid is trained, and the best classifier names nearly every item', async () => {
  const { outcome, grid, probe } = await linearProbe(train, testSet, short);
  expect(grid.length).toBe(52);
  expect(outcome.value).toBeGreaterThan(0.9);
  expect(outcome.hyper.classifier).toBe(probe.name);
  expect(outcome).toMatchObject({ selectedOn: 'train-holdout', quirks: false, evaluated: 160 });
});

test('choosing on the test set is possible and said', async () => {
  const { outcome, grid } = await linearProbe(train, testSet, { ...short, select: 'test' });
  expect(outcome.value).toBe(Math.max(...grid.map(({ top1 }) => top1)));
  expect(outcome).toMatchObject({ selectedOn: 'test', quirks: true });
});

test('a validation set can decide', async () => {
  const { outcome } = await linearProbe(train, testSet, { ...short, select: { validation: features(30) } });
  expect(outcome.selectedOn).toBe('validation');
});

test('the same seed gives the same weights', async () => {
  const run = async () => (await linearProbe(train, testSet, { ...short, epochs: 1 })).probe;
  expect(await run()).toEqual(await run());
});

test('batches go through every row before any comes again, however many rows there are', () => {
  const rows = 200_001;
  const numbers = Float32Array.from({ length: rows }, (_, i) => i);
  const set = { dim: 1, blocks: [numbers], labels: Int32Array.from(numbers) };
  const batches = shuffledBatches(set, set.labels, { size: 100_000, seed: 0 });
  const drawn = [0, 1, 2].map(() => batches.next().value!);
  for (const { labels, x } of drawn) expect(labels.every((label: number, i: number) => label === x.data[i])).toBe(true);
  const pass = drawn.flatMap(({ labels }) => Array.from(labels)).slice(0, rows);
  expect(new Set(pass).size).toBe(rows);
});

test('a stream gives a batch for each step and is never held', async () => {
  let drawn = 0;
  const stream = {
    ...{ dim: 6, blocks: 4, patchMean: true, items: 160, classes: 4 },
    async *batches() {
      while (true) yield features(100 + ++drawn);
    },
  };
  const options = { batchSize: 160, learningRates: [0.1], blocks: [1], iterations: 12 };
  const { outcome } = await linearProbe(stream, testSet, { ...options, select: 'test' });
  expect(drawn).toBe(12);
  expect(outcome).toMatchObject({ hyper: { epochs: 12, iterations: 12, trainItems: 160 }, selectedOn: 'test' });
  expect(outcome.value).toBeGreaterThan(0.9);
  const chosen = await linearProbe(stream, testSet, { ...options, select: { validation: features(30) } });
  expect([drawn, chosen.outcome.selectedOn]).toEqual([24, 'validation']);
  await expect(linearProbe(stream, testSet, options)).rejects.toThrow(/nothing can be held out/);
  await expect(linearProbe(stream, testSet, { select: 'test' })).rejects.toThrow(/it has no end/);
});

test('iterations set the number of steps in place of epochs', async () => {
  let steps = 0;
  const options = { learningRates: [0.1], blocks: [1], batchSize: 16, select: 'test', onStep: () => steps++ } as const;
  const { outcome } = await linearProbe(train, testSet, { ...options, iterations: 7 });
  expect([steps, outcome.hyper.iterations, outcome.hyper.epochs]).toEqual([7, 7, (7 * 16) / 160]);
});

test('a set with some of the classes is scored among those only', async () => {
  const { probe } = await linearProbe(train, testSet, { ...short, learningRates: [0.1], blocks: [1] });
  const full = await scoreProbe(probe, testSet);
  const rows = [...testSet.labels.keys()].filter((i) => testSet.labels[i]! >= 2);
  const pick = (part: Float32Array) => Float32Array.from(rows.flatMap((i) => [...part.subarray(i * 6, (i + 1) * 6)]));
  const subset = {
    dim: 6,
    blocks: testSet.blocks.map(pick),
    patchMean: pick(testSet.patchMean!),
    labels: Int32Array.from(rows, (i) => testSet.labels[i]! - 2),
  };
  const restricted = await scoreProbe(probe, subset, { classMapping: [2, 3] });
  expect(restricted.top1).toBeGreaterThanOrEqual(
    rows.filter((i) => full.predicted[i] === testSet.labels[i]).length / rows.length,
  );
  expect([...restricted.predicted].every((c) => c < 2)).toBe(true);
  await expect(scoreProbe(probe, subset, { classMapping: [2, 9] })).rejects.toThrow(/class 9 of a classifier with 4/);
});

test('with several accepted classes any is right, and items with none are left out', async () => {
  const { probe } = await linearProbe(train, testSet, { ...short, learningRates: [0.1], blocks: [1] });
  const { predicted } = await scoreProbe(probe, testSet);
  const accepted = Array.from(predicted, (c, i) => (i === 0 ? [] : i === 1 ? [(c + 1) % 4] : [(c + 1) % 4, c]));
  const score = await scoreProbe(probe, testSet, { accepted });
  expect(score.evaluated).toBe(159);
  expect(score.top1).toBeCloseTo(158 / 159, 12);
});
