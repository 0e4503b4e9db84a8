import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mmaProbe, torchCeilings } from './ceilings';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-ceilings-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A compiler in the place of nvcc: `nvcc -O3 -arch=native <source> -o <program>`. */
async function compiler(script: string): Promise<string> {
  const path = join(folder, 'nvcc');
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test('the probe is built from its source and run, and what it prints is the result', async () => {
  const nvcc = await compiler(
    `printf '#!/bin/sh\\necho "{\\\\"teraflops\\\\": 1.5, \\\\"device\\\\": \\\\"'"$(basename "$3")"'\\\\"}"\\n' > "$5"; chmod +x "$5"`,
  );
  expect(await mmaProbe(20, folder, nvcc)).toEqual({ teraflops: 1.5, device: 'mma_probe.cu' });
});

test('a probe that cannot be built, and a missing compiler, are errors that say so in few lines', async () => {
  const nvcc = await compiler('for i in 1 2 3 4 5 6; do echo "line $i: sm_80 or higher" >&2; done; exit 1');
  await expect(mmaProbe(20, folder, nvcc)).rejects.toThrow(
    /^mma_probe: line 1: sm_80 or higher\nline 2: .*\nline 3: [^\n]*$/,
  );
  await expect(mmaProbe(20, folder, join(folder, 'none'))).rejects.toThrow('ENOENT');
});

test('without PyTorch there are no ceilings of PyTorch', async () => {
  await expect(torchCeilings({ device: 'auto', python: process.execPath, limitSeconds: 20 })).rejects.toThrow(
    'no Python with PyTorch here',
  );
});
