import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeAt } from '../../../test/mask-files';
import { runTask } from '../../../test/run-task';
import { temporaryFolder, writeTinyModel } from '../../../test/tiny-model';
import { type FeatureSession, openSession } from '../../features/session';
import { task } from './depth';

let folder: string;
let session: FeatureSession;
let data: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  session = await openSession({ weights: await writeTinyModel(folder), batchSize: 4, cache: join(folder, 'cache') });
  data = join(folder, 'data');
  for (const [part, count] of [
    ['train', 10],
    ['test', 3],
  ] as const)
    for (let i = 0; i < count; i++) await writePair(join(data, part), i);
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const [WIDTH, HEIGHT] = [40, 32];

/** What is bright is near; the upper row has no reading. */
async function writePair(root: string, i: number): Promise<void> {
  const level = (at: number): number => (at % WIDTH < 10 + 2 * i ? 220 : 40);
  const rgb = Uint8Array.from({ length: 3 * WIDTH * HEIGHT }, (_, at) => level(Math.floor(at / 3)) + (at % 7));
  const millimetres = Uint16Array.from({ length: WIDTH * HEIGHT }, (_, at) =>
    at < WIDTH ? 0 : level(at) > 100 ? 1500 : 4000,
  );
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
  await writeAt(join(root, `rgb/${i}.png`), await sharp(rgb, { raw }).png().toBuffer());
  await writeAt(
    join(root, `depth/${i}.png`),
    Buffer.from(encode({ width: WIDTH, height: HEIGHT, channels: 1, depth: 16, data: millimetres })),
  );
}

const depth = (options: Readonly<Record<string, unknown>>, of: string = data) =>
  runTask(task, session, {
    data: of,
    items: join(folder, 'items.jsonl'),
    options,
  });

test('ridge gives two records, a line for each picture, and pictures', async () => {
  const { records, section, items } = await depth({ probe: 'ridge' });
  expect(records.map(({ variant, metric, evaluated, total }) => [variant, metric, evaluated, total])).toEqual([
    ['32 px', 'SI-RMSE', 3, 3],
    ['32 px, plain', 'RMSE', 3, 3],
  ]);
  expect(records[1]!.value).toBeLessThan(1.3);
  expect(records[0]!.hyper).toMatchObject({ crop: 'square', input: '32 x 32', depthSize: '32 x 32', trainImages: 10 });
  expect(items.map(({ picture }) => picture)).toEqual(['0.png', '1.png', '2.png']);
  expect(items.reduce((sum, { rmse }) => sum + (rmse as number), 0) / 3).toBeCloseTo(records[1]!.value, 6);
  expect(section?.charts?.[0]?.figure.svg).toContain('predicted');
  expect(section?.tables?.[0]?.rows).toHaveLength(3);
  expect(section?.tables?.[0]?.caption).toContain('; RMSE of the mean depth at 32 px: ');
  // one distance for every pixel is worse
  expect(records[1]!.others['RMSE of the mean depth']).toBeGreaterThan(records[1]!.value);
});

test('an interrupted training goes on to the same bits; views may be drawn anew', async () => {
  const options = { probe: 'linear', epochs: 2, trainBatch: 4 };
  const whole = await depth({ ...options, augment: false });
  expect(whole.records[0]!.protocol).toBe('probe3d');
  const [costs] = whole.section!.tables!.slice(-1);
  expect(costs!.rows.map(([size, steps]) => [size, steps])).toEqual([['32 px', 6]]);
  const drawn = await depth({ ...options, epochs: 1 });
  expect(drawn.records[0]!.value).not.toBe(whole.records[0]!.value);
  expect(drawn.records[0]!.notes).toContain('views are drawn anew for each epoch, and their features computed');
  const probes = join(folder, 'cache', 'progress');
  expect(await readdir(probes)).toEqual([]);
  // as Ctrl-C in the second epoch: what the first left behind is there
  const stopping = failAfter(session.shards, 1);
  const spy = vi.spyOn(session, 'shards').mockImplementation(stopping);
  await expect(depth({ ...options, augment: false })).rejects.toThrow('stopped');
  spy.mockRestore();
  expect(await readdir(probes)).toHaveLength(1);
  // other readings are another training
  const scaled = await depth({ ...options, augment: false, depthScale: 500 });
  expect(scaled.said).not.toContain('goes on');
  const resumed = await depth({ ...options, augment: false });
  expect(resumed.said).toContain('goes on from where it was interrupted');
  expect(resumed.records[0]!.value).toBe(whole.records[0]!.value);
});

/** The first look computes features, then each epoch looks once. */
function failAfter(shards: FeatureSession['shards'], epochs: number): FeatureSession['shards'] {
  let looks = 0;
  return (...asked) => {
    if (++looks > 1 + epochs) throw new Error('stopped');
    return shards(...asked);
  };
}

test('damaged depth is left out and told; nothing to learn from, or options without effect, are refused', async () => {
  const damaged = join(folder, 'damaged');
  for (let i = 0; i < 10; i++) await writePair(join(damaged, 'train'), i);
  for (let i = 0; i < 3; i++) await writePair(join(damaged, 'test'), i);
  await writeFile(join(damaged, 'train/depth/4.png'), 'nothing');
  await writeFile(join(damaged, 'test/depth/1.png'), 'nothing');
  const { records, items } = await depth({ probe: 'linear', epochs: 1, trainBatch: 4, augment: false }, damaged);
  expect([records[0]!.evaluated, records[0]!.total, items.length]).toEqual([2, 3, 2]);
  const notes = records[0]!.notes!.join('\n');
  expect(notes).toMatch(/1 of 3 images of damaged test could not be read/);
  expect(notes).toMatch(/1 of 10 images of damaged train could not be read/);
  await rm(join(damaged, 'train'), { recursive: true });
  await expect(depth({ probe: 'ridge' }, damaged)).rejects.toThrow(
    /nothing to learn from; name such data by --train-data/,
  );
  const learnt = await depth({ probe: 'ridge', trainData: data }, damaged);
  expect(learnt.records[0]!.hyper).toMatchObject({ trainSet: 'data train', trainImages: 10 });
  await expect(depth({ probe: 'ridge', augment: true })).rejects.toThrow(/says nothing about --probe ridge/);
  await expect(depth({ probe: 'dpt', protocol: 'dinov3' })).rejects.toThrow(/dinov3 has no probe dpt/);
});

test('a view of no whole patches has zeros around it, which the record says, or is resized', async () => {
  const padded = await depth({ probe: 'ridge', sizes: [28] });
  expect(padded.records[0]!.preprocessing).toContain('28 x 28 bicubic, ImageNet mean/std, zeros around to 32 x 32');
  expect(padded.records[0]!.quirks).toBe(true);
  const resized = await depth({ probe: 'ridge', sizes: [26], quirks: false, crop: 'none' });
  expect(resized.records[0]!.hyper).toMatchObject({ input: '24 x 32', depthSize: '32 x 40' });
  expect(resized.records[0]!.quirks).toBe(false);
});
