/** NYU's own file and GeoNet's frames, small ones of the real layout that are written here. */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import hdf5 from 'h5wasm/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDepthSet } from './depth-layouts';
import { openHdf5 } from './hdf5-file';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'franca-mat-'));
});
afterAll(() => rm(root, { recursive: true }));

const [FRAMES, WIDTH, HEIGHT] = [5, 6, 4];
const pixel = (frame: number, c: number, x: number, y: number): number => 40 * frame + 13 * c + 5 * x + y;
const metres = (frame: number, x: number, y: number): number => (x === 0 ? 0 : frame + x / 8 + y / 64);

/** As MATLAB writes it: 512 bytes before the HDF5 file, sizes in reverse, compressed in chunks. */
async function writeNyu(path: string, depthName = 'rawDepths'): Promise<void> {
  await hdf5.ready;
  const file = new hdf5.File(path, 'w');
  const order = <T>(sizes: readonly number[], of: (...at: number[]) => T): T[] => {
    const count = sizes.reduce((product, size) => product * size, 1);
    return Array.from({ length: count }, (_, i) => {
      let rest = i;
      const at = sizes.map((_size, d) => {
        const stride = sizes.slice(d + 1).reduce((product, size) => product * size, 1);
        const index = Math.floor(rest / stride);
        rest -= index * stride;
        return index;
      });
      return of(...at);
    });
  };
  const images = [FRAMES, 3, WIDTH, HEIGHT];
  file.create_dataset({
    name: 'images',
    data: Uint8Array.from(order(images, (f, c, x, y) => pixel(f!, c!, x!, y!))),
    shape: images,
    chunks: [1, 3, WIDTH, HEIGHT],
    compression: 3,
  });
  const depths = [FRAMES, WIDTH, HEIGHT];
  file.create_dataset({
    name: depthName,
    data: Float32Array.from(order(depths, (f, x, y) => metres(f!, x!, y!))),
    shape: depths,
  });
  file.close();
  const before = Buffer.alloc(512);
  before.write('MATLAB 7.3 MAT-file, Platform: GLNXA64');
  await writeFile(path, Buffer.concat([before, await readFile(path)]));
}

/** A MATLAB file of version 5 with matrices of doubles, compressed as MATLAB does. */
function matFile(
  variables: Readonly<Record<string, { readonly sizes: readonly number[]; readonly values: readonly number[] }>>,
): Uint8Array {
  const header = Buffer.alloc(128);
  header.write('MATLAB 5.0 MAT-file');
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126, 'latin1');
  const element = (type: number, data: Buffer): Buffer => {
    const tag = Buffer.alloc(8);
    tag.writeUInt32LE(type, 0);
    tag.writeUInt32LE(data.length, 4);
    return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
  };
  const words = (values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  const packed = Object.entries(variables).map(([name, { sizes, values }]) => {
    const matrix = element(
      14,
      Buffer.concat([
        element(6, words([6, 0])),
        element(5, words(sizes)),
        element(1, Buffer.from(name, 'latin1')),
        element(9, Buffer.from(Float64Array.from(values).buffer)),
      ]),
    );
    const data = deflateSync(matrix);
    const tag = Buffer.alloc(8);
    tag.writeUInt32LE(15, 0);
    tag.writeUInt32LE(data.length, 4);
    return Buffer.concat([tag, data]);
  });
  return Buffer.concat([header, ...packed]);
}

const list = (...values: number[]) => ({ sizes: [values.length, 1], values });

