import { expect, test } from 'vitest';
import { blobs, memoryKeeper } from '../../test/support';
import { logisticRegression } from './logistic-regression';
import { checkRegressionRoom, OFFICIAL_CS } from './penalty';

const options = { classes: 4, dim: 6, perClass: 25 };
const train = blobs({ ...options, noise: 0.8, seed: 1 });
const testSet = blobs({ ...options, noise: 0.8, seed: 2 });
const cs = [1e-4, 1e-2, 1, 100];

test('the official grid is 45 powers of ten from 1e-6 to 1e5', () => {
  expect(OFFICIAL_CS.length).toBe(45);
  expect([OFFICIAL_CS[0], OFFICIAL_CS[20], OFFICIAL_CS[44]].map((c) => Math.log10(c!))).toEqual([-6, -1, 5]);
});

test('C is chosen on a tenth of train, and the model fitted on all of it', async () => {
  const { outcome, sweep } = await logisticRegression(train, testSet, { cs });
  expect(sweep.map(({ c }) => c)).toEqual(cs);
  expect(outcome).toMatchObject({
    selectedOn: 'train-holdout',
    seeds: [0],
    hyper: { trainItems: 100, converged: true },
  });
  const best = Math.max(...sweep.map(({ score }) => score));
  expect(outcome.hyper.c).toBe(sweep.find(({ score }) => score === best)!.c);
  const fixed = await logisticRegression(train, testSet, { cs: [outcome.hyper.c as number] });
  expect(fixed.outcome).toMatchObject({ value: outcome.value, selectedOn: 'nothing', seeds: [] });
});

test('a validation split decides instead, and joins the final fit', async () => {
  const validation = blobs({ ...options, noise: 0.8, seed: 3 });
  const { outcome } = await logisticRegression(train, testSet, { cs, validation });
  expect(outcome).toMatchObject({ selectedOn: 'validation', hyper: { trainItems: 200 } });
});

test('mean per class weighs every class alike', async () => {
  const { outcome, predicted } = await logisticRegression(train, testSet, { cs: [1], metric: 'mean-per-class' });
  const recalls = [0, 1, 2, 3].map((c) => {
    const items = [...testSet.labels.keys()].filter((i) => testSet.labels[i] === c);
    return items.filter((i) => predicted[i] === c).length / items.length;
  });
  expect(outcome.value).toBeCloseTo(recalls.reduce((sum, recall) => sum + recall, 0) / 4, 12);
  expect(outcome.perClass).toEqual(recalls);
});

test('features of the two sets must have one width', async () => {
  const other = blobs({ ...options, dim: 5, noise: 1, seed: 2 });
  await expect(logisticRegression(train, other, { cs: [1] })).rejects.toMatchObject({ code: 'features' });
});

test('a sweep that was stopped goes on to the same bits', async () => {
  const whole = await logisticRegression(train, testSet, { cs });
  for (const stop of [1, 3]) {
    const progress = memoryKeeper(stop);
    await expect(logisticRegression(train, testSet, { cs, progress })).rejects.toThrow('stopped');
    const told: number[] = [];
    const resumed = await logisticRegression(train, testSet, { cs, progress, onFit: (done) => told.push(done) });
    expect(told[0]).toBe(stop + 1);
    expect(resumed.sweep).toEqual(whole.sweep);
    expect(resumed.classifier).toEqual(whole.classifier);
    expect(progress.saved()).toBeUndefined();
  }
});

test('progress of another sweep is refused', async () => {
  const progress = memoryKeeper(2);
  await expect(logisticRegression(train, testSet, { cs, progress })).rejects.toThrow('stopped');
  const other = logisticRegression(train, testSet, { cs: [1, 2], progress });
  await expect(other).rejects.toMatchObject({ code: 'options' });
});

test('features that memory cannot hold are refused before anything is computed', () => {
  expect(() => checkRegressionRoom('logisticRegression', 101 * 750, 1536)).not.toThrow();
  expect(() => checkRegressionRoom('logisticRegression', 1281167, 768)).toThrow(
    /1281167 rows of 768 numbers take 29 GiB.*linear probe/,
  );
});
