import { expect, test } from 'vitest';
import { formatNumber, formatPercent } from './number-format';

test.each([
  [0, '0'],
  [-0.5, '-0.5'],
  [0.12345, '0.1235'],
  [79.432, '79.43'],
  [1234.56, '1,235'],
  [50000, '50,000'],
  [-1234567, '-1,234,567'],
  [2.5e-5, '2.5e-5'],
  [3e8, '3e8'],
  [Number.NaN, 'NaN'],
])('%d is written %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test('shares are percentages with one decimal', () => {
  expect(formatPercent(0.9)).toBe('90.0 %');
});
