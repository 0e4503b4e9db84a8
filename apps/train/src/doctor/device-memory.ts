/** How much memory an adapter has. WebGPU does not say; for a processor it is the machine's, for a GPU the driver's files or tools are asked. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Target } from '@franca/tensor';

const run = promisify(execFile);

/** Bytes, or undefined where nothing tells. */
export async function deviceMemory(target: Pick<Target, 'family' | 'name'>): Promise<number | undefined> {
  if (target.family === 'cpu' || /apple/i.test(target.name)) return totalmem();
  return (await nvidiaMemory()) ?? (await amdMemory());
}

async function nvidiaMemory(): Promise<number | undefined> {
  try {
    const { stdout } = await run('nvidia-smi', ['--query-gpu=memory.total', '--format=csv,noheader,nounits'], {
      timeout: 5000,
    });
    return largest(stdout.split('\n').map((line) => Number.parseFloat(line) * 2 ** 20));
  } catch {
    return undefined;
  }
}

const DRM = '/sys/class/drm';

async function amdMemory(): Promise<number | undefined> {
  const cards = await readdir(DRM).catch(() => []);
  const sizes = await Promise.all(
    cards.map((card) => readFile(`${DRM}/${card}/device/mem_info_vram_total`, 'utf8').then(Number, () => Number.NaN)),
  );
  return largest(sizes);
}

function largest(sizes: readonly number[]): number | undefined {
  const known = sizes.filter((size) => size > 0);
  return known.length > 0 ? Math.max(...known) : undefined;
}
