import { expect, test } from 'vitest';
import { blobs, gaussian, memoryKeeper } from '../../test/support';
import type { LabelledFeatures } from '../features';
import { drawShots, knnFewShot } from './few-shot';
import { knn } from './knn';

const options = { classes: 5, dim: 8, perClass: 30 };
const train = blobs({ ...options, noise: 0.6, seed: 1 });
const test5 = blobs({ ...options, noise: 0.6, seed: 2 });

test('a bank that holds the queries themselves names them all with k = 1', async () => {
  const { outcome } = await knn(train, train, { ks: [1] });
  expect(outcome).toMatchObject({ task: 'knn', value: 1, evaluated: 150, selectedOn: 'nothing' });
});

test('random labels give chance', async () => {
  const noise = { dim: 8, cls: gaussian(1000, 8, 3).data, labels: Int32Array.from({ length: 1000 }, (_, i) => i % 2) };
  const query = { dim: 8, cls: gaussian(1000, 8, 4).data, labels: Int32Array.from({ length: 1000 }, (_, i) => i % 2) };
  // Five standard errors of a share of 0.5 in 1000 items.
  expect(Math.abs((await knn(noise, query, { ks: [20] })).outcome.value - 0.5)).toBeLessThan(0.08);
});

test('only the direction of a feature matters, and a zero feature is no error', async () => {
  const scaled = { ...test5, cls: test5.cls.map((value, i) => value * (1 + (i >> 3))) };
  expect((await knn(train, scaled)).predicted).toEqual((await knn(train, test5)).predicted);
  const zero = { dim: 8, cls: new Float32Array(8), labels: Int32Array.of(0) };
  expect((await knn(train, zero, { ks: [3] })).predicted.length).toBe(1);
});

test('equal similarities rank by the lowest train index, equal votes by the lowest class', async () => {
  const bank: LabelledFeatures = { dim: 1, cls: Float32Array.of(1, 1, 1, 1), labels: Int32Array.of(2, 1, 1, 0) };
  const query: LabelledFeatures = { dim: 1, cls: Float32Array.of(1), labels: Int32Array.of(2) };
  const predict = async (k: number) => (await knn(bank, query, { ks: [k] })).predicted[0];
  expect([await predict(1), await predict(2), await predict(3)]).toEqual([2, 1, 1]);
});

test('a bank that arrives in batches gives the same result', async () => {
  async function* stream() {
    for (let i = 0; i < 150; i += 40) {
      yield { dim: 8, cls: train.cls.slice(i * 8, (i + 40) * 8), labels: train.labels.slice(i, i + 40) };
    }
  }
  expect((await knn(stream(), test5)).scores).toEqual((await knn(train, test5)).scores);
});

test('a search that was stopped goes on from where it was, to the same bits', async () => {
  let read = 0;
  async function* stream() {
    for (let i = 0; i < 150; i += 40) {
      read++;
      yield { dim: 8, cls: train.cls.slice(i * 8, (i + 40) * 8), labels: train.labels.slice(i, i + 40) };
    }
  }
  const { scores } = await knn(train, test5);
  for (const stop of [1, 3]) {
    const progress = memoryKeeper(stop);
    await expect(knn(stream(), test5, { progress })).rejects.toThrow('stopped');
    expect(progress.saved()?.state).toEqual({ rows: 40 * stop });
    read = 0;
    expect((await knn(stream(), test5, { progress })).scores).toEqual(scores);
    expect([read, progress.saved()]).toEqual([4, undefined]);
  }
  const progress = memoryKeeper(2);
  await expect(knn(stream(), test5, { progress })).rejects.toThrow('stopped');
  await expect(knn(stream(), test5, { progress, ks: [7] })).rejects.toThrow(/of another computation/);
  await expect(knn([await collectFirst(stream())], test5, { progress })).rejects.toThrow(/of another set/);
});

async function collectFirst<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const item of stream) return item;
  throw new Error('empty');
}

test('few-shot draws the same of a bank that arrives in batches', async () => {
  const stream = {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 150; i += 40)
        yield { dim: 8, cls: train.cls.slice(i * 8, (i + 40) * 8), labels: train.labels.slice(i, i + 40) };
    },
  };
  for (const shots of [3, Number.POSITIVE_INFINITY])
    expect((await knnFewShot(stream, test5, { shots, ks: [1, 5] })).outcome).toEqual({
      ...(await knnFewShot(train, test5, { shots, ks: [1, 5] })).outcome,
      wallMs: expect.any(Number),
    });
});

test('k beyond the bank means the whole bank, and the best k is reported as chosen on the test set', async () => {
  const { scores, outcome } = await knn(train, test5, { ks: [10, 150, 1000] });
  expect(scores[2]).toEqual({ ...scores[1], k: 1000 });
  expect(outcome.value).toBe(Math.max(...scores.map(({ top1 }) => top1)));
  expect(outcome.selectedOn).toBe('test');
});

test('few-shot draws n items of each class with the try as seed and reports the mean', async () => {
  const drawn = drawShots(train, 3, 7);
  expect([0, 1, 2, 3, 4].map((c) => drawn.labels.filter((label) => label === c).length)).toEqual([3, 3, 3, 3, 3]);
  expect(drawShots(train, 3, 7)).toEqual(drawn);
  const { outcome, tries } = await knnFewShot(train, test5, { shots: 3, tries: 4, ks: [1] });
  expect(tries.length).toBe(4);
  expect(outcome.value).toBeCloseTo(tries.reduce((sum, value) => sum + value, 0) / 4, 12);
  expect(outcome.value).toBeLessThan((await knn(train, test5, { ks: [10] })).outcome.value);
  const all = await knnFewShot(train, test5, { shots: Number.POSITIVE_INFINITY });
  expect(all.tries).toEqual([(await knn(train, test5)).outcome.value]);
});

test('features and labels that do not fit are refused with the reason', async () => {
  await expect(knn(train, { ...test5, dim: 7 })).rejects.toThrow(/not whole rows of 7 columns/);
  await expect(knn(train, { ...test5, labels: Int32Array.of(1) })).rejects.toThrow(/1 labels for 150 rows/);
  await expect(knn(train, { ...test5, cls: test5.cls.map(() => Number.NaN) })).rejects.toThrow(/row 0 holds NaN/);
  await expect(knn([], test5)).rejects.toThrow(/train set is empty/);
  await expect(knn(train, test5, { ks: [0] })).rejects.toMatchObject({ code: 'options' });
});
