import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openMetricsLog, readMetrics } from './metrics-log';
import { describe as describeLine, duration } from './progress';

test('a resumed log keeps rows up to its step and drops later and half-written ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-'));
  try {
    const path = join(folder, 'metrics.jsonl');
    const first = await openMetricsLog(path, 0);
    await first.append([
      { step: 1, loss: 3 },
      { step: 2, loss: 2 },
    ]);
    await first.append([{ step: 3, loss: 1 }]);
    await first.close();
    await appendFile(path, '{"step": 4, "lo');
    const second = await openMetricsLog(path, 2);
    await second.append([{ step: 3, loss: 7 }]);
    await second.close();
    expect(await readMetrics(path)).toEqual([
      { step: 1, loss: 3 },
      { step: 2, loss: 2 },
      { step: 3, loss: 7 },
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('durations and the progress line read well', () => {
  expect([5, 65, 3700, 90000].map(duration)).toEqual(['5s', '1m 05s', '1h 01m', '1d 1h']);
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
