import { expect, test } from 'vitest';
import { binValues, histogramChart } from './histogram';

test('bins are half open, the last one is closed', () => {
  const { counts, edges, leftOut } = binValues([0, 0.9, 1, 2.5, 3, 3.1, -1, Number.NaN], 3, [0, 3]);
  expect([...counts]).toEqual([2, 1, 2]);
  expect([...edges]).toEqual([0, 1, 2, 3]);
  expect(leftOut).toBe(3);
});

test('values that are all equal fall into one bin', () => {
  expect([...binValues([2, 2], 2, [2, 2]).counts]).toEqual([2, 0]);
});

test('sets of different size compare: bars are shares, medians stand in the legend', () => {
  const sets = [
    { name: 'few', values: [0, 0, 1, 1] },
    { name: 'many', values: Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 0 : 1)) },
  ];
  const { svg } = histogramChart(sets, { bins: 2 });
  const heights = [...svg.matchAll(/<rect [^>]*height="([\d.]+)"[^>]*fill-opacity="0.5"/g)].map((match) => match[1]);
  expect(heights).toHaveLength(4);
  expect(new Set(heights).size).toBe(1);
  expect(svg).toContain('few (median 0.5)');
});

test('says how many values lie outside', () => {
  const { svg } = histogramChart([{ name: 'a', values: [0.5, 2, 3] }], { domain: [0, 1] });
  expect(svg).toContain('2 values outside');
});
