import { expect, test } from 'vitest';
import { blobs, gaussian } from '../../test/support';
import { cpuBackend } from '../backend/cpu';
import { classify } from '../classifier';
import { logisticRegression } from '../logistic-regression/logistic-regression';
import type { Matrix } from '../matrix';
import { knnConfidence } from './knn-score';
import { logitConfidence } from './logit-scores';
import { fitMahalanobis, mahalanobisConfidence } from './mahalanobis';
import { oodDetection } from './ood-detection';
import { oodMeans } from './ood-means';
import { fitVim, vimConfidence } from './vim';

const row = (...values: number[]): Matrix => ({ data: Float32Array.from(values), rows: 1, cols: values.length });

test('logit scores follow their formulas and survive huge logits', () => {
  const z = row(1, 3, 2);
  const total = Math.exp(1) + Math.exp(3) + Math.exp(2);
  expect(logitConfidence('msp', z)[0]).toBeCloseTo(Math.exp(3) / total, 12);
  expect(logitConfidence('max-logit', z)[0]).toBe(3);
  expect(logitConfidence('energy', z)[0]).toBeCloseTo(Math.log(total), 12);
  const soft = Math.exp(0.5) + Math.exp(1.5) + Math.exp(1);
  expect(logitConfidence('energy', z, 2)[0]).toBeCloseTo(2 * Math.log(soft), 12);
  const gen = [1, 3, 2].reduce(
    (sum, value) => sum - ((Math.exp(value) / total) * (1 - Math.exp(value) / total)) ** 0.1,
    0,
  );
  expect(logitConfidence('gen', z)[0]).toBeCloseTo(gen, 12);
  const huge = row(1e4, 0);
  expect([logitConfidence('msp', huge)[0], logitConfidence('energy', huge)[0]]).toEqual([1, 1e4]);
});

test('the k-NN score is minus the squared distance to the K-th nearest normalised feature', async () => {
  const [bank, x] = [gaussian(30, 4, 1), gaussian(6, 4, 2)];
  const unit = (m: Matrix, i: number) => {
    const v = [...m.data.subarray(i * 4, i * 4 + 4)];
    return v.map((value) => value / Math.hypot(...v));
  };
  const confidence = await knnConfidence(cpuBackend, bank, x, 5);
  for (let i = 0; i < 6; i++) {
    const distances = Array.from({ length: 30 }, (_, j) =>
      unit(bank, j).reduce((sum, t, d) => sum + (t - unit(x, i)[d]!) ** 2, 0),
    );
    expect(confidence[i]).toBeCloseTo(-distances.toSorted((a, b) => a - b)[4]!, 5);
  }
});

test('Mahalanobis uses the scatter around class means, the relative form also the overall Gaussian', async () => {
  const train = blobs({ classes: 3, dim: 2, perClass: 50, noise: 0.5, seed: 1 });
  const model = await fitMahalanobis(cpuBackend, train);
  const x = row(1.5, -0.5);
  const mean = (rows: number[][]) => [0, 1].map((d) => rows.reduce((sum, r) => sum + r[d]!, 0) / rows.length);
  const all = [...train.labels.keys()].map((i) => [...train.cls.subarray(i * 2, i * 2 + 2)]);
  const byClass = [0, 1, 2].map((c) => all.filter((_, i) => train.labels[i] === c));
  const means = byClass.map(mean);
  const squared = (residuals: number[][], offset: number[]) => {
    const [a, b, c] = [
      [0, 0],
      [0, 1],
      [1, 1],
    ].map(([p, q]) => residuals.reduce((sum, r) => sum + r[p!]! * r[q!]!, 0) / residuals.length) as [
      number,
      number,
      number,
    ];
    return (c * offset[0]! ** 2 - 2 * b * offset[0]! * offset[1]! + a * offset[1]! ** 2) / (a * c - b * b);
  };
  const minus = (u: number[], v: number[]) => [u[0]! - v[0]!, u[1]! - v[1]!];
  const within = byClass.flatMap((rows, c) => rows.map((r) => minus(r, means[c]!)));
  const nearest = Math.min(...means.map((m) => squared(within, minus([...x.data], m))));
  const overall = squared(
    all.map((r) => minus(r, mean(all))),
    minus([...x.data], mean(all)),
  );
  expect((await mahalanobisConfidence(cpuBackend, model, x, false))[0]).toBeCloseTo(-nearest, 3);
  expect((await mahalanobisConfidence(cpuBackend, model, x, true))[0]).toBeCloseTo(overall - nearest, 3);
});

test('with fewer items than dimensions, directions without spread do not count', async () => {
  const train = blobs({ classes: 2, dim: 30, perClass: 5, noise: 0.5, seed: 1 });
  const model = await fitMahalanobis(cpuBackend, train);
  const confidence = await mahalanobisConfidence(cpuBackend, model, gaussian(4, 30, 2), false);
  expect([...confidence].every((value) => Number.isFinite(value) && value < 0)).toBe(true);
});

