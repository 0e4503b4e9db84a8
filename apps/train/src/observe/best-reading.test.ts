import { expect, test } from 'vitest';
import { belowStart } from './below-start';
import { bestReading } from './best-reading';
import { type KnnFigures, knnFigures } from './knn-figures';

const labels = { train: Int32Array.of(0, 1), test: new Int32Array(1000) };
/** A reading of 1000 pictures: `lost` of the 800 that the start had right, `won` of the others. */
function reading(
  step: number,
  lost: number,
  won: number,
  weights: 'pretrained' | 'untrained' = 'pretrained',
): KnnFigures {
  const start = Uint8Array.from({ length: 1000 }, (_, i) => (i < 800 ? 1 : 0));
  const right = start.map((hit, i) => (i < lost ? 0 : i >= 1000 - won ? 1 : hit));
  return knnFigures({ right, pixels: new Uint8Array(1000), start: { right: start, weights } }, { step, k: 20 }, labels);
}

test('a reading is below its start where it lies more than two standard errors of the paired difference under it', () => {
  // b - c = -30 of b + c = 230: an error of sqrt(231 - 0.9) = 15.17 pictures; 3 points are no more than 3.03
  expect(belowStart(reading(5, 130, 100))).toBeUndefined();
  // the same difference of 30 pictures that alone changed: an error of 5.5
  const notice = belowStart(reading(5, 30, 0))!;
  expect(notice).toMatchObject({ severity: 'warning', code: 'below-start' });
  expect(notice.text).toMatch(/^step 5: 20-NN is 77\.0 %, 3\.0 points \(± 1\.1\) below the 80\.0 % of the weights/);
  expect(belowStart(reading(5, 0, 30))).toBeUndefined();
});

test('fresh weights have nothing to lose, and what a run began with is no reading of its own', () => {
  expect(belowStart(reading(5, 300, 0, 'untrained'))).toBeUndefined();
  expect(bestReading(undefined, reading(5, 0, 100, 'untrained'))).toBeUndefined();
  const { start: _, ...first } = reading(0, 0, 0);
  expect(belowStart({ ...first, start: undefined })).toBeUndefined();
  expect(bestReading(undefined, { ...first, start: undefined })).toBeUndefined();
});

test('the best reading is the first of the highest ones above the start', () => {
  const readings = [reading(1, 10, 0), reading(2, 0, 20), reading(3, 0, 20), reading(4, 0, 10)];
  const best = readings.map((_, i) =>
    readings
      .slice(0, i + 1)
      .reduce<ReturnType<typeof bestReading>>((known, each) => bestReading(known, each), undefined),
  );
  expect(best).toEqual([undefined, { step: 2, share: 0.82 }, { step: 2, share: 0.82 }, { step: 2, share: 0.82 }]);
});
