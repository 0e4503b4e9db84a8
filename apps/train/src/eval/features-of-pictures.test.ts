/** Evaluations that look at whole pictures, on features that another program wrote: one array for each picture, by its name. They are those of the model that made them. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeNpz, writeSafetensors } from '@franca/checkpoint';
import { decodeImage, type ImageBatch, type PixelImage } from '@franca/data';
import type { EvalRecord } from '@franca/evals';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeFiles } from '../../test/file-trees';
import { writeAt } from '../../test/mask-files';
import { spairFiles } from '../../test/pair-files';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { davisFiles, HEIGHT } from '../../test/video-files';
import { type FeatureSession, openSession } from '../features/session';
import { prepareFrame } from '../image-sets/frame-input';
import { prepare } from '../image-sets/preparation';
import { prepareWhole } from '../image-sets/whole-picture';
import { runCli } from '../run-cli';

const PATCH = 8;
let folder: string;
let cache: readonly string[];
let model: string;
let session: FeatureSession;
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  cache = ['--cache', at('cache')];
  model = await writeTinyModel(folder);
  session = await openSession({ weights: model, batchSize: 1, cache: at('cache') });
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const at = (...path: string[]): string => join(folder, ...path);

async function evaluate(task: string, ...options: readonly string[]): Promise<EvalRecord[]> {
  expect(await runCli(['eval', task, ...cache, '--json', at('r.json'), ...options]), printed.at(-1)).toBe(0);
  return JSON.parse(await readFile(at('r.json'), 'utf8')) as EvalRecord[];
}

async function refusal(task: string, ...options: readonly string[]): Promise<string> {
  expect(await runCli(['eval', task, ...cache, ...options])).not.toBe(0);
  return printed.at(-1)!;
}

/** What does not depend on where features are from; of files it is not known which block's they are. */
const figures = (records: readonly EvalRecord[]) =>
  records.map(({ protocol, variant, metric, value, items, evaluated, dataset }) => ({
    ...{ protocol, variant: variant.replace(' of block 1', ''), metric, value, items, evaluated, dataset },
  }));

/** Patch tokens of the pictures below a folder, each in an array that has its path without the ending. */
async function arraysOf(root: string, input: (image: PixelImage) => ImageBatch): Promise<TensorEntry[]> {
  const entries: TensorEntry[] = [];
  for (const path of (await readdir(root, { recursive: true })).filter((name) => /\.(png|jpg)$/.test(name)).sort()) {
    const image = await decodeImage(await readFile(join(root, path)));
    const { dim, grid, patches } = await session.model.run(input(image), { patches: true });
    entries.push({ name: path.replace(/\.\w+$/, ''), dtype: 'f32', shape: [...grid, dim], data: patches });
  }
  return entries;
}

