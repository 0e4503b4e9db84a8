import { expect, test } from 'vitest';
import { createUpdateRows } from './update-rows';

test('an update is one row: losses averaged over its micro-steps, the rest from the last; what the live line read is kept', async () => {
  const ready = [
    [{ loss: 1, finite: 0 }],
    [
      { loss: 3, finite: 1 },
      { loss: 5, finite: 1 },
      { loss: 7, finite: 1 },
    ],
  ];
  const rows = createUpdateRows({ metrics: async () => ready.shift() ?? [] }, 2);
  expect(await rows.latestLoss()).toBe(1);
  expect(await rows.take()).toEqual([
    { loss: 2, finite: 1 },
    { loss: 6, finite: 1 },
  ]);
  expect(await rows.take()).toEqual([]);
  expect(await rows.latestLoss()).toBe(1);
});
