import { expect, test } from 'vitest';
import { smooth, trainingCurves, truncationCurve } from './curves';

test('smoothing a constant changes nothing, from the first value on', () => {
  const smoothed = smooth([4, 4, 4], 0.9);
  expect([...smoothed]).toEqual([4, 4, 4].map((value) => expect.closeTo(value, 12)));
});

test('smoothing is the bias-corrected moving average', () => {
  // b = 1/2: m = 1/2, then 1/4 + 1 = 5/4; divided by 1/2 and 3/4.
  expect([...smooth([1, 2], 0.5)]).toEqual([1, expect.closeTo(5 / 3, 12)]);
});

test('smoothing skips values that are no numbers and goes on behind them', () => {
  expect([...smooth([1, Number.NaN, 1], 0.5)]).toEqual([1, Number.NaN, 1]);
});

test('smoothed curves keep the raw values behind them', () => {
  const series = [{ name: 'loss', steps: [0, 1, 2], values: [3, 1, 2] }];
  const count = (svg: string) => svg.split('<path').length - 1;
  expect(count(trainingCurves(series, { smoothing: 0.5 }).svg)).toBe(2);
  expect(count(trainingCurves(series).svg)).toBe(1);
});

test('a truncation curve has a tick at every width', () => {
  const { svg } = truncationCurve([24, 48, 96], [{ name: 'prefix', values: [1, 2, 3] }]);
  for (const width of [24, 48, 96]) expect(svg).toMatch(new RegExp(`text-anchor="middle"[^>]*>${width}<`));
  expect(svg).toContain('<title>prefix: 3 at 96</title>');
});

test('refuses widths below one, and a series that misses a width', () => {
  expect(() => truncationCurve([0, 8], [{ name: 'a', values: [1, 2] }])).toThrow(/width is 0/);
  expect(() => truncationCurve([4, 8], [{ name: 'a', values: [1] }])).toThrow(/series 'a' has 2 x values but 1/);
  expect(() => trainingCurves([], { smoothing: 1 })).toThrow(/smoothing is 1/);
});
