import { expect, test } from 'vitest';
import { lineChart } from './line-chart';

/** Points of every line of a chart, in pixels. */
function paths(svg: string): number[][][] {
  return [...svg.matchAll(/<path d="(M[^"Z]*)" fill="none"/g)].map((match) =>
    match[1]!
      .replace('h0', '')
      .split(/[ML]/)
      .filter(Boolean)
      .map((point) => point.split(' ').map(Number)),
  );
}

const axes = { x: { domain: [0, 4] as const }, y: { domain: [0, 10] as const } };

test('equal steps in value are equal steps in pixels, up is more', () => {
  const [points] = paths(lineChart([{ name: 'a', x: [0, 2, 4], y: [0, 5, 10] }], axes).svg);
  const [[x0, y0], [x1, y1], [x2, y2]] = points as [number[], number[], number[]];
  expect(x1! - x0!).toBeCloseTo(x2! - x1!, 1);
  expect(y0! - y1!).toBeCloseTo(y1! - y2!, 1);
  expect(y2).toBeLessThan(y0!);
});

test('equal ratios are equal steps on a logarithmic axis', () => {
  const chart = lineChart([{ name: 'a', x: [1, 2, 4], y: [1, 1, 1] }], { x: { kind: 'log' } });
  const [[x0], [x1], [x2]] = paths(chart.svg)[0] as [number[], number[], number[]];
  expect(x1! - x0!).toBeCloseTo(x2! - x1!, 1);
});

test('values that are no numbers break the line', () => {
  const y = [1, 2, Number.NaN, 4, Number.POSITIVE_INFINITY];
  const lines = paths(lineChart([{ name: 'a', x: [0, 1, 2, 3, 4], y }], axes).svg);
  expect(lines.map((line) => line.length)).toEqual([2, 1]);
});

test('values that a logarithmic axis cannot show break the line', () => {
  const chart = lineChart([{ name: 'a', x: [0, 1, 2, 3], y: [1, 0, -1, 10] }], { y: { kind: 'log' } });
  expect(paths(chart.svg).map((line) => line.length)).toEqual([1, 1]);
});

test.each(['linear', 'log'] as const)('a run without any finite value still gets its chart (%s)', (kind) => {
  const chart = lineChart([{ name: 'loss', x: [0, 1], y: [Number.NaN, Number.NaN] }], { y: { kind } });
  expect(chart.svg).toContain('no finite values');
});

test('a long series is thinned, and keeps its ends and its extremes', () => {
  const steps = Array.from({ length: 50_000 }, (_, i) => i);
  const y = steps.map((i) => Math.sin(i) + (i === 31_234 ? 50 : 0) - (i === 777 ? 40 : 0));
  const axis = { x: { domain: [0, 50_000] as const }, y: { domain: [-50, 60] as const } };
  const [points] = paths(lineChart([{ name: 'a', x: steps, y }], axis).svg);
  const [sparse] = paths(
    lineChart([{ name: 'a', x: [0, 777, 31_234, 49_999], y: [0, 777, 31_234, 49_999].map((i) => y[i]!) }], axis).svg,
  );
  expect(points!.length).toBeLessThan(4 * 520);
  for (const point of sparse!) expect(points).toContainEqual(point);
});

test('a band is a closed area between its ends', () => {
  const chart = lineChart([{ name: 'a', x: [0, 4], y: [5, 5], band: { low: [4, 4], high: [6, 6] } }], axes);
  expect(chart.svg).toMatch(/<path d="M[^"]*L[^"]*L[^"]*L[^"]*Z" fill="#3b78d8" fill-opacity="0.18"/);
});

test('several lines get a legend, one does not; faint lines are not in it', () => {
  const one = { name: 'alpha', x: [0, 1], y: [0, 1] };
  expect(lineChart([one, { ...one, name: 'beta' }, { ...one, name: 'raw', faint: true }]).svg).toMatch(/alpha.*beta/);
  expect(lineChart([one], { title: 't' }).svg).not.toContain('alpha');
  expect(lineChart([one, { ...one, name: 'raw', faint: true }], { title: 't' }).svg).not.toContain('raw');
});

test('equal input gives equal text, with no id in it', () => {
  const draw = () => lineChart([{ name: 'a', x: [0, 1, 2], y: [3, 1, 2] }], { title: 'T', markers: true }).svg;
  expect(draw()).toBe(draw());
  expect(draw()).not.toMatch(/ id=/);
});

test('refuses arrays of different length and a logarithmic axis from zero', () => {
  expect(() => lineChart([{ name: 'a', x: [0, 1], y: [1] }])).toThrow(/series 'a' has 2 x values but 1 of y/);
  const options = { y: { kind: 'log', domain: [0, 1] } } as const;
  expect(() => lineChart([{ name: 'a', x: [0, 1], y: [1, 2] }], options)).toThrow(/starts at 0/);
});
