import { parametersOf } from '@franca/nn';
import { type Gpu, input, interpret, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plainVit } from '../test/plain-vit';
import { type VitConfig, vitConfig } from './config';
import { loadVit } from './load';
import { positionEmbedding } from './position-embedding';
import { vitSpecs } from './specs';
import { normIntermediate } from './token-parts';
import { clsAttention, vit } from './vit';
import { vitInOnePass } from './vit-in-one-pass';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const base = vitConfig('tiny', {
  embedDim: 16,
  depth: 2,
  numHeads: 2,
  imgSize: 9,
  patchSize: 3,
  mlpRatio: 2,
  ffnLayer: 'mlp',
  layerScale: undefined,
});
const CLIP = { activation: 'quick_gelu', preNorm: true, normEps: 1e-5 } as const;
const VARIANTS: readonly (readonly [string, Partial<VitConfig>])[] = [
  ['gelu_tanh', { activation: 'gelu_tanh' }],
  ['CLIP: quick_gelu, a norm before the blocks, eps 1e-5', CLIP],
  ['an eps that shows', { normEps: 0.5, preNorm: true }],
  ['SigLIP: no CLS', { classToken: false, activation: 'gelu_tanh' }],
  ['DINOv3: rotary positions, registers', { ropeTheta: 100, numRegisterTokens: 3, layerScale: 1, normEps: 1e-5 }],
  ['DINOv3 with SwiGLU', { ropeTheta: 100, ffnLayer: 'swiglu' }],
  ['registers without CLS, rotary', { classToken: false, numRegisterTokens: 2, ropeTheta: 10, preNorm: true }],
];

const weightsOf = (config: VitConfig): Record<string, ArrayLike<number>> =>
  Object.fromEntries(
    Object.entries(vitSpecs(config)).map(([name, { shape }], i) => {
      const values = normals(
        shape.reduce((a, b) => a * b, 1),
        i + 1,
      );
      return [name, values.map((value) => (shape.length === 1 ? 0.5 + 0.3 * value : 0.4 * value))];
    }),
  );
const symbols = (config: VitConfig): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(vitSpecs(config)).map(([name, { shape }]) => [name, input(name, shape)]));
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
};

/** Two images and what the model in plain loops makes of them. A learned table is made for 3 x 3 patches; rotary positions fit any grid. */
function problem(options: Partial<VitConfig>) {
  const config = { ...base, ...options };
  const weights = weightsOf(config);
  const [H, W] = config.ropeTheta === undefined ? [9, 9] : [6, 15];
  const pixels = Float32Array.from(normals(2 * 3 * H * W, 7));
  const images = { data: pixels, shape: [2, 3, H, W] } as const;
  const plain = [0, 1].map((i) => plainVit(weights, pixels.slice(i * 3 * H * W, (i + 1) * 3 * H * W), [H, W], config));
  return { config, weights, images, plain, source: { config, weights: (name: string) => weights[name] } };
}

test.each(VARIANTS)('%s: the graph is the model in plain loops, in f64', (_, options) => {
  const { config, weights, images, plain } = problem(options);
  const p = parametersOf(symbols(config));
  const out = vit(p, input('images', images.shape), config, { intermediate: [0] });
  const first = normIntermediate(p, out.intermediate[0]!, config);
  const { value } = interpret([out.cls, out.patches, first.cls], { ...weights, images: images.data });
  // f64 against f64: some thousands of terms
  expect(
    worst(
      value(out.cls).data,
      plain.flatMap(({ cls }) => cls),
    ),
  ).toBeLessThan(1e-11);
  expect(
    worst(
      value(out.patches).data,
      plain.flatMap(({ patches }) => patches.flat()),
    ),
  ).toBeLessThan(1e-11);
  if (config.classToken === false)
    expect(
      worst(
        value(first.cls).data,
        plain.flatMap(({ firstMean }) => firstMean),
      ),
    ).toBeLessThan(1e-11);
});

test('a model on the device: rotary positions, registers and a norm before the blocks', async () => {
  const { config, images, plain, source } = problem({ ...CLIP, ropeTheta: 100, numRegisterTokens: 3 });
  using model = await loadVit(gpu, source);
  const out = await model.run(images, { patches: true, attention: true, qkv: true, blockCls: [-1] });
  // values of size 3 after two blocks in f32
  expect(
    worst(
      out.cls,
      plain.flatMap(({ cls }) => cls),
    ),
  ).toBeLessThan(1e-4);
  expect(
    worst(
      out.patches,
      plain.flatMap(({ patches }) => patches.flat()),
    ),
  ).toBeLessThan(1e-4);
  expect(
    worst(
      out.attention,
      plain.flatMap(({ attention }) => attention.flat()),
    ),
  ).toBeLessThan(1e-4);
  expect(out.blockCls).toEqual([out.cls]);
  expect(out.prefixTokens).toBe(4);
  // what is made of qkv is made of what attention sees
  const tokens = 4 + 10;
  const alone = input('qkv', [2, tokens, 48]);
  const attention = clsAttention(alone, config);
  const { value } = interpret([attention], { qkv: out.qkv });
  expect(worst(value(attention).data, out.attention)).toBeLessThan(1e-5);
});