test('ViM subtracts what lies outside the space of the train features', async () => {
  // Train features fill the first axis only; the classifier's origin is where both logits vanish.
  const train = { data: Float32Array.of(-2, 0, 0, -1, 0, 0, 1, 0, 0, 2, 0, 0), rows: 4, cols: 3 };
  const tilted = { ...train, data: train.data.map((value, i) => value + (i % 3 === 1 ? 0.1 : 0)) };
  const classifier = {
    weight: { data: Float32Array.of(1, 0, 0, -1, 0, 0), rows: 2, cols: 3 },
    bias: new Float32Array(2),
  };
  const model = await fitVim(cpuBackend, classifier, tilted, 1);
  expect([...model.origin].every((value) => Math.abs(value) < 1e-9)).toBe(true);
  // Mean max-logit 1.5 over mean residual 0.1.
  expect(model.alpha).toBeCloseTo(15, 3);
  const x = { data: Float32Array.of(1, 0, 0, 1, 0, 2), rows: 2, cols: 3 };
  const [on, off] = await vimConfidence(cpuBackend, model, x, await classify(cpuBackend, classifier, x));
  const energy = Math.log(Math.exp(1) + Math.exp(-1));
  expect(on).toBeCloseTo(energy, 4);
  expect(off).toBeCloseTo(energy - 15 * 2, 2);
});

const inside = blobs({ classes: 4, dim: 8, perClass: 40, noise: 0.3, seed: 2 });
const train = blobs({ classes: 4, dim: 8, perClass: 40, noise: 0.3, seed: 1 });

test('every score tells features of other directions from those of the classes, and none tells the set from itself', async () => {
  const { classifier } = await logisticRegression(train, inside, { cs: [1] });
  const outside = { far: { dim: 8, cls: gaussian(160, 8, 99).data }, same: inside };
  const { outcomes, detections, accuracy } = await oodDetection(
    { train, classifier },
    { inside, outside },
    { k: 5, vimDim: 4 },
  );
  expect(accuracy).toBeGreaterThan(0.9);
  expect(outcomes.length).toBe(16);
  for (const { score, set, auroc, fpr95, auprIn, auprOut } of detections) {
    if (set === 'same') {
      expect(auroc).toBe(0.5);
      expect(fpr95).toBeGreaterThanOrEqual(0.95);
    } else {
      expect(auroc, score).toBeGreaterThan(0.6);
      expect(Math.min(auprIn, auprOut), score).toBeGreaterThan(0.5);
    }
  }
  expect(outcomes[0]).toMatchObject({ task: 'ood', hyper: { score: 'msp', outside: 'far' }, evaluated: 320 });
});

test('without a classifier only feature scores run; asking for others says what is missing', async () => {
  const outside = { far: { dim: 8, cls: gaussian(20, 8, 99).data } };
  const { detections } = await oodDetection({ train }, { inside, outside }, { k: 5 });
  expect(detections.map(({ score }) => score)).toEqual(['knn', 'mahalanobis', 'relative-mahalanobis']);
  await expect(oodDetection({ train }, { inside, outside }, { scores: ['msp'] })).rejects.toThrow(
    /msp score needs a classifier/,
  );
  await expect(oodDetection({}, { inside, outside })).rejects.toThrow(/give a classifier, train features/);
});

test('a series of batches gives what train features in memory give', async () => {
  const { classifier } = await logisticRegression(train, inside, { cs: [1] });
  const outside = { far: { dim: 8, cls: gaussian(60, 8, 99).data } };
  const { dim, cls, labels } = train;
  const series = {
    async *[Symbol.asyncIterator]() {
      for (const [begin, end] of [
        [0, 31],
        [31, 150],
        [150, 160],
      ] as const)
        yield { dim, cls: cls.subarray(begin * dim, end * dim), labels: labels.subarray(begin, end) };
    },
  };
  const run = async (reference: typeof train | typeof series) =>
    (await oodDetection({ train: reference, classifier }, { inside, outside }, { k: 5, vimDim: 4 })).detections;
  const [streamed, held] = [await run(series), await run(train)];
  for (const [i, { score, auroc }] of held.entries()) expect(streamed[i]!.auroc, score).toBeCloseTo(auroc, 12);
});

test('groups are averaged over their sets, each alike however large it is', async () => {
  const outside = {
    close: { dim: 8, cls: gaussian(20, 8, 99).data },
    far: { dim: 8, cls: gaussian(50, 8, 98).data },
    other: { dim: 8, cls: gaussian(30, 8, 97).data },
  };
  const { outcomes } = await oodDetection({ train }, { inside, outside }, { k: 5, scores: ['knn', 'mahalanobis'] });
  const means = oodMeans(outcomes, { near: ['close'], far: ['far', 'other'], empty: [] });
  expect(means.map(({ variant, evaluated, total }) => [variant, evaluated, total])).toEqual([
    ['knn near', 180, 180],
    ['knn far', 240, 240],
    ['mahalanobis near', 180, 180],
    ['mahalanobis far', 240, 240],
  ]);
  const of = (set: string) => outcomes.find(({ variant }) => variant === `knn against ${set}`)!;
  expect(means[0]!.value).toBe(of('close').value);
  expect(means[1]!.value).toBe((of('far').value + of('other').value) / 2);
  const fpr = 'FPR95 (foreign as positive)';
  expect(means[1]!.others[fpr]).toBe((of('far').others[fpr]! + of('other').others[fpr]!) / 2);
  expect(means[1]!.hyper).toMatchObject({ score: 'knn', outside: ['far', 'other'], inside: 160, foreign: 80 });
  expect(() => oodMeans(outcomes, { near: ['missing'] })).toThrow(/no outcome of knn against missing/);
});
