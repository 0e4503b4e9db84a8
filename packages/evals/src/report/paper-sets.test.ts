import { expect, it } from 'vitest';
import { PAPER_RESULTS } from './paper-results';
import { paperDifferences } from './paper-sets';

const knn = { task: 'knn', metric: 'top-1' };

it('says nothing of the whole set, nor of sets that the paper does not have', () => {
  expect(paperDifferences({ ...knn, dataset: 'imagenet-1k' }, 50_000)).toEqual([]);
  expect(paperDifferences({ ...knn, dataset: 'my photos' }, 7)).toEqual([]);
  expect(paperDifferences({ ...knn, dataset: 'constructor' }, 7)).toEqual([]);
});

it('says that a part of the set is a part, and that another metric is another', () => {
  expect(paperDifferences({ ...knn, dataset: 'imagenet-1k' }, 500)).toEqual([
    "the paper's imagenet-1k has 50000 test images, this result is taken over 500",
  ]);
  expect(paperDifferences({ task: 'logistic-regression', metric: 'top-1', dataset: 'oxford-pets' }, 3_669)).toEqual([
    "the paper's oxford-pets is mean-per-class, this result is top-1",
  ]);
});

it('knows the size of every set that a number of the paper is shown for', () => {
  for (const { dataset, task } of PAPER_RESULTS)
    expect(paperDifferences({ task, metric: 'top-1', dataset }, -1)[0], dataset).toContain('test images');
});
