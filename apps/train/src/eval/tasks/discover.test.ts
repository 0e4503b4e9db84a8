import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeAt } from '../../../test/mask-files';
import { runTask } from '../../../test/run-task';
import { temporaryFolder, writeTinyModel } from '../../../test/tiny-model';
import { type FeatureSession, openSession } from '../../features/session';
import { task } from './discover';

let folder: string;
let session: FeatureSession;
beforeAll(async () => {
  folder = await temporaryFolder();
  session = await openSession({ weights: await writeTinyModel(folder), batchSize: 8, cache: join(folder, 'cache') });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

type Box = readonly [number, number, number, number];

/** Noise with a bright box. */
async function picture(width: number, height: number, [x0, y0, x1, y1]: Box): Promise<Buffer> {
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return x >= x0 && x < x1 && y >= y0 && y < y1 ? 220 - (i % 7) : 30 + ((i * 37) % 50);
  });
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Pictures of three sizes, none of whole patches, in turn. */
async function pictures(name: string, count: number): Promise<string> {
  const root = join(folder, name);
  const boxes: Record<string, Box[]> = {};
  for (let i = 0; i < count; i++) {
    const [width, height] = [
      [30, 21],
      [45, 30],
      [20, 50],
    ][i % 3] as [number, number];
    const box: Box = [2, 3, width - 4, height - 5];
    await writeAt(join(root, `p${i}.png`), await picture(width, height, box));
    boxes[`p${i}.png`] = [box];
  }
  await writeFile(join(root, 'boxes.json'), JSON.stringify(boxes));
  return root;
}

/** Runs the task on the open model. */
const discover = (data: string, options: Readonly<Record<string, unknown>> = {}) =>
  runTask(task, session, { data, items: join(folder, 'items.jsonl'), options });

test('one record for each method and feature, one line for each picture in it, whatever the sizes', async () => {
  const { records, items } = await discover(await pictures('sizes', 6));
  expect(records.map(({ protocol, variant }) => `${protocol}: ${variant}`)).toEqual([
    ...['tokencut', 'lost'].flatMap((method) =>
      ['keys', 'values', 'output'].map((feature) => `${method}: ${feature} of block 1`),
    ),
    'dino-seg: attention of head 1 of block 1',
  ]);
  expect(records[0]).toMatchObject({
    task: 'object-discovery',
    dataset: 'sizes',
    split: 'all',
    metric: 'CorLoc',
    evaluated: 6,
    total: 6,
    selectedOn: 'nothing',
    preprocessing: 'whole picture at its own size, ImageNet mean/std, zeros right and below to whole patches',
  });
  expect(records[0]!.hyper).toMatchObject({ tau: 0.2, eps: 1e-5, layer: 1, feature: 'key' });
  expect(records[0]!.notes!.join()).toContain('positions resampled from 4 x 4 (32 px) to the grid of each picture');
  expect(items).toHaveLength(6 * 7);
  expect(items.map(({ picture }) => picture)).toEqual(
    Array.from({ length: 42 }, (_, i) => `p${Math.floor(i / 7)}.png`),
  );
  for (const { box, picture } of items) {
    const [width, height] = [
      [30, 21],
      [45, 30],
      [20, 50],
    ][Number(/\d+/.exec(String(picture))![0]) % 3]!;
    const [x0, y0, x1, y1] = box as Box;
    expect(x0 >= 0 && y0 >= 0 && x0 < x1 && y0 < y1 && x1 <= width! && y1 <= height!, String(picture)).toBe(true);
  }
});

test('what was found comes from the cache; other settings, other pictures are computed', async () => {
  const data = await pictures('cached', 4);
  const keys = { methods: ['lost'], features: ['key'] };
  const first = await discover(data, keys);
  expect(first.said).toContain('objects in cached all: 4 pictures');
  const again = await discover(data, keys);
  expect(again.said).toBe('');
  expect(again.items).toEqual(first.items);
  expect((await discover(data, { ...keys, bias: 0.1 })).said).toContain('objects in');
  await writeFile(join(data, 'p2.png'), await picture(20, 50, [1, 1, 9, 9]));
  expect((await discover(data, keys)).said).toContain('objects in');
});

test('a picture that cannot be read is left out and told, from the cache too', async () => {
  const data = await pictures('broken', 40);
  await writeFile(join(data, 'p7.png'), 'no picture');
  for (const _ of ['computed', 'cached']) {
    const { records, items } = await discover(data, { methods: ['lost'], features: ['output'] });
    expect(records[0]).toMatchObject({ evaluated: 39, total: 40 });
    expect(records[0]!.notes).toContain('1 of 40 images of broken all could not be read and are left out: p7.png');
    expect(items).toHaveLength(39);
  }
});

test('boxes are read anew; those that cannot be of their pictures are told, and refused where they are many', async () => {
  const data = await pictures('relabelled', 12);
  const options = { methods: ['lost'], features: ['output'] };
  const label = async (labels: object) => {
    await writeFile(join(data, 'boxes.json'), JSON.stringify(labels));
    return discover(data, options);
  };
  const sides = (i: number) => [[30, 45, 20][i % 3], [21, 30, 50][i % 3]];
  const whole = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`p${i}.png`, [[0, 0, ...sides(i)]]]));
  expect((await label(whole)).records[0]!.others['box of the whole picture']).toBe(1);
  const slip = await label({ ...whole, 'p1.png': [[0, 0, 46, 30]] });
  expect(slip.said).toBe('');
  expect(slip.records[0]!.notes!.join()).toContain(
    '1 of 12 pictures of relabelled all have boxes that reach out of them, e.g. p1.png',
  );
  await expect(label({ ...whole, 'p1.png': [[0, 0, 46, 30]], 'p2.png': [[0, -1, 20, 30]] })).rejects.toThrow(
    /^2 of 12 .* the boxes belong to other pictures, or to these at another size$/,
  );
});

test('a sweep chooses on a fifth that is not reported, and shows all that was tried', async () => {
  const data = await pictures('swept', 10);
  const { records, items, section } = await discover(data, { sweep: true, methods: ['tokencut', 'lost'] });
  expect(records.map(({ protocol }) => protocol)).toEqual(['tokencut', 'lost']);
  for (const record of records) {
    expect(record).toMatchObject({ split: 'all less a fifth', evaluated: 8, total: 8, selectedOn: 'validation' });
    expect(record.notes!.join()).toContain('were chosen among 64 on 2 pictures that are held out (seed 0)');
  }
  expect(items).toHaveLength(16);
  expect(section!.tables!.map(({ rows }) => rows.length)).toEqual([3, 64]);
  await expect(discover(data, { sweep: true, layer: 0 })).rejects.toThrow(/--layer is what --sweep chooses/);
  await expect(discover(data, { size: 32 })).rejects.toThrow(/at their own size; leave out --size/);
  await expect(discover(await pictures('few', 4), { sweep: true })).rejects.toThrow(/4 pictures are too few/);
});
