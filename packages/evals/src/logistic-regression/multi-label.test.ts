import { expect, test } from 'vitest';
import { blobs, gaussian, memoryKeeper } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import { elevenPointPrecision } from '../metrics/average-precision';
import { type MultiLabelFeatures, multiLabelRegression } from './multi-label';

const CLASSES = 3;

/** Class `k` is told by the sign of column `k`, but for noise. */
function signs(items: number, seed: number, noise = 0.3): MultiLabelFeatures {
  const x = gaussian(items, 5, seed);
  const off = gaussian(items, CLASSES, seed + 100);
  const truth = Int8Array.from({ length: items * CLASSES }, (_, i) => {
    const [item, k] = [Math.floor(i / CLASSES), i % CLASSES];
    return x.data[item * 5 + k]! + noise * off.data[i]! > 0.5 ? 1 : -1;
  });
  return { dim: 5, cls: x.data, truth };
}

const [train, validation, test_] = [signs(120, 1), signs(40, 2), signs(60, 3)];

test('each class is told from the others; C is chosen by the mean average precision of the validation part', async () => {
  const cs = [1e-4, 0.01, 1];
  const { outcome, sweep, scores, notes } = await multiLabelRegression(train, test_, { cs, validation });
  expect(outcome).toMatchObject({
    metric: '11-point mAP',
    selectedOn: 'validation',
    evaluated: 60,
    hyper: { trainItems: 160, converged: true },
  });
  expect(notes).toEqual([]);
  const best = Math.max(...sweep.map(({ score }) => score));
  expect(outcome.hyper.c).toBe(sweep.find(({ score }) => score === best)!.c);
  const column = (values: ArrayLike<number>, k: number) =>
    Array.from({ length: 60 }, (_, i) => values[i * CLASSES + k]!);
  const precisions = [0, 1, 2].map((k) => elevenPointPrecision(column(scores, k), column(test_.truth, k))!);
  expect(outcome.perClass).toEqual(precisions);
  expect(outcome.value).toBeCloseTo(precisions.reduce((sum, value) => sum + value, 0) / 3, 12);
  expect(outcome.value).toBeGreaterThan(0.8);
});

test('it is the binary logistic regression with this C', async () => {
  const c = 0.5;
  const { scores } = await multiLabelRegression(train, train, { cs: [c] });
  // 1/2 |w|^2 + C sum log(1 + exp(-y (w x + b))): its gradient at the optimum is w - C sum y x / (1 + exp(y s)), with w from the scores by least squares
  for (let k = 0; k < CLASSES; k++) {
    const score = (i: number) => scores[i * CLASSES + k]!;
    const y = (i: number) => train.truth[i * CLASSES + k]!;
    const pull = (i: number) => (c * y(i)) / (1 + Math.exp(y(i) * score(i)));
    const items = Array.from({ length: 120 }, (_, i) => i);
    const w = Array.from({ length: 5 }, (_, d) => items.reduce((sum, i) => sum + pull(i) * train.cls[i * 5 + d]!, 0));
    // the bias is not penalised: residuals add up to nothing
    expect(items.reduce((sum, i) => sum + pull(i), 0)).toBeCloseTo(0, 4);
    const b = score(0) - w.reduce((sum, value, d) => sum + value * train.cls[d]!, 0);
    for (const i of items)
      expect(w.reduce((sum, value, d) => sum + value * train.cls[i * 5 + d]!, b)).toBeCloseTo(score(i), 4);
  }
});

test('what is not judged is neither learnt from nor scored', async () => {
  const doubtful = (set: MultiLabelFeatures, wrong: number): MultiLabelFeatures => ({
    ...set,
    truth: set.truth.map((value, i) => (i < CLASSES * wrong ? 0 : value)),
  });
  const rest = (set: MultiLabelFeatures, from: number): MultiLabelFeatures => ({
    dim: 5,
    cls: set.cls.slice(from * 5),
    truth: set.truth.slice(from * CLASSES),
  });
  const [some, others] = await Promise.all([
    multiLabelRegression(doubtful(train, 30), doubtful(test_, 20), { cs: [0.1] }),
    multiLabelRegression(rest(train, 30), rest(test_, 20), { cs: [0.1] }),
  ]);
  for (const [k, precision] of some.outcome.perClass.entries())
    expect(precision).toBeCloseTo(others.outcome.perClass[k]!, 2);
});

test('sets of other classes, or without truth, are refused', async () => {
  const other = { ...test_, truth: new Int8Array(120) };
  await expect(multiLabelRegression(train, other, { cs: [1] })).rejects.toMatchObject({ code: 'labels' });
  const labelled = blobs({ classes: 3, dim: 5, perClass: 4, noise: 1, seed: 1 });
  await expect(
    multiLabelRegression(train, labelled as Partial<MultiLabelFeatures> as MultiLabelFeatures, { backend: cpuBackend }),
  ).rejects.toThrow(/truth/);
});

test('a sweep that was stopped goes on to the same bits', async () => {
  const options = { cs: [0.01, 1], validation: test_ };
  const whole = await multiLabelRegression(train, test_, options);
  const progress = memoryKeeper(1);
  await expect(multiLabelRegression(train, test_, { ...options, progress })).rejects.toThrow('stopped');
  const resumed = await multiLabelRegression(train, test_, { ...options, progress });
  expect([resumed.sweep, resumed.scores]).toEqual([whole.sweep, whole.scores]);
  expect(progress.saved()).toBeUndefined();
});
