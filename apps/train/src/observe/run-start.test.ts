import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PcaMap } from '@franca/viz';
import { expect, test } from 'vitest';
import { type RunStart, readRunStart, saveRunStart } from './run-start';

const map: PcaMap = {
  grid: [1, 2],
  colours: Float32Array.of(0, 1, 51 / 255, 0.2, 0, 1),
  foreground: Uint8Array.of(1, 1),
};
const start: RunStart = {
  weights: 'untrained',
  pictures: 'abc',
  right: Uint8Array.of(0, 1, 1),
  looks: { maps: [map], nearest: [[4, 2]] },
};

test('the start of a run is read back as it was, without k-NN too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'start-'));
  for (const given of [start, { ...start, right: undefined }]) {
    await saveRunStart(folder, given);
    expect(await readRunStart(folder, 'abc')).toEqual(given);
  }
});

test('a start on other images, a damaged one and none at all are not known', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'start-'));
  expect(await readRunStart(folder, 'abc')).toBeUndefined();
  await saveRunStart(folder, start);
  expect(await readRunStart(folder, 'abd')).toBeUndefined();
  for (const text of ['{', '[]', '{"pictures":"abc"}']) {
    await writeFile(join(folder, 'start.json'), text);
    expect(await readRunStart(folder, 'abc')).toBeUndefined();
  }
});
