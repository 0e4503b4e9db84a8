import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FeatureCacheOptions, openFeatureCache } from './feature-cache';
import type { FeatureArrays } from './feature-file';
import type { FeatureKey } from './feature-key';
import { fingerprintFiles, hashFile } from './fingerprint';
import { cacheRoom } from './make-room';
import { listFeatures, removeFeatures } from './series';

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
const never = async (): Promise<never> => {
  throw new Error('computed again');
};

test('what is stored comes back bit for bit, and nothing is computed again', async () => {
  const cache = openFeatureCache(join(folder, 'round-trip', 'nested'));
  expect(await cache.size(key)).toBeUndefined();
  const first = await cache.readOrCompute(key, async () => arrays);
  expect(first).toEqual({ arrays, cached: false });
  expect(await cache.readOrCompute(key, never)).toEqual({ arrays, cached: true });
  expect(await cache.size(key)).toBeGreaterThan(0);
});

test('rows are read alone', async () => {
  const cache = openFeatureCache(join(folder, 'rows'));
  await cache.write(key, arrays);
  await using file = (await cache.open(key))!;
  expect(file.shapes.get('cls')).toEqual([2, 3]);
  expect(await file.read('cls', 1, 2)).toEqual(Float32Array.of(3.5, Number.MAX_VALUE, 7));
  expect(await file.read('masks', 1)).toEqual(Uint8Array.of(1, 2));
});

test.each([
  ...(['weights', 'preprocessing', 'data', 'outputs', 'code', 'set'] as const).map((part) => ({ [part]: 'other' })),
  { floats: 'f16' } as const,
  { items: [0, 2] },
])('with %j they are other features', async (change) => {
  const cache = openFeatureCache(join(folder, 'keys'));
  await cache.write(key, arrays);
  expect(await cache.read({ ...key, ...change })).toBeUndefined();
  expect(await cache.read({ ...key, about: { model: 'a', data: 'b' } })).toEqual(arrays);
});

test('a damaged file is reported, counts as absent and is replaced', async () => {
  const damaged: string[] = [];
  const cache = openFeatureCache(join(folder, 'damaged'), { onDamaged: (_, reason) => damaged.push(reason) });
  const path = await cache.write(key, arrays);
  await truncate(path, 150);
  expect(await cache.read(key)).toBeUndefined();
  expect(await cache.size(key)).toBeUndefined();
  await writeFile(path, 'no features at all');
  expect((await cache.readOrCompute(key, async () => arrays)).cached).toBe(false);
  expect(damaged.length).toBe(2);
  expect(await cache.read(key)).toEqual(arrays);
  await cache.close();
  expect((await readdir(dirname(path))).length).toBe(1);
});

test('a file that was renamed to another key is not taken for its features', async () => {
  const cache = openFeatureCache(join(folder, 'renamed'));
  const other = { ...key, weights: 'other' };
  await writeFile(await cache.write(other, arrays), await readFile(await cache.write(key, arrays)));
  expect(await cache.read(other)).toBeUndefined();
});

test('with f16 floats are rounded and the rest is kept; what 16 bits cannot hold is refused', async () => {
  const cache = openFeatureCache(join(folder, 'halves'));
  const halves = { ...key, floats: 'f16' } as const;
  const large = { shape: [2], data: Float32Array.of(1, 65520) };
  await expect(cache.write(halves, { cls: large })).rejects.toThrow(
    /65520 in cls cannot be kept as f16, whose largest number is 65504; keep these features as f32/,
  );
  const values = Float32Array.of(1 / 3, -65504, 5e-8);
  const { arrays: kept } = await cache.readOrCompute(halves, async () => ({
    ...arrays,
    cls: { shape: [1, 3], data: values },
  }));
  expect(kept.cls!.data).toEqual(Float32Array.of(1365 / 4096, -65504, 2 ** -24));
  expect(kept.masks).toEqual(arrays.masks);
  await using file = (await cache.open(halves))!;
  expect(await file.read('cls', 0, 1)).toEqual(kept.cls!.data);
});

