import { expect, test } from 'vitest';
import { aboutDuration, amountOfBytes, duration } from './amounts';

const GiB = 2 ** 30;

test('amounts of bytes read well', () => {
  expect([0, 1023, 1536, 5 * 2 ** 20, 139 * GiB].map(amountOfBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '5.0 MiB',
    '139.0 GiB',
  ]);
});

test('durations read well', () => {
  expect([5, 65, 3700, 90000].map(duration)).toEqual(['5s', '1m 05s', '1h 01m', '1d 1h']);
  expect(duration(Number.NaN)).toBe('--');
});

test('what lies ahead is told in two digits', () => {
  expect([0, 0.2, 5.44, 119, 121, 3725, 7199, 9000, 200_000, Number.NaN].map(aboutDuration)).toEqual([
    '-',
    'under 1 s',
    '5.4 s',
    '120 s',
    '2 min',
    '62 min',
    '120 min',
    '2.5 h',
    '2.3 days',
    '--',
  ]);
});
