import { expect, test } from 'vitest';
import { PAPER_SETTINGS, paperDifferences, paperResult } from './paper-results';
import { FINE_GRAINED, paperSize } from './paper-sets';
import { PAPER_RESULTS } from './paper-tables';

/** A record over `items` of as many. */
const over = (items: number) => ({ protocol: '', variant: '', metric: 'top-1', evaluated: items, total: items });

test('a result is found by task, data set, protocol, variant and model', () => {
  expect(paperResult({ ...over(7500), task: 'linear', dataset: 'imagenet-a' }, 'Franca-B')?.values).toEqual([54.8]);
  const things = { ...over(5000), task: 'overclustering', dataset: 'coco-things' };
  expect(paperResult(things, 'Franca-G')?.values).toEqual([25.8, 31.9]);
  expect(paperResult({ ...over(7), task: 'knn', dataset: 'imagenette' }, 'Franca-B')).toBeUndefined();
  const found = { ...over(5011), task: 'object-discovery', dataset: 'voc-2007' };
  expect(paperResult({ ...found, protocol: 'tokencut' }, 'Franca')?.values).toEqual([36.8]);
  expect(paperResult({ ...found, protocol: 'lost' }, 'Franca')?.values).toEqual([56.8]);
  expect(paperResult({ ...found, protocol: 'dino-seg' }, 'Franca')).toBeUndefined();
  const pairs = { ...over(12_234), evaluated: 3_600, task: 'correspondence', dataset: 'spair-71k' };
  expect(paperResult({ ...pairs, variant: 'd=1, low' }, 'Franca-L')?.values).toEqual([30.65]);
  expect(paperResult({ ...pairs, variant: 'all, high' }, 'Franca-L')?.values).toEqual([48.87]);
  const video = { ...over(61), task: 'video-segmentation', protocol: 'dino', variant: '480 px', dataset: 'davis-2017' };
  expect(paperResult({ ...video, metric: 'J&F' }, 'Franca-B + RASA (README)')?.values).toEqual([70.6]);
  expect(paperResult({ ...video, metric: 'J' }, 'Franca-B + RASA (README)')).toBeUndefined();
  expect(paperDifferences({ ...video, metric: 'J', evaluated: 60 })).toEqual([]);
});

test('a part of the set, or another metric, stands alone and says why', () => {
  const knn = { ...over(500), task: 'knn', dataset: 'imagenet-1k' };
  expect(paperResult(knn, 'Franca-B')).toBeUndefined();
  expect(paperDifferences(knn)).toEqual([
    "the paper's imagenet-1k has 50000 test items, this result is taken over 500; its value is not shown",
  ]);
  const pets = { ...over(3_669), task: 'logistic-regression', dataset: 'oxford-pets' };
  expect(paperResult(pets, 'Franca-B')).toBeUndefined();
  expect(paperDifferences(pets)).toEqual([
    "the paper's oxford-pets is mean-per-class, this result is top-1; its value is not shown",
  ]);
  const voc = { ...over(1_449), metric: 'mIoU', task: 'in-context-segmentation', dataset: 'voc-2012' };
  expect(paperResult({ ...voc, hyper: { settings: PAPER_SETTINGS } }, 'Franca-B')?.values).toEqual([75.7]);
  expect(paperResult({ ...voc, hyper: { settings: 'own' } }, 'Franca-B')).toBeUndefined();
  expect(paperDifferences({ ...voc, hyper: { settings: 'own' } })).toEqual([
    "the paper's in-context-segmentation on voc-2012 is by its own protocol, this result is not; its value is not shown",
  ]);
  expect(paperDifferences({ ...over(50_000), task: 'knn', dataset: 'imagenet-1k' })).toEqual([]);
  for (const dataset of ['my photos', 'constructor'])
    expect(paperDifferences({ ...over(7), task: 'knn', dataset })).toEqual([]);
});

test('the size of every set that a number of the paper is shown for is known', () => {
  for (const row of PAPER_RESULTS)
    expect(
      paperDifferences({ ...over(-1), ...row, protocol: row.protocol ?? '', variant: row.variant ?? '' })[0],
      row.dataset,
    ).toMatch(/has \d+ test items/);
});

test('every row of a table has a value for each of its columns', () => {
  expect(PAPER_RESULTS.every(({ task, values }) => values.length === (task === 'overclustering' ? 2 : 1))).toBe(true);
});

test('the eleven fine-grained results average to what the paper prints', () => {
  const rows = PAPER_RESULTS.filter(({ task }) => task === 'logistic-regression');
  const averages = rows.filter(({ dataset }) => dataset === 'fine-grained');
  expect(averages.length).toBe(6);
  for (const { model, values: printed } of averages) {
    const values = rows.filter((row) => row.model === model && FINE_GRAINED.includes(row.dataset));
    expect(values.length).toBe(11);
    const sum = values.reduce((total, row) => total + row.values[0]!, 0);
    expect(Math.abs(sum / 11 - printed[0]!), model).toBeLessThan(0.1);
  }
});

test('the average stands over the test items of all eleven', () => {
  const sizes = FINE_GRAINED.map((dataset) => paperSize('logistic-regression', dataset)!);
  expect(paperSize('logistic-regression', 'fine-grained')).toBe(sizes.reduce((sum, size) => sum + size, 0));
});
