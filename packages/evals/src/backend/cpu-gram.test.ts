import { expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { rowRange } from '../matrix';
import { openGram } from './cpu-gram';

test('sums and second moments of streamed rows equal the plain loops', async () => {
  const x = gaussian(700, 3, 1);
  using session = openGram(3);
  for (const [begin, end] of [
    [0, 600],
    [600, 601],
    [601, 700],
  ] as const)
    await session.add(rowRange(x, begin, end));
  const { rows, sum, products } = await session.result();
  expect(rows).toBe(700);
  for (let a = 0; a < 3; a++) {
    let total = 0;
    for (let i = 0; i < 700; i++) total += x.data[i * 3 + a]!;
    expect(sum[a]).toBeCloseTo(total, 10);
    for (let b = 0; b < 3; b++) {
      let product = 0;
      for (let i = 0; i < 700; i++) product += x.data[i * 3 + a]! * x.data[i * 3 + b]!;
      // f64 sums of 700 terms of order 1 in another order: within 700 * 2^-53 * 700.
      expect(products[a * 3 + b]).toBeCloseTo(product, 9);
    }
  }
});