describe("NYU's file", () => {
  let path: string;
  beforeAll(async () => {
    path = join(root, 'nyu_depth_v2_labeled.mat');
    await writeNyu(path);
    await writeFile(join(root, 'splits.mat'), matFile({ trainNdxs: list(4, 1), testNdxs: list(5, 2) }));
  });

  test('is read frame by frame, columns first, and split as the lists beside it say', async () => {
    await using set = await openDepthSet(root);
    expect([set.train!.key(0), set.train!.key(1), set.test.key(0), set.test.key(1)]).toEqual([
      '00000',
      '00003',
      '00001',
      '00004',
    ]);
    const picture = await set.test.read(1);
    expect([picture.width, picture.height]).toEqual([WIDTH, HEIGHT]);
    const map = await set.test.depth(1);
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        for (let c = 0; c < 3; c++) expect(picture.data[(y * WIDTH + x) * 3 + c]).toBe(pixel(4, c, x, y));
        expect(map.data[y * WIDTH + x]).toBe(metres(4, x, y));
      }
    expect(set.test.dataset).toBe('nyuv2');
  });

  test('is opened by its own path, and refuses what says nothing about it', async () => {
    await using set = await openDepthSet(path, { limits: { test: 1 } });
    expect(set.test.length).toBe(1);
    await expect(openDepthSet(path, { depthScale: 1000 })).rejects.toThrow(/--depth-scale says nothing/);
    await expect(openDepthSet(path, { split: 'held-out' })).rejects.toThrow(/has parts of its own/);
  });

  test('of another number of frames needs lists, which name frames that there are, each once', async () => {
    const splits = join(root, 'splits.mat');
    await writeFile(splits, matFile({ trainNdxs: list(1), testNdxs: list(6) }));
    await expect(openDepthSet(root)).rejects.toThrow(/names frame 6 in testNdxs; they are 1 to 5/);
    await writeFile(splits, matFile({ trainNdxs: list(1, 2), testNdxs: list(2) }));
    await expect(openDepthSet(root)).rejects.toThrow(/frame 2 in both parts/);
    await rm(splits);
    await expect(openDepthSet(root)).rejects.toThrow(/has 5 frames, the published set 1449/);
  });

  test('that is damaged or no such file is refused', async () => {
    const broken = join(root, 'broken.mat');
    await writeFile(broken, 'MATLAB 7.3 and nothing else');
    await expect(openDepthSet(broken)).rejects.toThrow(/is no HDF5 file/);
    await expect(openDepthSet(join(root, 'none.mat'))).rejects.toThrow(/there is no file/);
    await writeFile(broken, await readFile(path));
    await truncate(broken, 1500);
    await expect(openDepthSet(broken)).rejects.toThrow(/broken.mat/);
    await writeNyu(broken, 'other');
    await expect(openDepthSet(broken)).rejects.toThrow(/has no rawDepths/);
  });
});

test('a damaged piece of the file is named where it is read, never taken for pixels', async () => {
  const [clean, broken] = [join(root, 'clean.h5'), join(root, 'piece.h5')];
  await writeNyu(clean);
  const bytes = await readFile(clean);
  const file = await openHdf5(clean);
  const pixels = Array.from(file.array('images')!.read(2)).join();
  file[Symbol.dispose]();
  const found = new Set<string>();
  for (let at = Math.floor(bytes.length / 4); at < bytes.length - 8; at += 24) {
    await writeFile(broken, Buffer.from(bytes).fill(0x55, at, at + 8));
    found.add(await readBroken(broken, pixels));
  }
  expect([...found]).toContain('corrupt-image');
  expect([...found]).not.toContain('other pixels');
});

async function readBroken(path: string, pixels: string): Promise<string> {
  try {
    const file = await openHdf5(path);
    try {
      const images = file.array('images');
      return !images || Array.from(images.read(2)).join() === pixels ? 'as it was' : 'other pixels';
    } finally {
      file[Symbol.dispose]();
    }
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("GeoNet's frames are learnt from: colours with twice their mean again, the last row and column left out", async () => {
  const folder = join(root, 'geonet');
  const { mkdir } = await import('node:fs/promises');
  await mkdir(folder);
  const [rows, columns] = [3, 2];
  const img = Array.from({ length: rows * columns * 3 }, (_, i) => i - 200);
  await writeFile(
    join(folder, 'den_0001_1-1.mat'),
    matFile({
      img: { sizes: [rows, columns, 3], values: img },
      depth: { sizes: [rows, columns], values: [1, 2, 3, 4, 5, Number.NaN] },
    }),
  );
  await writeFile(join(folder, 'den_0001_1-2.mat'), 'nothing');
  await writeNyu(join(root, 'nyu_depth_v2_labeled.mat'));
  await writeFile(join(root, 'splits.mat'), matFile({ trainNdxs: list(1), testNdxs: list(5, 2) }));
  await using set = await openDepthSet(join(root, 'nyu_depth_v2_labeled.mat'), { trainData: folder });
  expect(set.train!.length).toBe(2);
  const { data } = await set.train!.read(0);
  // pixel (1, 0): the second of a column, so 1, 7 and 13 of the three channels
  expect(Array.from(data.subarray(columns * 3, columns * 3 + 3))).toEqual(
    [1 - 200 + 244.35, 7 - 200 + 232.338, 13 - 200 + 207.016].map(Math.trunc),
  );
  expect(Array.from((await set.train!.depth(0)).data)).toEqual([1, 4, 2, 5, 3, 0]);
  await expect(set.train!.read(1)).rejects.toMatchObject({ code: 'corrupt-image' });
});
