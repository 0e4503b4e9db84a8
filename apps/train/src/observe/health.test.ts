import { expect, test } from 'vitest';
import { diagnoseHealth, featureSpread } from './health';

const healthy = {
  step: 100,
  loss: 5,
  featureStd: 0.8,
  teacherEntropy: 0.6,
  prototypesInUse: 0.5,
  skipped: 0,
  stepsSince: 50,
};

test('a healthy run gives no notice', () => {
  expect(diagnoseHealth(healthy, true)).toEqual([]);
});
test.each([
  [{ loss: Number.NaN }, 'not-finite'],
  [{ featureStd: 0.01 }, 'collapse'],
  [{ teacherEntropy: 0.999 }, 'uniform-teacher'],
  [{ teacherEntropy: 0.001 }, 'one-hot-teacher'],
  [{ prototypesInUse: 0.001 }, 'few-prototypes'],
  [{ skipped: 40 }, 'many-skipped'],
] as const)('%j is reported as %s', (change, code) => {
  expect(diagnoseHealth({ ...healthy, ...change }, true).map((notice) => notice.code)).toEqual([code]);
});
test('a uniform teacher is expected before warm-up ends', () => {
  expect(diagnoseHealth({ ...healthy, teacherEntropy: 1 }, false)).toEqual([]);
});
test('spread is 1 for one-hot features with random signs, 0 for equal ones', () => {
  // 2 D rows +-e_d: every dimension has mean 0 and variance 1/D
  const D = 8;
  const rows = new Float32Array(2 * D * D);
  for (let d = 0; d < D; d++) {
    rows[2 * d * D + d] = 3;
    rows[(2 * d + 1) * D + d] = -3;
  }
  expect(featureSpread(rows, D)).toBeCloseTo(1, 6);
  expect(featureSpread(new Float32Array(40).fill(2), 8)).toBeCloseTo(0, 6);
});
