import { expect, test } from 'vitest';
import { random } from '../numerics/random';
import { inverseLengths, patchProducts, productRow } from './patch-products';

test.each([
  [1, 1, 3],
  [1, 5, 1],
  [3, 11, 7],
  [6, 6, 4],
  [7, 19, 5],
])('%d x %d patches of %d numbers: every product as a plain sum in f64', (rows, columns, dim) => {
  const draws = random(2);
  const n = rows * columns;
  const patches = Float32Array.from({ length: n * dim }, () => draws.normal());
  const products = patchProducts({ dim, grid: [rows, columns], patches });
  expect(products.lower.length).toBe((n * (n + 1)) / 2);
  for (let i = 0; i < n; i++) {
    const row = productRow(products, i);
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += patches[i * dim + d]! * patches[j * dim + d]!;
      expect(row[j]).toBeCloseTo(sum, 13);
      if (i === j) expect(inverseLengths(products)[i]).toBeCloseTo(1 / Math.sqrt(sum), 12);
    }
  }
});

test('what is not one picture of finite numbers is refused', () => {
  const one = { dim: 2, grid: [2, 2], patches: new Float32Array(8) } as const;
  expect(() => patchProducts({ ...one, patches: new Float32Array(16) })).toThrow(/of 2 pictures; give one at a time/);
  expect(() => patchProducts({ ...one, patches: new Float32Array(8).fill(Number.NaN) })).toThrow(/must be finite/);
  const large = { dim: 1, grid: [128, 129], patches: new Float32Array(128 * 129) } as const;
  expect(() => patchProducts(large)).toThrow(/at most 16384 patches/);
});
