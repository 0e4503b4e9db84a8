import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { CONFIG_KEY, decodeVitConfig, type VitConfig, vitSpecs } from '@franca/vit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { byEngine, byOnnx, cosine, imagesOf, relativeError, TINY, tinyModel } from '../../test/models';
import { OnnxError } from '../errors';
import { type ModelMessage, modelType } from './onnx-messages';
import { writeVitOnnx } from './write-vit-onnx';

let gpu: Gpu;
let folder: string;
let path: string;
beforeAll(async () => {
  gpu = await openGpu();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-onnx-'));
  path = join(folder, 'model.onnx');
  return () => rm(folder, { recursive: true });
});
afterAll(() => gpu.dispose());

/** One image on the grid of the table of 4 x 4, and three on one of 3 x 6. */
const SIZES = [imagesOf(1, 20, 20), imagesOf(3, 15, 30)] as const;
/** f32 sums of a hundred terms in another order, through two blocks: some ten roundings of 6e-8 each, with room. */
const TOLERANCE = 1e-5;

const VARIANTS: readonly (readonly [string, Partial<VitConfig>])[] = [
  ['an MLP, positions with the offset 0.1', {}],
  ['positions by the plain ratio, another epsilon', { interpolateOffset: 0, normEps: 1e-3 }],
  [
    'SwiGLU, registers, LayerScale, antialiased positions',
    { ffnLayer: 'swiglu', numRegisterTokens: 2, layerScale: 1, interpolateAntialias: true },
  ],
  [
    'the tanh GELU, positions antialiased by the plain ratio, patches of 4',
    { activation: 'gelu_tanh', imgSize: 28, patchSize: 4, interpolateAntialias: true, interpolateOffset: 0 },
  ],
  ['no CLS, quick GELU, a norm before the blocks', { classToken: false, activation: 'quick_gelu', preNorm: true }],
  ['rotary positions and a register', { ropeTheta: 100, numRegisterTokens: 1, numHeads: 3 }],
];

describe('onnxruntime gives what the engine gives, alone and in a batch, on the grid of the table and on another', () => {
  test.each(VARIANTS)('%s', async (_, options) => {
    const config = { ...TINY, ...options };
    const model = tinyModel(config);
    const sizes = config.patchSize === 5 ? SIZES : [imagesOf(2, 12, 20)];
    await writeVitOnnx(path, model, { precision: 'f32' });
    const [expected, found] = [await byEngine(gpu, model, sizes), await byOnnx(path, sizes)];
    for (const [i, { cls, patches }] of expected.entries()) {
      expect(relativeError(found[i]!.cls, cls)).toBeLessThan(TOLERANCE);
      expect(relativeError(found[i]!.patches, patches)).toBeLessThan(TOLERANCE);
    }
  });
});

test('without a final layer patches are the last of all tokens, and CLS is the first', async () => {
  const { finalLayer: _, ...model } = tinyModel({ ...TINY, numRegisterTokens: 2 });
  await writeVitOnnx(path, model, { precision: 'f32' });
  const [images] = [imagesOf(2, 15, 20)];
  const [[expected], [found]] = [await byEngine(gpu, model, [images]), await byOnnx(path, [images])];
  expect(found!.shapes).toEqual({
    last_hidden_state: [2, 3 + 12, 24],
    pooler_output: [2, 24],
    patch_tokens: [2, 12, 24],
  });
  expect(relativeError(found!.patches, expected!.patches)).toBeLessThan(TOLERANCE);
  expect(found!.tokens.subarray(0, 24)).toEqual(found!.cls.subarray(0, 24));
  expect(found!.tokens.slice(3 * 24, 15 * 24)).toEqual(found!.patches.slice(0, 12 * 24));
});

describe('a smaller file', () => {
  // f16 rounds to 5e-4 of a number, bytes to half of 1/127 of the largest weight and 1/255 of the range of activations; they add up as noise
  test.each([
    ['f16', 0.99999, 5e-3, 0.75],
    ['q8', 0.999, 5e-2, 0.75],
  ] as const)('%s', async (precision, least, tolerance, part) => {
    const model = tinyModel({ ...TINY, numRegisterTokens: 1, layerScale: 1 });
    const whole = await writeVitOnnx(path, model, { precision: 'f32' });
    const { bytes } = await writeVitOnnx(path, model, { precision });
    expect(bytes).toBeLessThan(part * whole.bytes);
    const [[expected], [found]] = [await byEngine(gpu, model, [SIZES[0]]), await byOnnx(path, [SIZES[0]])];
    expect(cosine(found!.cls, expected!.cls)).toBeGreaterThan(least);
    expect(relativeError(found!.patches, expected!.patches)).toBeLessThan(tolerance);
    expect(found!.cls).not.toEqual(expected!.cls);
  });

  test('a weight that f16 does not hold is refused', async () => {
    const { config, weights } = tinyModel(TINY);
    const large = (name: string) =>
      name === 'blocks.1.attn.proj.weight' ? new Float32Array(24 * 24).fill(7e4) : weights(name);
    await expect(writeVitOnnx(path, { config, weights: large }, { precision: 'f16' })).rejects.toThrow(
      /"blocks\.1\.attn\.proj\.weight" holds 70000, which f16 does not/,
    );
  });
});

