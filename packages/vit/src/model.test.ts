import { countParameters, initialValues, parametersOf } from '@franca/nn';
import { defaultTarget, type Gpu, planStep } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vitConfig } from './config';
import { fitImages } from './fit-images';
import { loadVit, weightsFrom } from './model';
import { vitSpecs } from './specs';
import { vit } from './vit';
import { chunkedBlockName, configOfWeights } from './weights';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

describe('sizes', () => {
  // parameters at 224 and 518 px and state-dict keys of the official models
  test.each([
    ['base', 85_737_984, 86_592_768, 175],
    ['large', 303_655_168, 304_794_880, 343],
    ['giant2', 1_134_771_200, 1_136_480_768, 567],
  ] as const)('%s has the official parameter counts and keys', (size, at224, at518, keys) => {
    expect(countParameters(vitSpecs(vitConfig(size)))).toBe(at224);
    expect(countParameters(vitSpecs(vitConfig(size, { imgSize: 518 })))).toBe(at518);
    expect(Object.keys(vitSpecs(vitConfig(size)))).toHaveLength(keys);
  });
  test('a configuration is read off its own weights, chunked or flat', () => {
    for (const config of [
      vitConfig('base', { imgSize: 518 }),
      vitConfig('giant2'),
      vitConfig('tiny', { ffnLayer: 'mlp', layerScale: undefined, patchSize: 16, numRegisterTokens: 4 }),
    ]) {
      const shapes = Object.fromEntries(
        Object.entries(vitSpecs(config)).map(([name, { shape }]) => [chunkedBlockName(name, config.depth, 4), shape]),
      );
      expect(configOfWeights(shapes)).toEqual(config);
    }
    expect(() => configOfWeights({ 'teacher.pos_embed': [1, 2, 3] })).toThrow(/no tensor "patch_embed\.proj\.weight"/);
  });
});

const small = vitConfig('tiny', {
  embedDim: 32,
  depth: 2,
  numHeads: 2,
  imgSize: 28,
  patchSize: 7,
  numRegisterTokens: 1,
});
const values = Object.fromEntries(
  Object.entries(vitSpecs(small)).map(([name, spec]) => [name, initialValues(name, spec, [3, 4])]),
);
const images = (B: number, H: number, W: number) => ({
  data: Float32Array.from({ length: B * 3 * H * W }, (_, i) => Math.sin(i)),
  shape: [B, 3, H, W] as const,
});

describe('a loaded model', () => {
  test('gives the same features for an image alone and in a batch, for any grid', async () => {
    using model = await loadVit(gpu, small, weightsFrom(values));
    const both = await model.features(images(2, 21, 35));
    const one = await model.features({ data: images(2, 21, 35).data.slice(3 * 21 * 35), shape: [1, 3, 21, 35] });
    expect(both.grid).toEqual([3, 5]);
    expect(both.patches).toHaveLength(2 * 15 * 32);
    expect(both.registers).toHaveLength(2 * 32);
    expect(Math.max(...one.cls.map((value, i) => Math.abs(value - both.cls[32 + i]!)))).toBeLessThan(1e-5);
  });
  test('inspect gives attention that sums to one and the blocks asked for', async () => {
    using model = await loadVit(gpu, small, weightsFrom(values));
    const { clsAttention, intermediate, cls, qkv, prenorm } = await model.inspect(images(1, 28, 28), [0, -1]);
    expect(clsAttention).toHaveLength(2 * 18);
    expect(clsAttention.slice(0, 18).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(intermediate).toHaveLength(2);
    expect(Array.from(intermediate[1]!.cls)).toEqual(Array.from(cls));
    expect([qkv.length, prenorm.length]).toEqual([18 * 96, 18 * 32]);
  });
  test('answers calls made at once as if made in turn, and any repetition of blocks', async () => {
    using model = await loadVit(gpu, small, weightsFrom(values));
    const one = images(1, 28, 28);
    const other = { ...one, data: one.data.map((value) => -value) };
    const [a, b, detailed] = await Promise.all([
      model.features(one),
      model.features(other),
      model.inspect(one, [-1, 1, 0]),
    ]);
    expect(Array.from((await model.features(one)).cls)).toEqual(Array.from(a.cls));
    expect(Array.from((await model.features(other)).cls)).toEqual(Array.from(b.cls));
    expect(Array.from(b.cls)).not.toEqual(Array.from(a.cls));
    expect(detailed.intermediate).toHaveLength(2);
    expect(Array.from(detailed.intermediate[1]!.cls)).toEqual(Array.from(a.cls));
  });
  test('runs in f16 close to f32', async (context) => {
    context.skip(!gpu.target.f16, 'the adapter has no f16');
    using full = await loadVit(gpu, small, weightsFrom(values));
    using half = await loadVit(gpu, small, weightsFrom(values), { dtype: 'f16' });
    const [a, b] = [await full.features(images(1, 28, 28)), await half.features(images(1, 28, 28))];
    // normalised outputs of size about 3 with 11-bit activations through 2 blocks
    expect(Math.max(...a.cls.map((value, i) => Math.abs(value - b.cls[i]!)))).toBeLessThan(0.02);
  });
  test('refuses images that do not divide into patches, and missing or misshapen weights', async () => {
    using model = await loadVit(gpu, small, weightsFrom(values));
    await expect(model.features(images(1, 30, 28))).rejects.toThrow(
      /multiples of the patch size 7; crop or pad them with fitImages/,
    );
    await expect(loadVit(gpu, small, weightsFrom({}))).rejects.toThrow(/no weights for "cls_token"/);
    await expect(loadVit(gpu, small, weightsFrom({ ...values, pos_embed: new Float32Array(7) }))).rejects.toThrow(
      /"pos_embed" has 7 values, the model needs \[1, 17, 32\]/,
    );
  });
});

test('fitImages crops about the centre and pads at the bottom right', () => {
  const data = Float32Array.from({ length: 3 * 5 * 4 }, (_, i) => i);
  const cropped = fitImages({ data, shape: [1, 3, 5, 4] }, 3, 'crop');
  expect(cropped.shape).toEqual([1, 3, 3, 3]);
  expect(Array.from(cropped.data.slice(0, 3))).toEqual([4, 5, 6]);
  const padded = fitImages({ data, shape: [1, 3, 5, 4] }, 3, 'pad');
  expect(padded.shape).toEqual([1, 3, 6, 6]);
  expect(Array.from(padded.data.slice(0, 6))).toEqual([0, 1, 2, 3, 0, 0]);
  expect(() => fitImages({ data, shape: [1, 3, 5, 4] }, 7, 'crop')).toThrow(/smaller than one patch/);
});

test('planning ViT-B/14 at 224 px needs no device and reports its memory', () => {
  const config = vitConfig('base');
  const target = { ...defaultTarget, maxBufferBytes: 2 ** 30 };
  const specs = vitSpecs(config);
  const plan = planStep(
    target,
    {},
    (_, batch: Record<string, import('@franca/tensor').Tensor>) => ({
      cls: vit(parametersOf(batch), batch.images!, config).cls,
    }),
    { batch: { ...specs, images: { shape: [1, 3, 224, 224], dtype: 'f32' } } },
  );
  // 23.16 GMAC per image, two operations each, plus norms and softmax
  expect(plan.report.flops / 2e9).toBeGreaterThan(23.1);
  expect(plan.report.flops / 2e9).toBeLessThan(24);
});
