/** Files of all kinds of outputs, opened and run: what is found, and the numbers against sums in f64. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageBatch } from '@franca/vit';
import { afterAll, expect, test } from 'vitest';
import { type NetOptions, type NetOutput, netNumbers, writeNet } from '../../test/graphs';
import { imagesOf, TINY, tinyModel } from '../../test/models';
import { OnnxError, type OnnxErrorCode } from '../errors';
import { writeVitOnnx } from '../write/write-vit-onnx';
import type { OnnxOptions } from './onnx-options';
import { type OnnxModel, openOnnx } from './open-onnx';
import { importRuntime } from './runtime';

const folder = mkdtempSync(join(tmpdir(), 'franca-onnx-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const net = (outputs: readonly NetOutput[], options?: NetOptions) =>
  writeNet(join(folder, `${files++}.onnx`), outputs, options);

async function opened<T>(path: string, options: OnnxOptions, use: (model: OnnxModel) => Promise<T>): Promise<T> {
  const model = await openOnnx(path, { threads: 1, side: 8, ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

async function expectError(promise: Promise<unknown>, code: OnnxErrorCode, said: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OnnxError);
  expect([(error as OnnxError).code, (error as OnnxError).message]).toEqual([code, expect.stringMatching(said)]);
}

/** 48 products of up to 10 in f32, or rounded to f16. */
function expectClose(found: Float32Array, expected: readonly number[], tolerance = 1e-3): void {
  expect(found.length).toBe(expected.length);
  const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  expect(worst).toBeLessThan(tolerance);
}

const times = (values: readonly number[], factor: number): number[] => values.map((value) => factor * value);
const all = { patches: true, patchMean: true, blockCls: [-1], blockPatches: [0] } as const;

test('tokens: CLS is the first, patches follow the registers, at any size', async () => {
  const path = await net([{ name: 'last_hidden_state', kind: 'tokens', prefix: 3 }]);
  await opened(path, {}, async (model) => {
    expect(model.notes).toEqual([
      'CLS: the first token of last_hidden_state; patches: last_hidden_state without its first 3 tokens, 4 px each',
    ]);
    expect(model.config).toMatchObject({ embedDim: 3, depth: 1, patchSize: 4, imgSize: 8 });
    expect([model.hasPatches, model.side]).toEqual([true, undefined]);
    const images = imagesOf(2, 12, 20);
    const { patches, mean } = netNumbers(images);
    const found = await model.run(images, all);
    expect([found.grid, found.dim]).toEqual([[3, 5], 3]);
    expectClose(found.cls, times(mean, 2));
    expectClose(found.patches, patches);
    expectClose(found.patchMean, mean);
    expectClose(found.blockCls[0]!, times(mean, 2));
    expectClose(found.blockPatches[0]!, patches);
    const bare = await model.run(images);
    expect(Object.entries(bare).filter(([name, value]) => name !== 'cls' && value instanceof Float32Array)).toEqual([]);
  });
});

test('a pooled output is CLS; one that is the tanh of a pooler is left out and named, unless it is asked for', async () => {
  const tokens: NetOutput = { name: 'last_hidden_state', kind: 'tokens', prefix: 1 };
  const images = imagesOf(1, 8, 8);
  const { mean } = netNumbers(images);
  const pooled = await net([tokens, { name: 'pooler_output', kind: 'vector' }]);
  await opened(pooled, {}, async (model) => expectClose((await model.run(images)).cls, mean));
  const tanh = await net([tokens, { name: 'pooler_output', kind: 'tanh' }]);
  await opened(tanh, {}, async (model) => {
    expect(model.notes[1]).toMatch(
      /^pooler_output is left out: .* tanh of a pooler .* \(cls=pooler_output takes it\)$/,
    );
    expectClose((await model.run(images)).cls, times(mean, 2));
  });
  await opened(tanh, { outputs: { cls: 'pooler_output', patches: 'last_hidden_state' } }, async (model) =>
    expectClose((await model.run(images)).cls, mean.map(Math.tanh)),
  );
});

test('maps of a convolutional net: patches row by row, and their mean where nothing is CLS', async () => {
  const path = await net([{ name: 'features', kind: 'maps' }]);
  await opened(path, {}, async (model) => {
    expect(model.notes).toEqual([
      'CLS: the mean of features; patches: the maps features, 4 px each',
      'there is no CLS: the mean of the patches stands for it',
    ]);
    const images = imagesOf(2, 8, 12);
    const { patches, mean } = netNumbers(images);
    const found = await model.run(images, all);
    expectClose(found.patches, patches);
    expectClose(found.cls, mean);
  });
});

test('a vector alone is CLS, and patches are refused', async () => {
  const path = await net([{ name: 'embedding', kind: 'vector' }]);
  await opened(path, {}, async (model) => {
    expect([model.hasPatches, model.config.patchSize]).toEqual([false, 1]);
    const images = imagesOf(2, 8, 12);
    expectClose((await model.run(images)).cls, netNumbers(images).mean);
    await expectError(model.run(images, { patchMean: true }), 'outputs', /patch tokens .* gives CLS alone/);
  });
});

