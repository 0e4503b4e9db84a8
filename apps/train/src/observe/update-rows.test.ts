import type { CompiledPretrainStep } from '@franca/pretraining';
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
  const rows = createUpdateRows(stepOf(ready), 2);
  expect(await rows.latestLoss()).toBe(1);
  expect(await rows.take()).toEqual([
    { loss: 2, finite: 1 },
    { loss: 6, finite: 1 },
  ]);
  expect(await rows.take()).toEqual([]);
  expect(await rows.latestLoss()).toBe(1);
});

test('metrics that were lost are no average of the rest', async () => {
  const rows = createUpdateRows(stepOf([[{ loss: 1, finite: 1 }]], 3), 2);
  await expect(rows.take()).rejects.toThrow(/metrics of 3 micro-steps were overwritten/);
});

/** A step that has these metrics ready, call by call. */
const stepOf = (ready: { loss: number; finite: number }[][], dropped = 0): Pick<CompiledPretrainStep, 'metrics'> => ({
  metrics: async () => ({ rows: (ready.shift() ?? []) as never, dropped }),
});