describe('the file', () => {
  const readModel = async (): Promise<ModelMessage> => {
    const type = modelType();
    return type.toObject(type.decode(await readFile(path)), { longs: Number, arrays: true }) as ModelMessage;
  };

  test('holds official names and the configuration', async () => {
    const model = tinyModel({ ...TINY, numRegisterTokens: 1 });
    await writeVitOnnx(path, model, { precision: 'f32' });
    const { graph, metadataProps, producerName } = await readModel();
    const names = new Set(graph.initializer.map(({ name }) => name));
    const { mask_token: _, ...expected } = vitSpecs(model.config);
    for (const name of [...Object.keys(expected), 'rasa.weight', 'rasa.bias']) expect(names).toContain(name);
    expect(producerName).toBe('@franca/onnx');
    const stored = metadataProps.find(({ key }) => key === CONFIG_KEY)!;
    expect(decodeVitConfig(stored.value)!.config).toEqual(model.config);
    const bias = graph.initializer.find(({ name }) => name === 'norm.bias')!;
    const bytes = Uint8Array.from(bias.rawData!);
    expect(new Float32Array(bytes.buffer)).toEqual(model.weights('norm.bias'));
  });

  test('has its weights beside it from a limit on, and computes the same', async () => {
    const model = tinyModel(TINY);
    const images = [SIZES[1]];
    const whole = await writeVitOnnx(path, model, { precision: 'f32' });
    const [expected] = await byOnnx(path, images);
    const { files, bytes } = await writeVitOnnx(path, model, { precision: 'f32', externalFrom: 5e4 });
    expect(whole.files).toEqual([path]);
    expect(files).toEqual([path, `${path}_data`]);
    const sizes = await Promise.all(files.map(async (file) => (await readFile(file)).length));
    expect(sizes[0]! + sizes[1]!).toBe(bytes);
    const { graph } = await readModel();
    const outside = graph.initializer.filter(({ dataLocation }) => dataLocation === 1);
    expect(outside.length).toBeGreaterThan(5);
    for (const { externalData } of outside) {
      const place = Object.fromEntries(externalData!.map(({ key, value }) => [key, value]));
      expect(place.location).toBe('model.onnx_data');
      expect(Number(place.offset) % 4096).toBe(0);
    }
    const [found] = await byOnnx(path, images);
    expect([found!.cls, found!.patches]).toEqual([expected!.cls, expected!.patches]);
  });

  test.each([1.5e9, 1e3])(
    'is whole or as it was: weights that end early, external from %d bytes on',
    async (externalFrom) => {
      await writeFile(path, 'an earlier one');
      const { config, weights } = tinyModel(TINY);
      const cut = (name: string) => (name === 'norm.weight' ? undefined : weights(name));
      const written = writeVitOnnx(path, { config, weights: cut }, { precision: 'f32', externalFrom });
      await expect(written).rejects.toThrow(/no weights for "norm\.weight"/);
      expect(await readdir(folder)).toEqual(['model.onnx']);
      expect(await readFile(path, 'utf8')).toBe('an earlier one');
    },
  );
});

describe('what is no model is refused, and nothing is written', () => {
  const refused = (source: unknown, options: unknown = { precision: 'f32' }) =>
    expect(writeVitOnnx(path, source as never, options as never)).rejects;
  const model = tinyModel(TINY);
  const { config, weights } = model;

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /takes \{ config, weights \}/],
    ['weights alone', weights, /takes \{ config, weights \}/],
    ['a broken configuration', { config: { ...config, depth: 'two' }, weights }, /depth is "two"; expected a whole/],
    ['a misspelt field', { config: { ...config, num_heads: 3 }, weights }, /num_heads/],
    ['heads that do not fit', { config: { ...config, numHeads: 5 }, weights }, /24 does not divide into 5 heads/],
    [
      'weights of another width',
      { config: { ...config, embedDim: 48 }, weights },
      /"patch_embed\.proj\.weight" has 1800 values; the configuration says \[48, 3, 5, 5\]/,
    ],
    [
      'a final layer of another width',
      { ...model, finalLayer: { weight: [1], bias: [1] } },
      /"rasa\.weight" has 1 values/,
    ],
    [
      'a weight that is no number',
      { config, weights: (name: string) => (weights(name) as Float32Array).map((_, i) => (i === 3 ? Number.NaN : 0)) },
      /holds NaN at 3/,
    ],
  ])('%s', async (_, source, message) => {
    await refused(source).toThrow(message);
    await refused(source).toBeInstanceOf(OnnxError);
    await refused(source).toMatchObject({ code: 'model' });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each<[unknown, RegExp]>([
    [null, /options are null; give an object/],
    [{}, /precision is missing; give f32, f16 or q8/],
    [{ precision: 'fp16' }, /precision is "fp16"; it must be one of f32, f16, q8/],
    [{ precision: 'f32', external_from: 1 }, /there is no option "external_from", it is called externalFrom/],
  ])('options %j', async (options, message) => {
    await refused(model, options).toThrow(message);
    await refused(model, options).toMatchObject({ code: 'options' });
  });

  test('a path that cannot be written', async () => {
    const nowhere = join(folder, 'nowhere', 'model.onnx');
    await expect(writeVitOnnx(nowhere, model, { precision: 'f32' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(writeVitOnnx(undefined as never, model, { precision: 'f32' })).rejects.toThrow(/takes a path/);
  });
});
