/** Calls as plain JavaScript can make them: each is named by this package's own error, none runs on in silence, breaks inside or never ends. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as data from './index';
import * as pixels from './pixels';

type AnyCall = (...args: readonly unknown[]) => unknown;
const { DataError } = data;
const functions: ReadonlyMap<string, AnyCall> = new Map(
  Object.entries({ ...data, ...pixels }).flatMap(([name, value]) =>
    typeof value === 'function' && value !== DataError ? [[name, value as AnyCall]] : [],
  ),
);

/** The result; of a generator the first item. */
async function call(name: unknown, ...args: readonly unknown[]): Promise<unknown> {
  const result = await functions.get(String(name))!(...args);
  const isGenerator = typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
  return isGenerator ? (result as AsyncGenerator<unknown>).next() : result;
}

const picture: data.PixelImage = { width: 4, height: 4, channels: 3, data: new Uint8Array(48) };
const images = ['a', 'b', 'c'].map((key) => ({ key, content: { pixels: picture }, label: 0 }));
const source = data.memorySource('three', images, ['x']);
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'franca-wrong-calls-'));
  await writeFile(path.join(folder, 'file'), 'text');
  await mkdir(path.join(folder, 'folder'));
});
afterAll(() => rm(folder, { recursive: true }));

/** These take no argument, or any. */
const FINE = new Set([
  'defaultCacheDir',
  'isImageError',
  'generatedWorld',
  'generatedScenes',
  'generatedVideos',
  'fileVersion a,b,c',
  'hasImageExtension a,b,c',
  'recogniseBenchmark a,b,c',
]);

/** A download, and what fails as the standard says that `fetch` does. */
const OTHERWISE = new Set(['fetchFlowers', 'proxiedFetch']);

test.each([...functions.keys()].filter((name) => !FINE.has(name) && !OTHERWISE.has(name)))(
  '%s: arguments of another kind',
  async (name) => {
    for (const args of [[], [undefined], [null], [5], [{}], ['a', 'b', 'c'], [{}, {}, {}]]) {
      if (FINE.has(`${name} ${args}`)) continue;
      await expect(call(name, ...args), `${name}(${args})`).rejects.toBeInstanceOf(DataError);
    }
  },
);

