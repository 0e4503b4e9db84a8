import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pciCards } from './pci-cards';

test('cards are found by their render nodes and by what the NVIDIA driver lists, each once, in the order of the bus', async () => {
  const root = mkdtempSync(join(tmpdir(), 'franca-cards-'));
  const devices = { renderD128: '0000:c1:00.0', renderD129: '0000:41:00.0', card0: '0000:02:00.0', renderD130: 'vgem' };
  for (const [node, device] of Object.entries(devices)) {
    mkdirSync(join(root, 'sys/class/drm', node), { recursive: true });
    symlinkSync(`../../../${device}`, join(root, 'sys/class/drm', node, 'device'));
  }
  mkdirSync(join(root, 'sys/class/drm/renderD131'));
  for (const card of ['0000:41:00.0', '0000:0A:00.0'])
    mkdirSync(join(root, 'proc/driver/nvidia/gpus', card), { recursive: true });
  expect(await pciCards(root)).toEqual(['0000:0a:00.0', '0000:41:00.0', '0000:c1:00.0']);
  rmSync(root, { recursive: true });
  expect(await pciCards(root)).toEqual([]);
});
