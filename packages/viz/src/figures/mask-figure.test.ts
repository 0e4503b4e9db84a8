import { expect, test } from 'vitest';
import { filledImage } from '../drawing/image';
import { coverageStatistics, maskCoverageFigure, maskSheet } from './mask-figure';

const coverage = { name: 'block', visible: [25, 75, 75, 25], draws: 100, grid: [2, 2] } as const;

test('mean, coefficient of variation and that of even coverage by their closed forms', () => {
  // P = 1/4, 3/4, 3/4, 1/4: mean 1/2, deviation 1/4; even coverage would scatter by sqrt(1 / 100).
  expect(coverageStatistics(coverage)).toEqual({ mean: 0.5, variation: 0.5, expected: expect.closeTo(0.1, 12) });
});

test('positions that are never visible give zero, not NaN', () => {
  expect(coverageStatistics({ ...coverage, visible: [0, 0, 0, 0] })).toEqual({ mean: 0, variation: 0, expected: 0 });
});

test('the figure names each strategy with its variation', () => {
  const { svg } = maskCoverageFigure([coverage]);
  expect(svg).toContain('>block<');
  expect(svg).toContain('CV 0.500 (even: 0.100)');
});

test('a sheet labels each picture with its masked share', () => {
  const picture = { image: filledImage(8, 8, [0, 0, 0]), mask: [1, 0, 0, 0], grid: [2, 2] } as const;
  expect(maskSheet([picture], 1).svg).toContain('25 % masked');
});

test('refuses more visible times than masks, and a map that is not filled', () => {
  expect(() => maskCoverageFigure([{ ...coverage, draws: 50 }])).toThrow(/position 1 is 75.*between 0 and 50/);
  expect(() => maskCoverageFigure([{ ...coverage, grid: [2, 3] }])).toThrow(/coverage of 'block' has 4 values/);
  expect(() => maskCoverageFigure([])).toThrow(/no coverage/);
});
