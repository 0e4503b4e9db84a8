import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { countVisible, maskCoverage } from './mask-coverage';

test('visibility is counted per position and its spread measured', () => {
  const masks = [
    [1, 0, 0, 0],
    [1, 0, 1, 1],
  ];
  const { outcome, probability } = maskCoverage(countVisible(masks, [2, 2]), 'example');
  expect([...probability]).toEqual([0, 1, 0.5, 0.5]);
  expect(outcome.value).toBeCloseTo(Math.sqrt(0.125) / 0.5, 12);
  expect(outcome).toMatchObject({
    evaluated: 2,
    others: { 'mean visibility': 0.5, 'least visible': 0, 'most visible': 1 },
    hyper: { strategy: 'example' },
  });
});

test('independent masks vary as much as chance allows, and less with more draws', () => {
  const { uniform } = random(1);
  const coverage = (draws: number) => {
    const masks = Array.from({ length: draws }, () => Array.from({ length: 400 }, () => Number(uniform() < 0.4)));
    return maskCoverage(countVisible(masks, [20, 20]), 'random').outcome;
  };
  for (const draws of [200, 2000]) {
    const { value, others } = coverage(draws);
    // The relative error of a standard deviation over 400 positions is 1 / sqrt(800) = 3.5 %; five of those.
    expect(Math.abs(value / others['expected by chance']! - 1)).toBeLessThan(0.18);
  }
});

test('counts that cannot be are refused', () => {
  expect(() => maskCoverage({ visible: [1, 2], draws: 1, grid: [1, 2] }, 's')).toThrow(/more often than 1 times/);
  expect(() => maskCoverage({ visible: [1], draws: 1, grid: [1, 2] }, 's')).toThrow(/1 counts for a 1 x 2 grid/);
  expect(() => maskCoverage({ visible: [0, 0], draws: 3, grid: [1, 2] }, 's')).toThrow(/not of masked patches/);
});