const once = { batchSize: 1, seed: 0 };
test.each<[RegExp, ...unknown[]]>([
  [/^openSource: split is "TRAIN"; it must be one of train, val, test/, 'openSource', 'world', { split: 'TRAIN' }],
  [/^openSource: there is no option "cache_dir", it is called cacheDir/, 'openSource', 'world', { cache_dir: 'x' }],
  [/^openSource: options are "val"; give an object/, 'openSource', 'world', 'val'],
  [
    /^openSource: parquet: there is no option "image_column"/,
    'openSource',
    'world',
    { parquet: { image_column: 'x' } },
  ],
  [/^openSource: http: there is no option "retry"/, 'openSource', 'world', { http: { retry: 1 } }],
  [/^openSplits: there is no option "holdOut"/, 'openSplits', 'world', { holdOut: 0.1 }],
  [/^openSplits: heldOut: share is "0.1"/, 'openSplits', 'world', { heldOut: { share: '0.1' } }],
  [/^generated world: split is "test"; it must be one of train, val/, 'generatedWorld', { split: 'test' }],
  [/^generated world: there is no option "Size", it is called size/, 'generatedWorld', { Size: 64 }],
  [/^folderSource: labels is "never"/, 'folderSource', '.', { labels: 'never' }],
  [/^cifarSource: split is "test"; it must be one of train, val/, 'cifarSource', '.', 'test'],
  [/^openBenchmark: root is 5; it must be/, 'openBenchmark', 5],
  [/typo is not a folder that can be read/, 'findBenchmarks', 'typo'],
  [/^realLabels: file is undefined/, 'realLabels'],
  [/^openOpenOod: root is 5; it must be/, 'openOpenOod', 5],
  [/typo has no benchmark_imglist/, 'openOpenOod', 'typo'],
  [/^listSource: root is 5/, 'listSource', 'list.txt', { root: 5 }],
  [/^webDatasetSource: shards is "a.tar"; it must be an array/, 'webDatasetSource', 'a.tar'],
  [/^parquetSource: a.parquet is no open file/, 'parquetSource', 'a', ['a.parquet']],
  [/^fetchFlowers: there is no option "cache_dir"/, 'fetchFlowers', { cache_dir: 'x' }],
  [/^fetchFile: there is no option "sha"/, 'fetchFile', 'http://127.0.0.1:1/', 'x', { sha: 'x' }],
  [/^fetchHubModel: choose is "x"; it must be a function/, 'fetchHubModel', 'hf://a/b', 'x'],
  [/^fetchHubModel: there is no option "cache"/, 'fetchHubModel', 'hf://a/b', () => [], { cache: 'x' }],
  [/^parseHubModel: address is 3/, 'parseHubModel', 3],
  [/^openHttpFile: retries is "x"/, 'openHttpFile', 'http://127.0.0.1:1/', { retries: 'x' }],
  [/label 3 of a is none of 1 classes/, 'memorySource', 'm', [{ ...images[0], label: 3 }], ['x']],
  [/^memorySource: content of a is undefined/, 'memorySource', 'm', [{ key: 'a', pixels: picture }]],
  [/^loadBatches: source is a Promise; await it/, 'loadBatches', Promise.resolve(source), once],
  [/^loadBatches: there is no option "batch_size", it is called batchSize/, 'loadBatches', source, { batch_size: 1 }],
  [/^loadBatches: inFlight is 0; it must be/, 'loadBatches', source, { ...once, inFlight: 0 }],
  [
    /^loadBatches: decode: there is no option "short_side"/,
    'loadBatches',
    source,
    { ...once, decode: { short_side: 2 } },
  ],
  [
    /^loadBatches: badImages: there is no option "max_share"/,
    'loadBatches',
    source,
    { ...once, badImages: { max_share: 1 } },
  ],
  [/^loadBatches: from: sampler is undefined/, 'loadBatches', source, { ...once, from: {} }],
  [/^createSampler: there is no option "world_size"/, 'createSampler', { length: 4, seed: 0, world_size: 2 }],
  [/the runs hold 3 images, there are 4/, 'createSampler', { length: 4, seed: 0, runs: [1, 2] }],
  [/atMost is 0/, 'holdOut', source, { atMost: 0 }],
  [/has images 0 to 2, not 3/, 'readImage', source, 3],
  [/^decodeImage: encoded is "a.png"; it must be a Uint8Array/, 'decodeImage', 'a.png'],
  [/^decodeImage: shortSide is 1.5/, 'decodeImage', png, { shortSide: 1.5 }],
  [/^prefetch: inFlight is 0/, 'prefetch', [1], async () => 1, { inFlight: 0 }],
  [/^prefetch: items are no series/, 'prefetch', source, async () => 1, { inFlight: 1 }],
  [/^createRandom: position is undefined/, 'createRandom', { seed: 1 }],
  [/^generatedVideos: there is no option "fps"/, 'generatedVideos', { fps: 24 }],
  [/^renderScene: size is 0/, 'renderScene', data.generatedScenes().scene(0), 0],
  [/^preprocess: images is undefined/, 'preprocess'],
  [/^preprocessing: there is no option "size"/, 'preprocess', picture, { resize: 256, size: 224 }],
  [/^renderViews: images is undefined/, 'renderViews', undefined, []],
  [/^createGpuAugmenter: device.limits \(give gpu.device\) is undefined/, 'createGpuAugmenter', {}],
])('%s', async (message, ...args) => {
  await expect(call(...(args as [unknown]))).rejects.toThrow(message);
  await expect(call(...(args as [unknown]))).rejects.toBeInstanceOf(DataError);
});

test('a position outside an order is refused, where walking it would never end', () => {
  expect(() => data.shuffledOrder(4, 0, 0)(9)).toThrow(/position 9 is outside an order of 4/);
});

test('files and folders of another kind, and what has gone since, are named', async () => {
  const [file, nothing] = [path.join(folder, 'file'), path.join(folder, 'nothing')];
  await writeFile(nothing, 'text');
  const opened = await data.openLocalFile(nothing);
  await rm(nothing);
  const cases: readonly [() => Promise<unknown>, RegExp, string][] = [
    [() => opened.read(0, 4), /nothing cannot be read \(ENOENT\); check the path/, 'file-system'],
    [() => data.cifarSource(file), /file is not a folder that can be read \(ENOTDIR\)/, 'not-found'],
    [() => data.idxSource(nothing), /nothing is not a folder that can be read \(ENOENT\)/, 'not-found'],
    [() => data.imageNet22kSource(file), /file is not a folder that can be read \(ENOTDIR\)/, 'not-found'],
    [
      () => data.splitFolderSource(nothing, 'train'),
      /nothing is not a folder that can be read \(ENOENT\)/,
      'not-found',
    ],
    [() => data.openLocalFile(path.join(folder, 'folder')), /no regular file/, 'not-found'],
    [() => data.fetchFlowers({ cacheDir: file }), /file cannot be written \(EEXIST\); give a cacheDir/, 'file-system'],
  ];
  for (const [run, message, code] of cases) {
    await expect(run()).rejects.toThrow(message);
    await expect(run()).rejects.toMatchObject({ name: 'DataError', code });
  }
});
