import { expect, test } from 'vitest';
import { constantSchedule, cosine, linearRamp, scaledLearningRate } from './schedules';

test('cosine: warm-up from start to base with both ends, base again, half way at half time, final from the end on', () => {
  const at = cosine({ base: 1, final: 0.2, total: 30, warmup: 10, start: 0.1 });
  expect([at(0), at(10), at(30), at(1000)]).toEqual([0.1, 1, 0.2, 0.2]);
  expect(at(9)).toBeCloseTo(1, 12);
  expect(at(20)).toBeCloseTo(0.6, 12);
  for (let i = 11; i < 30; i++) expect(at(i)).toBeLessThan(at(i - 1));
});
test('cosine without warm-up, with a warm-up of one, and frozen at first', () => {
  expect(cosine({ base: 2, final: 0, total: 4 })(0)).toBe(2);
  expect([0, 1].map(cosine({ base: 2, final: 0, total: 4, warmup: 1, start: 0.5 }))).toEqual([0.5, 2]);
  const frozen = cosine({ base: 2, final: 0, total: 8, freeze: 3 });
  expect([frozen(0), frozen(2)]).toEqual([0, 0]);
  expect(frozen(3)).toBeGreaterThan(1);
});
test('a ramp reaches its end and stays; of length one or none it is there at once', () => {
  expect([0, 1, 2, 3].map(linearRamp(4, 7, 4))).toEqual([4, 5, 6, 7]);
  expect(linearRamp(4, 7, 4)(99)).toBe(7);
  expect([linearRamp(4, 7, 1)(0), linearRamp(4, 7, 0)(0)]).toEqual([7, 7]);
  expect(constantSchedule(3)(12)).toBe(3);
});
test('the rate scales with the square root of the batch', () => {
  expect(scaledLearningRate(1e-3, 4096)).toBeCloseTo(2e-3, 12);
});
