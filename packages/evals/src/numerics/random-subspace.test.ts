import { expect, test } from 'vitest';
import { randomSubspace } from './random-subspace';

test('the rows are orthonormal and depend on the seed alone', () => {
  const { data } = randomSubspace(5, 8, 3);
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 5; j++) {
      let dot = 0;
      for (let d = 0; d < 8; d++) dot += data[i * 8 + d]! * data[j * 8 + d]!;
      expect(dot).toBeCloseTo(i === j ? 1 : 0, 6);
    }
  }
  expect(randomSubspace(5, 8, 3).data).toEqual(data);
  expect(randomSubspace(5, 8, 4).data).not.toEqual(data);
});
