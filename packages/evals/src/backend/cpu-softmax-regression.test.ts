import { expect, test } from 'vitest';
import { centralDifference, gaussian } from '../../test/support';
import { openSoftmaxRegression } from './cpu-softmax-regression';

test('the gradient is that of the summed cross-entropy', async () => {
  const x = gaussian(300, 3, 1);
  const labels = Int32Array.from({ length: 300 }, (_, i) => i % 4);
  using session = openSoftmaxRegression({ x, labels, classes: 4 });
  const parameters = Float64Array.from(gaussian(16, 1, 2).data);
  const gradient = new Float64Array(16);
  await session.evaluate(parameters, gradient);
  const value = (at: Float64Array) => session.evaluate(at, new Float64Array(16));
  for (let i = 0; i < 16; i++) {
    // Central differences of a sum of 300 terms with h = 1e-5 are good to about 1e-6.
    expect(gradient[i]).toBeCloseTo(await centralDifference(value, parameters, i, 1e-5), 5);
  }
});

test('at zero every class is as likely: the loss is n log C', async () => {
  using session = openSoftmaxRegression({ x: gaussian(10, 2, 1), labels: new Int32Array(10), classes: 3 });
  expect(await session.evaluate(new Float64Array(9), new Float64Array(9))).toBeCloseTo(10 * Math.log(3), 12);
});

test('huge logits do not overflow', async () => {
  const x = { data: Float32Array.of(1e6, -1e6), rows: 2, cols: 1 };
  using session = openSoftmaxRegression({ x, labels: Int32Array.of(0, 0), classes: 2 });
  expect(await session.evaluate(Float64Array.of(1, -1, 0, 0), new Float64Array(4))).toBe(2e6);
});
