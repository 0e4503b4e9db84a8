import { expect, test } from 'vitest';
import { prototypeUsage, prototypeUsageChart } from './prototype-usage';

test('uniform usage has the perplexity of all prototypes', () => {
  expect(prototypeUsage(new Uint32Array(64).fill(3))).toEqual({
    total: 64,
    used: 64,
    perplexity: expect.closeTo(64, 9),
    busiest: 1,
  });
});

test('one prototype for everything has perplexity 1', () => {
  expect(prototypeUsage([0, 0, 12, 0])).toEqual({ total: 4, used: 1, perplexity: 1, busiest: 4 });
});

test('soft weights count too: halves on two of four', () => {
  expect(prototypeUsage([0.5, 0.5, 0, 0]).perplexity).toBeCloseTo(2, 12);
});

test('before any assignment nothing is used', () => {
  expect(prototypeUsage([0, 0])).toEqual({ total: 2, used: 0, perplexity: 0, busiest: 0 });
  expect(prototypeUsageChart([0, 0]).svg).toContain('0 of 2 used');
});

test('the chart sorts prototypes into octaves of uniform', () => {
  // 8 prototypes, 16 assignments, uniform 2: one at 4 times uniform (8), one at twice (4), two at 1, four unused.
  const { svg } = prototypeUsageChart([8, 4, 2, 2, 0, 0, 0, 0]);
  for (const tooltip of ['4: 1', '2: 1', '1: 2', '0: 4']) expect(svg).toContain(`<title>${tooltip}</title>`);
  expect(svg).toContain('4 of 8 used (50.0 %)');
});

test('refuses what no counter gives', () => {
  expect(() => prototypeUsage([])).toThrow(/no counts/);
  expect(() => prototypeUsage([1, -2])).toThrow(/prototype 1 has -2/);
});
