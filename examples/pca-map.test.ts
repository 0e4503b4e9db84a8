import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('the foreground is the ball, and the figure is a PNG file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-example-'));
  try {
    const printed = await runExample('pca-map.ts', join(folder, 'figure.png'));
    const [found, onBall] = [/foreground: (\d+)/, /on the ball: (\d+)/].map((pattern) =>
      Number(pattern.exec(printed)![1]),
    );
    // 165 patches have their centre on the ball (pi 58^2 / 64).
    expect(onBall).toBeGreaterThan(0.9 * 165);
    expect(onBall! / found!).toBeGreaterThan(0.85);
    const png = await readFile(join(folder, 'figure.png'));
    expect([...png.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