test('a model on the device: no class token', async () => {
  const { images, plain, source, weights } = problem({ classToken: false, normEps: 0.5 });
  const gamma = weights['norm.weight']!;
  const weight = Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? gamma[i / 17]! : 0));
  // the norm of patches once more, as a layer of its own
  using model = await loadVit(gpu, source, { finalLayer: { weight, bias: weights['norm.bias']! } });
  const request = { patches: true, patchMean: true, registers: true, blockCls: [0, -1], prenorm: true } as const;
  const out = await model.run(images, request);
  expect(
    worst(
      out.cls,
      plain.flatMap(({ cls }) => cls),
    ),
  ).toBeLessThan(1e-4);
  expect(
    worst(
      out.patches,
      plain.flatMap(({ patches }) => patches.flat()),
    ),
  ).toBeLessThan(1e-4);
  expect(
    worst(
      out.blockCls[0]!,
      plain.flatMap(({ firstMean }) => firstMean),
    ),
  ).toBeLessThan(1e-4);
  expect(out.blockCls[1]).toEqual(out.cls);
  expect([out.prefixTokens, out.registers.length, out.prenorm.length]).toEqual([0, 0, 2 * 9 * 16]);
  await expect(model.run(images, { attention: true })).rejects.toThrow(
    expect.objectContaining({
      code: 'config',
      message: expect.stringMatching(/this model has no CLS token.*ask for qkv/),
    }),
  );
});

test('in f16 the graph is the same model, and its outputs f16', () => {
  const { config, weights, images, plain } = problem({
    ...CLIP,
    classToken: false,
    numRegisterTokens: 2,
    ropeTheta: 100,
  });
  const out = vit(parametersOf(symbols(config)), input('images', images.shape), config, { dtype: 'f16' });
  expect([out.cls.dtype, out.patches.dtype]).toEqual(['f16', 'f16']);
  // its reference does not round
  const { value } = interpret([out.cls], { ...weights, images: images.data });
  expect(
    worst(
      value(out.cls).data,
      plain.flatMap(({ cls }) => cls),
    ),
  ).toBeLessThan(1e-11);
});

test.each([
  ['rotary positions', { ropeTheta: 100, numRegisterTokens: 1, preNorm: true }],
  ['no class token', { classToken: false, normEps: 1e-3 }],
] as const)('%s: lists of images in one pass are as they are alone, kept samples too', (_, options) => {
  const config = { ...base, ...options };
  const p = parametersOf(symbols(config));
  const kept = (name: string, count: number) => [
    undefined,
    { attention: input(name, [count], 'u32'), ffn: input(name, [count], 'u32') },
  ];
  const lists = [
    { images: input('large', [3, 3, 6, 15]), masks: input('masks', [3, 10], 'u32'), kept: kept('keptLarge', 2) },
    // as many patches in another grid
    { images: input('small', [2, 3, 15, 6]), kept: kept('keptSmall', 1) },
  ];
  const together = vitInOnePass(p, lists, config);
  const alone = lists.map(({ images, ...own }) => vit(p, images, config, own));
  const pairs = together.flatMap(({ cls, patches }, i) => [
    [cls, alone[i]!.cls] as const,
    [patches, alone[i]!.patches] as const,
  ]);
  const { value } = interpret(pairs.flat(), {
    ...weightsOf(config),
    large: normals(3 * 3 * 90, 1),
    small: normals(2 * 3 * 90, 2),
    masks: Array.from({ length: 30 }, (_, i) => Number(i % 4 === 0)),
    keptLarge: [2, 0],
    keptSmall: [1],
  });
  for (const [one, other] of pairs) expect(worst(value(one).data, value(other).data)).toBeLessThan(1e-12);
});

test('a table without class position is resampled as the patches of one that has it', () => {
  const values = normals(17 * 4, 1);
  const [all, patches] = [input('all', [1, 17, 4]), input('patches', [1, 16, 4])];
  const options = { interpolateOffset: 0.1, interpolateAntialias: true };
  const pairs = (
    [
      [3, 5],
      [4, 4],
      [7, 2],
    ] as const
  ).map(
    (grid) =>
      [
        positionEmbedding(all, grid, options),
        positionEmbedding(patches, grid, { ...options, classToken: false }),
      ] as const,
  );
  const { value } = interpret(pairs.flat(), { all: values, patches: values.slice(4) });
  for (const [one, other] of pairs) expect(value(one).data.slice(4)).toEqual(value(other).data);
});