test('objects in pictures of several sizes', async () => {
  const sizes = [
    [30, 21],
    [45, 30],
    [20, 50],
  ] as const;
  const root = at('boxes');
  for (const [i, [width, height]] of sizes.entries())
    await writeAt(join(root, `p${i}.png`), await noise(width, height));
  const boxes = sizes.map(([width, height], i) => [`p${i}.png`, [[2, 3, width - 4, height - 5]]]);
  await writeAt(join(root, 'boxes.json'), Buffer.from(JSON.stringify(Object.fromEntries(boxes))));
  const data = ['-d', root];
  const output = ['--features', 'output', '--methods', 'tokencut,lost'];
  const arrays = await arraysOf(root, (image) => prepareWhole(image, PATCH));

  const native = await evaluate('discover', '-w', model, ...data, ...output);
  await writeNpz(at('p.npz'), [...arrays, { name: 'patch_size', dtype: 'i32', shape: [], data: Int32Array.of(PATCH) }]);
  await writeSafetensors(at('p.safetensors'), arrays, { model: 'theirs', patch_size: `${PATCH}` });
  for (const file of ['p.npz', 'p.safetensors']) {
    const own = await evaluate('discover', '-w', at(file), ...data, ...output);
    expect(figures(own)).toEqual(figures(native));
    expect(own[0]!.notes?.join('\n')).toMatch(/features from .*p\.\w+ \(SHA-256 \w{16}\)/);
    expect(own[0]!.notes).toContainEqual(expect.stringMatching(/found by the names of files alone/));
  }

  expect(await refusal('discover', '-w', at('p.npz'), ...data)).toMatch(/reads queries, keys.*--features output/);
  expect(await refusal('discover', '-w', at('p.npz'), ...data, ...output, '--patch-size', '16')).toMatch(
    /features of patches of 8 px; leave out --patch-size 16/,
  );
  await writeNpz(at('unsaid.npz'), arrays);
  expect(await refusal('discover', '-w', at('unsaid.npz'), ...data, ...output)).toMatch(/give it with --patch-size/);
  expect(await refusal('discover', '-w', at('unsaid.npz'), ...data, ...output, '--patch-size', '16')).toMatch(
    /holds 3 x 4 patches of p0\.png of boxes, and this evaluation reads 2 x 2: 32 x 32 px in patches of 16/,
  );
  expect(await refusal('in-context', '-w', at('p.npz'), ...data)).toMatch(/various numbers of patches of its images/);
  expect(await refusal('knn', '-w', at('p.npz'), '-d', 'world:size=32:length=4')).toMatch(/holds no CLS tokens/);
  await writeNpz(at('some.npz'), [...arrays.slice(1), { ...arrays[0]!, name: 'another' }]);
  const [some] = await evaluate('discover', '-w', at('some.npz'), ...data, ...output, '--patch-size', '8');
  expect(some!.evaluated).toBe(2);
  expect(some!.notes).toContainEqual(expect.stringMatching(/^1 of 3 images of boxes all .* left out: p0\.png$/));
  expect(await refusal('depth', '-w', at('p.npz'), '-d', 'world:size=32:length=4')).toMatch(
    /this evaluation makes others/,
  );
  const wide = { ...arrays[0]!, name: 'wide', shape: [1, 1, 2], data: new Float32Array(2) };
  await writeNpz(at('odd.npz'), [...arrays, wide]);
  expect(await refusal('discover', '-w', at('odd.npz'), ...data, ...output)).toMatch(/holds no features; expected/);
  const broken = { ...arrays[1]!, data: new Float32Array(arrays[1]!.shape.reduce((a, c) => a * c)).fill(Number.NaN) };
  await writeNpz(at('nan.npz'), [arrays[0]!, broken, arrays[2]!]);
  expect(await refusal('discover', '-w', at('nan.npz'), ...data, ...output, '--patch-size', '8')).toMatch(
    /p1 has NaN, which is no finite number/,
  );
});

test('objects followed through videos, frame by frame', async () => {
  const davis = await writeFiles(at('davis'), await davisFiles({ bear: [1], pair: [1, 3] }));
  const look = { protocol: 'dino', shortSide: HEIGHT, patchSize: PATCH } as const;
  const arrays = await arraysOf(join(davis, 'JPEGImages/480p'), (image) => prepareFrame(image, look));
  await writeSafetensors(at('frames.safetensors'), arrays);
  const options = ['-d', davis, '--size', `${HEIGHT}`];
  const native = await evaluate('video', '-w', model, ...options);
  const own = await evaluate('video', '-w', at('frames.safetensors'), '--patch-size', `${PATCH}`, ...options);
  expect(figures(own)).toEqual(figures(native));
  await writeSafetensors(at('fewer.safetensors'), arrays.slice(1));
  expect(await refusal('video', '-w', at('fewer.safetensors'), '--patch-size', `${PATCH}`, ...options)).toMatch(
    /bear\/\w+ of davis-2017 has no features in .*fewer\.safetensors/,
  );
  expect(await refusal('video', '-w', at('frames.safetensors'), '--patch-size', `${PATCH}`, '-d', davis)).toMatch(
    /patches of bear\/\w+ of davis-2017, and this evaluation reads .* ask for another size/,
  );
});

test('key points of pictures that were made square', async () => {
  const root = at('pairs');
  for (const [path, body] of Object.entries(await spairFiles())) await writeAt(join(root, path), body);
  const side = 64;
  const arrays = await arraysOf(root, (image) => {
    const data = new Float32Array(3 * side * side);
    prepare(image, { kind: 'pad-square', size: side, side }, data);
    return { data, shape: [1, 3, side, side] };
  });
  await writeSafetensors(at('square.safetensors'), arrays);
  const options = ['-d', root, '--feature', 'after-norm'];
  const native = await evaluate('correspondence', '-w', model, ...options, '--sizes', `${side}`);
  const own = await evaluate('correspondence', '-w', at('square.safetensors'), ...options, '--size', `${side}`);
  expect(figures(own)).toEqual(figures(native));
  expect(await refusal('correspondence', '-w', at('square.safetensors'), '-d', root, '--size', '64')).toMatch(
    /before the final norm, .*--feature after-norm/,
  );
});

/** A picture of noise. */
async function noise(width: number, height: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * i * 37) % 251);
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
