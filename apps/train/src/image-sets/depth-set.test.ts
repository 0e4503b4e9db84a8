/** Layouts of pictures with depth, by tiny trees written here. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDepthSet } from './depth-layouts';
import { nyuSplit } from './nyu-split';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'franca-depth-'));
});
afterAll(() => rm(root, { recursive: true }));

const rgb = (width: number, height: number, value = 128): Uint8Array =>
  encode({ width, height, channels: 3, depth: 8, data: new Uint8Array(3 * width * height).fill(value) });
const depth = (width: number, height: number, values: readonly number[]): Uint8Array =>
  encode({
    width,
    height,
    channels: 1,
    depth: 16,
    data: Uint16Array.from({ length: width * height }, (_, i) => values[i % values.length]!),
  });

async function tree(name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = join(root, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

describe('lists of pairs', () => {
  const pairs = {
    'rgb/1.png': rgb(4, 2),
    'depth/1.png': depth(4, 2, [0, 1500, 65535]),
    'rgb/2.png': rgb(4, 2),
    'depth/2.png': depth(4, 2, [2000]),
  };

  test('name picture and depth, which is read in metres', async () => {
    const folder = await tree('lists', {
      ...pairs,
      'train.txt': 'rgb/2.png depth/2.png\n',
      'test.txt': 'rgb/1.png depth/1.png\n',
    });
    await using set = await openDepthSet(folder);
    expect([set.train!.length, set.train!.split, set.test.split, set.test.key(0)]).toEqual([
      1,
      'train',
      'test',
      'rgb/1.png',
    ]);
    const map = await set.test.depth(0);
    expect([map.width, map.height]).toEqual([4, 2]);
    expect(Array.from(map.data.subarray(0, 3))).toEqual([0, 1.5, Math.fround(65.535)]);
    expect((await set.test.read(0)).width).toBe(4);
    await using fine = await openDepthSet(folder, { depthScale: 500 });
    expect((await fine.test.depth(0)).data[1]).toBe(3);
  });

  test('of BTS and DINOv3 have a slash, a focal length and folders of their own', async () => {
    const folder = await tree('bts', {
      'sync/den/rgb_1.png': rgb(4, 2),
      'sync/den/sync_depth_1.png': depth(4, 2, [1000]),
      'official_splits/test/den/rgb_2.png': rgb(4, 2),
      'official_splits/test/den/sync_depth_2.png': depth(4, 2, [3000]),
      'nyu_train.txt': '/den/rgb_1.png /den/sync_depth_1.png 518.8579\n',
      'nyu_test.txt': '/den/rgb_2.png /den/sync_depth_2.png 518.8579\n',
    });
    await using set = await openDepthSet(folder);
    expect((await set.train!.depth(0)).data[0]).toBe(1);
    expect((await set.test.depth(0)).data[0]).toBe(3);
  });

  test('may miss a tenth, which is told; a path never leads out of the tree', async () => {
    const lines = Array.from({ length: 10 }, () => 'rgb/1.png depth/1.png');
    const folder = await tree('missing', {
      ...pairs,
      'test.txt': [...lines, '../lists/rgb/2.png ../lists/depth/2.png'].join('\n'),
    });
    await using set = await openDepthSet(folder);
    expect([set.test.length, set.test.total, set.train]).toEqual([10, 11, undefined]);
    expect(set.test.notes.join()).toMatch(/1 of 11 pairs of test are left out/);
    await writeFile(join(folder, 'test.txt'), 'rgb/1.png depth/1.png\nrgb/3.png depth/3.png\n');
    await expect(openDepthSet(folder)).rejects.toThrow(/1 of 2 pairs .* are not there: rgb\/3.png \(no rgb\/3.png\)/);
    await writeFile(join(folder, 'test.txt'), 'rgb/1.png\n');
    await expect(openDepthSet(folder)).rejects.toThrow(/names no depth/);
    await writeFile(join(folder, 'nyu_test.txt'), 'rgb/1.png depth/1.png\n');
    await expect(openDepthSet(folder)).rejects.toThrow(/several lists of test/);
  });
});

describe('folders of pairs', () => {
  const some = (part: string, count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        [`${part}rgb/${i}.png`, rgb(4, 2)],
        [`${part}depth/${i}.png`, depth(4, 2, [1000 * (i + 1)])],
      ]).flat() as [string, Uint8Array][],
    );

  test('with parts are taken as they are', async () => {
    const folder = await tree('parts', { ...some('train/', 3), ...some('test/', 2) });
    await using set = await openDepthSet(folder, { limits: { train: 2 } });
    expect([set.train!.length, set.test.length]).toEqual([2, 2]);
    expect((await set.test.depth(1)).data[0]).toBe(2);
    await expect(openDepthSet(folder, { split: 'held-out' })).rejects.toThrow(/has no part held-out/);
  });

  test('without parts are refused but for a held-out tenth, the same each time', async () => {
    const folder = await tree('heap', some('', 20));
    await expect(openDepthSet(folder)).rejects.toThrow(/--split held-out/);
    await using set = await openDepthSet(folder, { split: 'held-out' });
    await using again = await openDepthSet(folder, { split: 'held-out' });
    expect([set.train!.length, set.test.length]).toEqual([18, 2]);
    expect(set.test.key(0)).toBe(again.test.key(0));
    await using foreign = await openDepthSet(await tree('parts2', { ...some('test/', 2) }), { trainData: folder });
    expect([foreign.train!.length, foreign.train!.dataset]).toEqual([20, 'heap']);
  });
});

test('depth that is damaged, coloured or of a forged size is named', async () => {
  const forged = Buffer.from(depth(4, 2, [1]));
  forged.writeUInt32BE(2 ** 30, 16);
  const folder = await tree('damaged', {
    'test/rgb/0.png': rgb(4, 2),
    'test/depth/0.png': Uint8Array.from(forged),
    'test/rgb/1.png': rgb(4, 2),
    'test/depth/1.png': rgb(4, 2),
    'test/rgb/2.png': rgb(4, 2),
    'test/depth/2.png': depth(4, 2, [1]).subarray(0, 60),
  });
  await using set = await openDepthSet(folder);
  await expect(set.test.depth(0)).rejects.toMatchObject({ code: 'image-too-large' });
  await expect(set.test.depth(1)).rejects.toThrow(/depth is a gray PNG of 16 bits/);
  await expect(set.test.depth(2)).rejects.toMatchObject({ code: 'corrupt-image' });
});

test('the standard split has 795 frames to learn from and 654 to test on, none in both', () => {
  const [train, test] = [nyuSplit('train'), nyuSplit('test')];
  expect([train.length, test.length, new Set([...train, ...test]).size]).toEqual([795, 654, 1449]);
  expect(test.slice(0, 6)).toEqual([0, 1, 8, 13, 14, 15]);
  expect([test.at(-1), train[0], train.at(-1)]).toEqual([1448, 2, 1439]);
});