test('f16 in and out, a batch and a side that are fixed: images are padded to the batch', async () => {
  const path = await net([{ name: 'last_hidden_state', kind: 'tokens', prefix: 1 }], {
    dims: [2, 3, 8, 8],
    type: 'f16',
  });
  await opened(path, { side: 99 }, async (model) => {
    expect(model.side).toBe(8);
    expect(model.notes[1]).toBe('it takes images of 8 px alone');
    const images = imagesOf(3, 8, 8);
    const { patches, mean } = netNumbers(images);
    const found = await model.run(images, all);
    // 11 bits of pixels and of values up to about 100
    expectClose(found.patches, patches, 0.2);
    expectClose(found.cls, times(mean, 2), 0.2);
    await expectError(model.run(imagesOf(1, 8, 12)), 'images', /takes 8 x 8 pixels alone/);
  });
});

test('positions of one size: found at that one, which is said, and refused at others', async () => {
  const path = await net([{ name: 'last_hidden_state', kind: 'tokens', prefix: 1 }], { places: 9 });
  await expectError(openOnnx(path, { side: 8 }), 'images', /does not run on a picture of 8 x 8 pixels: .*option side/);
  await expectError(
    openOnnx(path, { side: 12 }),
    'outputs',
    /patches of 6 px \(6 tokens before them\) or 4 px \(1 token before them\): say which/,
  );
  await opened(path, { side: 12, usualPatchSize: 4 }, async (model) => {
    expect([model.side, model.config.patchSize]).toEqual([12, 4]);
    await expectError(model.run(imagesOf(1, 8, 8)), 'images', /takes 12 x 12 pixels alone/);
  });
});

test('pixels are mapped channel by channel; calls at the same time keep apart', async () => {
  const path = await net([{ name: 'x_norm_patchtokens', kind: 'tokens' }]);
  const pixels = { scale: [1, 2, 3], shift: [0.5, 0, -1] } as const;
  await opened(path, { pixels }, async (model) => {
    const batches: readonly ImageBatch[] = [imagesOf(1, 8, 8), imagesOf(2, 12, 8)];
    const found = await Promise.all(batches.map((images) => model.run(images, { patches: true })));
    for (const [i, images] of batches.entries()) {
      const { patches } = netNumbers(images, (value, c) => value * pixels.scale[c]! + pixels.shift[c]!);
      expectClose(found[i]!.patches, patches);
    }
  });
});

test('a quantised model, whose activations have one scale for a batch, gives of an image what it gives of it alone', async () => {
  const path = join(folder, 'q8.onnx');
  await writeVitOnnx(path, { ...tinyModel(TINY), finalLayer: undefined }, { precision: 'q8' });
  await opened(path, { side: 20 }, async (model) => {
    expect(model.notes.at(-1)).toBe(
      'images are run one by one: in a batch, what it gives of one depends on the others',
    );
    const images = imagesOf(2, 20, 20);
    const each = images.data.length / 2;
    const second = { data: images.data.slice(each), shape: [1, 3, 20, 20] as const };
    const [both, alone] = [await model.run(images), await model.run(second)];
    expect(both.cls.slice(TINY.embedDim)).toEqual(alone.cls);
  });
});

test('what lies inside, and images that do not fit, are refused before anything runs', async () => {
  const path = await net([{ name: 'last_hidden_state', kind: 'tokens', prefix: 1 }]);
  await opened(path, {}, async (model) => {
    const images = imagesOf(1, 8, 8);
    for (const [request, said] of [
      [{ qkv: true }, /queries, keys and values are asked for, and an ONNX file gives its output alone/],
      [{ blockQkv: [0] }, /queries, keys and values/],
      [{ attention: true }, /attention maps/],
      [{ prenorm: true }, /tokens before the final norm/],
      [{ blockTokens: [-1] }, /tokens before the final norm/],
      [{ registers: true }, /registers/],
      [{ blockCls: [0, -2] }, /block -2 is asked for/],
      [{ blockPatches: [1] }, /block 1 is asked for/],
    ] as const)
      await expectError(model.run(images, request), 'outputs', said);
    // nothing of it is asked for
    await model.run(images, { qkv: false, blockTokens: [] });
    await expectError(model.run(imagesOf(1, 8, 10)), 'images', /multiples of the patch size 4/);
    await expectError(model.run({ ...images, shape: [2, 3, 8, 8] }), 'images', /192 values: expected \[B, 3, H, W\]/);
  });
});

test('files that are no model of images are called what they are', async () => {
  const output: NetOutput = { name: 'embedding', kind: 'vector' };
  const text = join(folder, 'text.onnx');
  writeFileSync(text, 'no model');
  await expectError(openOnnx(text), 'model', /text\.onnx is no ONNX model that onnxruntime-node runs: /);
  await expectError(openOnnx(join(folder, 'absent.onnx')), 'model', /absent\.onnx/);
  await expectError(
    openOnnx(await net([output], { moreInputs: ['input_ids'] })),
    'model',
    /not images alone; .*input_ids/,
  );
  const last = await net([output], { dims: ['b', 'c', 8, 12] });
  await expectError(openOnnx(last), 'model', /its images are not square; it takes image float32 \[b, c, 8, 12\]/);
  await expectError(openOnnx(await net([output]), { provider: 'abacus' }), 'runtime', /no provider abacus here/);
});

test('without onnxruntime-node, the line that installs it', async () => {
  const absent = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  await expectError(
    importRuntime(() => Promise.reject(absent)),
    'runtime',
    /onnxruntime-node, which is not installed: npm install onnxruntime-node$/,
  );
  await expectError(
    importRuntime(() => Promise.reject(new Error('GLIBC_2.99 not found\nmore'))),
    'runtime',
    /does not load \(GLIBC_2.99 not found\)/,
  );
});
