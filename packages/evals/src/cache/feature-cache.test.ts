import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FeatureArrays, type FeatureKey, openFeatureCache } from './feature-cache';
import { fingerprintFiles, hashFile } from './fingerprint';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-features-'));
});
afterAll(() => rm(folder, { recursive: true }));

const key: FeatureKey = { weights: 'w', preprocessing: 'crop', data: 'd', outputs: 'cls', code: '1' };
const arrays: FeatureArrays = {
  cls: { shape: [2, 3], data: Float32Array.of(1, -0, 2 ** -140, 3.5, Number.MAX_VALUE, 7) },
  labels: { shape: [2], data: Int32Array.of(-1, 5) },
  masks: { shape: [2, 1, 2], data: Uint8Array.of(0, 255, 1, 2) },
};

test('what is stored comes back bit for bit, and nothing is computed again', async () => {
  const cache = openFeatureCache(join(folder, 'round-trip', 'nested'));
  const first = await cache.readOrCompute(key, async () => arrays);
  expect(first.cached).toBe(false);
  const again = await cache.readOrCompute(key, async () => {
    throw new Error('computed again');
  });
  expect(again).toEqual({ arrays, cached: true });
});

test.each(['weights', 'preprocessing', 'data', 'outputs', 'code'] as const)(
  'other %s are other features',
  async (part) => {
    const cache = openFeatureCache(join(folder, 'keys'));
    await cache.write(key, arrays);
    expect(await cache.read({ ...key, [part]: 'other' })).toBeUndefined();
  },
);

test('a damaged file is reported, counts as absent and is replaced', async () => {
  const damaged: string[] = [];
  const cache = openFeatureCache(join(folder, 'damaged'), { onDamaged: (_, reason) => damaged.push(reason) });
  const path = await cache.write(key, arrays);
  await truncate(path, 150);
  expect(await cache.read(key)).toBeUndefined();
  await writeFile(path, 'no features at all');
  expect((await cache.readOrCompute(key, async () => arrays)).cached).toBe(false);
  expect(damaged.length).toBe(2);
  expect(await cache.read(key)).toEqual(arrays);
  expect((await readdir(join(folder, 'damaged'))).length).toBe(1);
});

test('a file that was renamed to another key is not taken for its features', async () => {
  const cache = openFeatureCache(join(folder, 'renamed'));
  const other = { ...key, weights: 'other' };
  await writeFile(await cache.write(other, arrays), await readFile(await cache.write(key, arrays)));
  expect(await cache.read(other)).toBeUndefined();
});

test('weights are identified by content, images by name, size and time of change', async () => {
  const names = ['a.bin', 'b.bin'];
  for (const name of names) await writeFile(join(folder, name), 'same');
  await utimes(join(folder, 'a.bin'), 1, 1);
  await utimes(join(folder, 'b.bin'), 1, 1);
  expect(await hashFile(join(folder, 'a.bin'))).toBe(await hashFile(join(folder, 'b.bin')));
  expect(await hashFile(join(folder, 'a.bin'))).toBe(
    '0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5',
  );
  const before = await fingerprintFiles(folder, names);
  expect(await fingerprintFiles(folder, names)).toBe(before);
  expect(await fingerprintFiles(folder, ['a.bin'])).not.toBe(before);
  await utimes(join(folder, 'b.bin'), 1, 2);
  expect(await fingerprintFiles(folder, names)).not.toBe(before);
  const later = await fingerprintFiles(folder, names);
  await setTimeout(20);
  await writeFile(join(folder, 'b.bin'), 'SAME');
  await utimes(join(folder, 'b.bin'), 1, 2);
  expect(await fingerprintFiles(folder, names), 'a time that was set back').not.toBe(later);
});
