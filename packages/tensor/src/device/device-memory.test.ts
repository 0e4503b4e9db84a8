import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { deviceMemory, listedCards, memoryOfCard } from './device-memory';

const folder = mkdtempSync(join(tmpdir(), 'franca-smi-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const infoOf = (vendor: string, device: string, isFallbackAdapter = false) =>
  ({ vendor, device, architecture: '', description: '', isFallbackAdapter }) as GPUAdapterInfo;
const MiB = 2 ** 20;

/** Puts a program of that name and text before all others. */
function stubTool(script: string): void {
  const path = join(folder, 'nvidia-smi');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
}

test('an NVIDIA card has what its tool says, the named one where there are several', async () => {
  stubTool("echo 'NVIDIA RTX A400, 4094'; echo 'NVIDIA H100 80GB HBM3, 81559'");
  expect(await deviceMemory(infoOf('nvidia', 'nvidia-h100-80gb-hbm3'))).toBe(81559 * MiB);
  expect(await deviceMemory(infoOf('nvidia', 'nvidia-rtx-a400'))).toBe(4094 * MiB);
});

test('a tool that fails, is not there or says something else leaves it unknown', async () => {
  stubTool('exit 9');
  expect(await deviceMemory(infoOf('nvidia', 'any'))).toBeUndefined();
  stubTool('echo "No devices were found"');
  expect(await deviceMemory(infoOf('nvidia', 'any'))).toBeUndefined();
  vi.stubEnv('PATH', '/nowhere');
  expect(await deviceMemory(infoOf('nvidia', 'any'))).toBeUndefined();
});

test('cards are read off lines of the form that was asked for', () => {
  expect(listedCards('NVIDIA H200, 143771\n[N/A], [N/A]\n\nNVIDIA L4, 0\n')).toEqual([
    { name: 'NVIDIA H200', bytes: 143771 * MiB },
  ]);
});

test('cards of one size need no name; of several that fit no name none is guessed', () => {
  const cards = [
    { name: 'NVIDIA L4', bytes: 1 },
    { name: 'NVIDIA H100', bytes: 2 },
  ];
  expect(memoryOfCard([cards[1]!, cards[1]!], 'unheard-of')).toBe(2);
  expect(memoryOfCard(cards, 'unheard-of')).toBeUndefined();
  expect(memoryOfCard([], 'nvidia-l4')).toBeUndefined();
});

test('what computes in the memory of the machine has all of it; of others nothing is claimed', async () => {
  expect(await deviceMemory(infoOf('mesa', 'llvmpipe', true))).toBe(totalmem());
  expect(await deviceMemory(infoOf('apple', 'apple-m3'))).toBe(totalmem());
  expect(await deviceMemory(infoOf('intel', 'arc'))).toBeUndefined();
});
