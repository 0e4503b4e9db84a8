import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCli, tinyData, tinyOverrides } from './tiny-run';

test('Ctrl-C while kernels are compiled ends a run at once, and nothing is left of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-interrupt-'));
  try {
    const out = join(folder, 'run');
    const args = ['pretrain', '-c', 'cpu-tiny', '--adapter', 'software', '--data', tinyData, '--out', out];
    const { child, done } = startCli([...args, ...tinyOverrides(2)], {
      MESA_SHADER_CACHE_DIR: join(folder, 'empty'),
    });
    // the line comes before them, and the driver takes seconds for all
    child.stderr!.on('data', (text) => {
      if (/compiled before the first step/.test(String(text))) child.kill('SIGINT');
    });
    const { status, output } = await done;
    expect(output).toContain('SIGINT before the first step; nothing is lost, the same command starts it again');
    expect(output).not.toMatch(/step 0|stopped after/);
    expect(status).toBe(130);
    await expect(access(out)).rejects.toThrow(/ENOENT/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