test('what is claimed is computed once, and the others wait for it', async () => {
  const caches = [1, 2, 3].map(() => openFeatureCache(join(folder, 'claims')));
  let computed = 0;
  const results = await Promise.all(
    caches.map((cache) =>
      cache.readOrCompute(key, async () => {
        computed++;
        await setTimeout(50);
        return arrays;
      }),
    ),
  );
  expect(computed).toBe(1);
  expect(results.map(({ cached }) => cached).sort()).toEqual([false, true, true]);
  for (const result of results) expect(result.arrays).toEqual(arrays);
  // one that fails leaves the right to the next
  const other = { ...key, data: 'other' };
  await expect(caches[0]!.readOrCompute(other, never)).rejects.toThrow('computed again');
  expect((await caches[1]!.readOrCompute(other, async () => arrays)).cached).toBe(false);
});

test('claims of processes that are gone are taken over, and what they left is cleared away', async () => {
  const cache = openFeatureCache(join(folder, 'gone'));
  const path = await cache.write(key, arrays);
  await cache.close();
  const [claim, draft] = [`${path}.claim`, join(dirname(path), `.${path.slice(-64 - 12)}.tmp-1-0a0b0c0d`)];
  const mark = (owner: object) => writeFile(claim, JSON.stringify(owner));
  await mark({ host: hostname(), pid: process.ppid, token: 'lives' });
  expect(await cache.claim(key)).toBeUndefined();
  // of another machine it is only known that it was not touched for long
  await mark({ host: 'elsewhere', pid: 1, token: 'x' });
  expect(await cache.claim(key)).toBeUndefined();
  await utimes(claim, 1, 1);
  await writeFile(draft, 'half of a file');
  await (await cache.claim(key))!.release();
  await mark({ host: hostname(), pid: 2 ** 22 + 5, token: 'gone' });
  await (await cache.claim(key))!.release();
  await cache.close();
  expect((await readdir(dirname(path))).filter((name) => name.startsWith('.'))).toEqual([]);
  expect(await readdir(dirname(path))).toEqual([path.slice(-64 - 12)]);
});

/** A cache with series of 4 KB each, the first used longest ago, and a foreign file beside. */
async function filled(name: string, options: FeatureCacheOptions, count = 3) {
  const cache = openFeatureCache(join(folder, name), options);
  const values = { values: { shape: [1000], data: new Float32Array(1000) } };
  const keys = Array.from({ length: count }, (_, i) => ({ ...key, weights: `model ${i}`, items: [0, 10] }));
  for (const [i, each] of keys.entries()) {
    const path = await cache.write({ ...each, about: { model: `model ${i}`, data: 'some train', items: 10 } }, values);
    if (i === 0) await writeFile(join(dirname(path), 'notes.txt'), 'mine');
  }
  await cache.close();
  for (const [i, { id }] of (await listFeatures(cache.folder)).entries())
    await utimes(join(cache.folder, id), 1000 + i, 1000 + i);
  return { cache, keys };
}
const ordered = async (path: string): Promise<string[]> =>
  (await listFeatures(path)).map(({ names }) => names?.model ?? 'none');

test('what there is is told: names, items, bytes', async () => {
  const { cache, keys } = await filled('listed', {}, 1);
  // a later state of some of the same items, and more of them
  const { values } = (await cache.read(keys[0]!))!;
  await cache.write({ ...keys[0]!, data: 'repaired', items: [5, 10] }, { values: values! });
  await cache.write({ ...keys[0]!, items: [10, 12] }, { values: values! });
  await writeFile(join(cache.folder, `${'a'.repeat(64)}.safetensors`), 'of a version before there were series');
  const [old, series] = (await listFeatures(cache.folder)).sort((a, b) => a.bytes - b.bytes);
  expect(old).toMatchObject({ id: 'old', bytes: 37, items: 0 });
  expect(series).toMatchObject({
    items: 12,
    inUse: true,
    names: { model: 'model 0', data: 'some train', items: 10 },
    key: { outputs: 'cls', weights: 'model 0' },
  });
  expect(series!.bytes).toBeGreaterThan(12_000);
  await cache.close();
  expect((await listFeatures(cache.folder)).every(({ inUse }) => !inUse)).toBe(true);
});

