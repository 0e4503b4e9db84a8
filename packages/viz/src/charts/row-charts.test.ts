/** Bar charts and interval plots: rows of one frame, whose lengths and places are the numbers. */
import { expect, test } from 'vitest';
import { barChart } from './bar-chart';
import { intervalPlot } from './interval-plot';

const numbers = (svg: string, shape: RegExp) => [...svg.matchAll(shape)].map((match) => match.slice(1).map(Number));
const bars = (svg: string) => numbers(svg, /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="13"/g);
const row = { name: 'k-NN', series: 'other', value: 2, low: 1, high: 3, resolved: true };

test('bars start at 0 and are as long as their values, one below the other', () => {
  const { svg } = barChart(
    ['near', 'far'],
    [
      { name: 'a', values: [50, 100] },
      { name: 'b', values: [25, undefined] },
    ],
    { x: { domain: [0, 100] }, format: (value) => `${value} %` },
  );
  const [first, second, third, ...none] = bars(svg);
  expect(none).toEqual([]);
  expect(first![0]).toBe(second![0]);
  expect(first![2]! / second![2]!).toBeCloseTo(2, 2);
  expect(third![2]! / first![2]!).toBeCloseTo(2, 2);
  expect(third![1]).toBeGreaterThan(second![1]!);
  expect(svg).toMatch(/near.*>50 %<.*far/);
});

test('values below 0 reach to the left, and the scale takes them in', () => {
  const [below, above] = bars(barChart(['x', 'y'], [{ name: 'a', values: [-1, 1] }]).svg);
  expect(below![0]! + below![2]!).toBeCloseTo(above![0]!, 1);
  expect(below![2]).toBeCloseTo(above![2]!, 1);
});

test('an interval is drawn from end to end around its dot; one that is not resolved is hollow', () => {
  const { svg } = intervalPlot([row, { ...row, series: 'third', low: -1, resolved: false }]);
  const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" [^>]*fill="([^"]+)"/g)];
  expect(dots.map(([, , , fill]) => fill)).toEqual(['#3b78d8', 'none']);
  const drawn = numbers(
    svg,
    /<line x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)" y2="[\d.]+" stroke="#3b78d8" stroke-width="2" stroke-opacity/g,
  );
  expect((drawn[0]![0]! + drawn[0]![1]!) / 2).toBeCloseTo(Number(dots[0]![1]), 1);
  expect(intervalPlot([{ ...row, colour: '#123456' }]).svg).toContain('fill="#123456"');
  expect(svg).toContain('+2 [+1, +3]');
  expect(svg).toContain('+2 [-1, +3]');
  expect(svg.match(/>k-NN</g)).toHaveLength(1);
});

test('a name that is too long is cut, and one picture is always the same text', () => {
  const draw = () => intervalPlot([{ ...row, name: 'a very long name '.repeat(12) }], { width: 400 }).svg;
  expect(draw()).toMatch(/a very long name[^<]*…</);
  expect(draw()).toBe(draw());
  expect(draw()).not.toMatch(/ id=/);
});

test('nothing to draw is a chart without rows; what is no number, or one too many, is refused', () => {
  expect(intervalPlot([]).svg).toContain('<svg');
  expect(barChart([], []).svg).toContain('<svg');
  expect(() => barChart(['x'], [{ name: 'a', values: [1, 2] }])).toThrow(/2 values of 'a'/);
  expect(() => barChart(['x'], [{ name: 'a', values: [Number.NaN] }])).toThrow(/'a' has NaN/);
  expect(() => intervalPlot([{ ...row, low: Number.NEGATIVE_INFINITY }])).toThrow(/'k-NN' has/);
});
