import { expect, test } from 'vitest';
import { describe as describeLine } from './progress';

test('the live line reads well', () => {
  expect(
    describeLine({
      step: 10,
      total: 100,
      loss: 4.5,
      lr: 0.001,
      imagesPerSecond: 12.34,
      secondsLeft: 65,
      bytes: 3 * 2 ** 20,
    }),
  ).toBe('step 10/100  loss 4.5000  lr 1.00e-3  12.3 img/s  ETA 1m 05s  3.0 MiB');
});