test('only features are removed', async () => {
  const { cache } = await filled('removed', {}, 1);
  const id = (await listFeatures(cache.folder))[0]!.id;
  expect(await removeFeatures(cache.folder, id)).toBeGreaterThan(4000);
  expect(await readdir(join(cache.folder, id))).toEqual(['notes.txt']);
  await expect(removeFeatures(cache.folder, '..')).rejects.toThrow(/\.\. names no series/);
  await writeFile(join(cache.folder, `${'a'.repeat(64)}.safetensors`), 'old');
  await mkdir(join(cache.folder, 'b'.repeat(31)));
  expect(await removeFeatures(cache.folder, 'old')).toBe(3);
  expect((await readdir(cache.folder)).sort()).toEqual([id, 'b'.repeat(31)].sort());
});

test('what was not used for the longest time makes room, and never what is in use', async () => {
  const removed: string[] = [];
  const { cache, keys } = await filled('bounded', {
    limit: 14_500,
    onRemoved: ({ names }) => removed.push(names!.model!),
  });
  const before = await ordered(cache.folder);
  const busy = openFeatureCache(cache.folder);
  const used = keys.find(({ weights }) => weights === before[0])!;
  expect(await busy.read(used)).toBeDefined();
  const coming = { ...key, weights: 'new' };
  await cache.reserve('new train', [{ key: coming, bytes: 4000 }]);
  expect(removed).toEqual([before[1]]);
  expect((await listFeatures(cache.folder)).map(({ names }) => names?.model).sort()).toEqual(
    [before[0], before[2], undefined].sort(),
  );
  await expect(cache.reserve('more', [{ key: { ...key, weights: 'more' }, bytes: 7000 }])).rejects.toThrow(
    /features of more take 0.000007 GB: of the 0.0000145 GB that the cache in .* may take, running processes use too much/,
  );
  expect(removed.length, 'nothing goes for what has no room in the end').toBe(1);
  await expect(cache.reserve('huge', [{ key: { ...key, weights: 'huge' }, bytes: 1e6 }])).rejects.toMatchObject({
    code: 'space',
    message: expect.stringMatching(/features of huge take 0.001 GB: the cache in .* may take 0.0000145 GB/),
  });
  // a process that was told that there is room counts with all that it will write
  await busy.close();
  const other = openFeatureCache(cache.folder, { limit: 14_500 });
  await expect(other.reserve('late', [{ key: { ...key, weights: 'late' }, bytes: 11_000 }])).rejects.toThrow(
    /running processes use too much/,
  );
});

test('what no disk has room for is refused, and nobody has to choose a bound', async () => {
  const { cache } = await filled('disk', { limit: 1e18 }, 1);
  await expect(cache.reserve('all', [{ key: { ...key, weights: 'all' }, bytes: 9e17 }])).rejects.toThrow(
    /take 900000000 GB: 900000000 GB are missing, and the disk of .* has .* GB free/,
  );
  expect((await listFeatures(cache.folder)).length).toBe(2);
  const { bound, held, free } = await cacheRoom(join(cache.folder, 'not yet', 'there'));
  expect([held, bound]).toEqual([0, free / 2]);
  expect(bound).toBeGreaterThan(0);
  await expect(
    openFeatureCache(cache.folder).reserve('half', [{ key: { ...key, weights: 'half' }, bytes: 3 * bound }]),
  ).rejects.toThrow(/may take .* GB, half of what its disk has for it/);
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
  expect((await stat(join(folder, 'a.bin'))).size).toBe(4);
});
