/** What evaluations of the paper's size come to, by hand. */
import { cpuBackend } from '@franca/evals';
import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { centreCrop } from '../../../image-sets/preparation';
import { imageBytes } from '../estimate';
import { depthSteps } from './depth';
import { usualClusters } from './entropy';
import { inContextSizes } from './in-context';
import { kMeansSizes } from './k-means';
import { knnSizes } from './knn';
import { linearSegSizes } from './linear-seg';
import { probeHeld, probeSizes } from './probe';
import { evaluationsOf, regressionItems } from './regression';
import { searchWork } from './search';

const IMAGENET = { train: 1_281_167, test: 50_000, classes: 1000 };
const DIM = 1536;
const GIB = 2 ** 30;

test('k-NN on ImageNet-1k compares every image of train with every one of test', () => {
  const all = knnSizes({}, {}, { images: IMAGENET.train, classes: 1000 });
  expect(all).toEqual({ ks: [10, 20, 100, 200], rows: 1_281_167, times: 1 });
  const search = { name: '', rows: all.rows, queries: IMAGENET.test, dim: DIM, k: 200 };
  expect(searchWork(cpuBackend, search).units).toBe(64_058_350_000);
  // ten images of each class, five times
  expect(knnSizes({ shots: 10 }, { k: [20] }, { images: IMAGENET.train, classes: 1000 })).toEqual({
    ks: [20],
    rows: 10_000,
    times: 5,
  });
  expect(knnSizes({}, {}, { images: 12, classes: 3 }).ks).toEqual([10]);
});

test('features of ViT-g: 4 bytes a number and 4 for the number of the image, half of that as f16, only what is read', () => {
  const model = { config: vitConfig('giant2', { patchSize: 14 }) };
  const preparation = centreCrop(224);
  const bytes = (floats: 'f32' | 'f16', request: object): number =>
    imageBytes({ model, extraction: { floats } }, { preparation, ...request });
  expect(model.config.embedDim).toBe(DIM);
  expect(bytes('f32', { blocks: 1 })).toBe(4 + 4 * DIM);
  expect(bytes('f16', { blocks: 4, patchMean: true })).toBe(5 * (4 + 2 * DIM));
  expect(bytes('f16', { patches: true })).toBe(4 + 2 * 256 * DIM);
});

test('the grid of 52 classifiers on ImageNet-1k: steps, columns, and what its weights take', () => {
  const shape = { dim: DIM, blocks: 4, patchMean: true };
  const cost = { shape, ...IMAGENET, batchSize: 128, select: 'train-holdout', again: true } as const;
  const sizes = probeSizes(cost);
  expect(sizes).toEqual({
    // ten passes over nine tenths, then over all
    steps: Math.round((10 * (1_281_167 - 128_117)) / 128),
    stepsAgain: Math.round(12_811_670 / 128),
    classifiers: 52,
    // 13 rates x (1 + 2 + 4 + 5 tokens)
    columns: 13 * 12 * DIM,
    widest: 5 * DIM,
    judged: 128_117,
  });
  const crops = { ...cost, iterations: 12_500, batchSize: 1024, select: 'test', again: false } as const;
  expect(probeSizes(crops)).toMatchObject({ steps: 12_500, stepsAgain: 0, judged: 50_000 });
  const { device, host } = probeHeld(crops, sizes.columns, IMAGENET.train);
  expect(device).toBe(12 * 239_616 * 1000 + 4 * 1024 * 5 * DIM);
  // of its 37 GiB of features 2 are held
  expect(host).toBe(2 * GIB + 4 * 239_616 * 1000 + 4 * 1024 * 5 * DIM);
});

test('logistic regression: each C by itself on nine tenths, the chosen one on all; on all with a validation part', () => {
  const sizes = { train: 1000, validation: 0, test: 500, dim: 768, classes: 100 };
  const [weak, strong] = [evaluationsOf(1e2), evaluationsOf(1e-6)];
  expect(weak).toBeGreaterThan(strong);
  expect(regressionItems({ ...sizes, cs: [1e2, 1e-6] })).toBeCloseTo((weak + strong) * 900 + weak * 1000);
  expect(regressionItems({ ...sizes, cs: [1e2] })).toBeCloseTo(weak * 1000);
  expect(regressionItems({ ...sizes, validation: 200, cs: [1e2] })).toBeCloseTo(weak * 1200);
});

test('in-context segmentation of VOC as the paper does: two passes of 10,582 pictures, 10,240,000 patches', () => {
  const cells = 37 * 37;
  const paper = inContextSizes({ memory: 10_240_000, passes: 2 }, [10_582], cells);
  // 483 patches of each of 21,164 crops
  expect(paper).toEqual({ rows: 483 * 21_164, passed: 21_164, searches: 1 });
  expect(inContextSizes({}, [100, 10], cells)).toEqual({ rows: 110 * cells, passed: 110, searches: 2 });
});

test('linear segmentation: epochs x heads x images, and the chosen head once more where a tenth was held out', () => {
  const parts = { train: 10_000, test: 1000 };
  expect(linearSegSizes({}, parts)).toEqual({
    learnt: 25 * 5 * 9000 + 25 * 10_000,
    scored: 25 * 5 * 1000 + 1000,
  });
  expect(linearSegSizes({ epochs: 2, learningRates: [0.1], select: 'test' }, parts)).toEqual({
    learnt: 2 * 10_000,
    scored: 2 * 1000 + 1000,
  });
});

test('k-means fits at most 256 points to a centroid, in 40 steps and a last look', () => {
  expect(kMeansSizes(2_000_000, 500, 25)).toEqual({ points: 128_000, assigned: 25 * 41 * 128_000 });
  expect(kMeansSizes(1000, 21, 5)).toEqual({ points: 1000, assigned: 205_000 });
  expect([1000, 100_000, 10_000_000].map(usualClusters)).toEqual([8, 98, 512]);
});

test('steps of a depth probe: whole batches of each epoch, or as many as the protocol has', () => {
  const facts = { dropLast: true, steps: 38_400 };
  const plan = { batchSize: 8, facts } as Parameters<typeof depthSteps>[0];
  expect(depthSteps({ ...plan, epochs: 10 }, 30)).toBe(30);
  expect(depthSteps({ ...plan, epochs: 10, facts: { ...plan.facts, dropLast: false } }, 30)).toBe(40);
  expect(depthSteps({ ...plan, epochs: undefined }, 30)).toBe(38_400);
});
