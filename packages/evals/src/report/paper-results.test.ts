import { expect, test } from 'vitest';
import { PAPER_RESULTS, paperResult } from './paper-results';

test('a result is found by task, data set and model', () => {
  expect(paperResult({ task: 'linear', dataset: 'imagenet-a' }, 'Franca-B')?.values).toEqual([54.8]);
  expect(paperResult({ task: 'overclustering', dataset: 'coco-things' }, 'Franca-G')?.values).toEqual([25.8, 31.9]);
  expect(paperResult({ task: 'knn', dataset: 'imagenette' }, 'Franca-B')).toBeUndefined();
});

test('every row of a table has a value for each of its data sets', () => {
  expect(PAPER_RESULTS.every(({ task, values }) => values.length === (task === 'overclustering' ? 2 : 1))).toBe(true);
});

test('the eleven fine-grained results average to what the paper prints', () => {
  for (const [model, printed] of [
    ['Franca-B', 89.8],
    ['Franca-L', 91.4],
    ['DINOv2-L', 91.4],
  ] as const) {
    const values = PAPER_RESULTS.filter((row) => row.task === 'logistic-regression' && row.model === model).flatMap(
      (row) => row.values,
    );
    expect(values.length).toBe(11);
    expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / 11 - printed)).toBeLessThan(0.1);
  }
});
