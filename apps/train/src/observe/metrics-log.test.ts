import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openMetricsLog, readMetrics } from './metrics-log';

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
    await first[Symbol.asyncDispose]();
    await appendFile(path, '{"step": 4, "lo');
    const second = await openMetricsLog(path, 2);
    await second.append([{ step: 3, loss: 7 }]);
    await second[Symbol.asyncDispose]();
    expect(await readMetrics(path)).toEqual([
      { step: 1, loss: 3 },
      { step: 2, loss: 2 },
      { step: 3, loss: 7 },
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
