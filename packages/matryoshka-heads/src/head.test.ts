import { countParameters, type ParameterSpecs, parametersOf } from '@franca/nn';
import { compile, type Gpu, type Shape } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dinoConfig, type HeadConfig, matryoshkaConfig } from './config';
import { detectHead } from './detect';
import { projectionHead } from './head';
import { headSpecs } from './specs';

const shapesOf = (specs: ParameterSpecs): Record<string, Shape> =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, shape]));
/** Parameters of one level, projection, MLP and prototypes. */
const levelCount = (config: HeadConfig, i: number) =>
  countParameters(
    Object.fromEntries(Object.entries(headSpecs(config)).filter(([name]) => name.split('.')[1] === String(i))),
  );

describe('official sizes', () => {
  test.each([
    [768, 384, 126_532_176],
    [1024, 384, 128_159_552],
    [1536, 384, 131_938_080],
    [768, 256, 92_714_960],
    [1024, 256, 94_342_336],
    [1536, 256, 98_120_864],
  ])('width %d, bottleneck %d: %d parameters', (D, bottleneckDim, total) => {
    expect(countParameters(headSpecs(matryoshkaConfig(D, 131072, { bottleneckDim })))).toBe(total);
  });
  test.each([
    [768, 126_889_296],
    [1024, 128_794_432],
    [1536, 133_366_560],
  ])('width %d, projecting the whole token: %d parameters', (D, total) => {
    expect(countParameters(headSpecs(matryoshkaConfig(D, 131072, { nesting: 'project' })))).toBe(total);
  });
  test('level by level, ViT-B', () => {
    const config = matryoshkaConfig(768);
    const expected = [8_239_792, 11_498_976, 18_031_168, 31_150_848, 57_611_392];
    expect(config.levels.map((_, i) => levelCount(config, i))).toEqual(expected);
  });
  test('prototypes scale with the width of the level', () => {
    expect(matryoshkaConfig(1536).levels).toEqual([
      { width: 96, prototypes: 8192 },
      { width: 192, prototypes: 16384 },
      { width: 384, prototypes: 32768 },
      { width: 768, prototypes: 65536 },
      { width: 1536, prototypes: 131072 },
    ]);
  });
  test('the plain head of the same size', () => {
    // 57.0 M
    expect(countParameters(headSpecs(dinoConfig(768, 131072, { bottleneckDim: 384 })))).toBe(57_020_800);
  });
});

describe('detection from shapes', () => {
  const small = { layers: 3, hiddenDim: 20, bottleneckDim: 8 };
  test.each<[string, HeadConfig]>([
    ['sliced', matryoshkaConfig(32, 100, small)],
    ['projected', matryoshkaConfig(32, 100, { ...small, nesting: 'project' })],
    ['without projection', matryoshkaConfig(32, 100, { ...small, projection: false })],
    ['plain', dinoConfig(32, 50, { ...small, layers: 4 })],
    [
      'three levels of its own',
      {
        ...matryoshkaConfig(32),
        ...small,
        levels: [
          { width: 5, prototypes: 9 },
          { width: 7, prototypes: 3 },
          { width: 32, prototypes: 2 },
        ],
      },
    ],
    ['a projection that ends below the token', { ...matryoshkaConfig(32), ...small, nesting: 'project', embedDim: 40 }],
  ])('%s', (_, config) => {
    expect(detectHead(shapesOf(headSpecs(config)))).toEqual(config);
  });
  test('weights that are no head, or not all of one, are refused', () => {
    const shapes = shapesOf(headSpecs(matryoshkaConfig(32, 100, small)));
    expect(() => detectHead({ 'norm.weight': [32] })).toThrow(/no weights of a projection head: norm.weight/);
    expect(() => detectHead({ ...shapes, 'mlps.1.2.bias': [3] })).toThrow(
      '"mlps.1.2.bias" is [3], the head needs [20]',
    );
    expect(() => detectHead({ ...shapes, 'mlps.9.0.bias': [3] })).toThrow(
      '"mlps.9.0.bias" belongs to no head of 5 levels',
    );
    const { 'last_layers.2.weight_v': __, ...incomplete } = shapes;
    expect(() => detectHead(incomplete)).toThrow('"last_layers.2.weight_v" is missing, expected a matrix');
  });
});

describe('nesting', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  test.each(['slice', 'project'] as const)('%s: which levels see a change of the last component', async (nesting) => {
    const config = matryoshkaConfig(16, 32, { nesting, hiddenDim: 8, bottleneckDim: 4 });
    const specs = headSpecs(config);
    const weights = Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => [
        name,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + name.length)),
      ]),
    );
    using step = await compile(
      gpu,
      (_, batch) => projectionHead(parametersOf(batch), batch.tokens, config).map(({ features }) => features),
      { batch: { ...specs, tokens: { shape: [2, 16], dtype: 'f32' } } },
    );
    const token = Float32Array.from({ length: 16 }, (_, i) => Math.cos(i));
    const changed = token.with(15, 3);
    step.run({ ...weights, tokens: Float32Array.of(...token, ...changed) });
    const differs = await Promise.all(
      config.levels.map(async (_, i) => {
        const features = await step.read(`${i}`);
        return features.subarray(0, 4).some((value, j) => value !== features[4 + j]);
      }),
    );
    expect(differs).toEqual(nesting === 'slice' ? [false, false, false, false, true] : [true, true, true, true, true]);
  });

  test('tokens of another width are refused', async () => {
    const config = dinoConfig(16, 32);
    await expect(
      compile(gpu, (_, { x }) => projectionHead(parametersOf({}), x, config)[0]!.features, {
        batch: { x: { shape: [2, 8], dtype: 'f32' } },
      }),
    ).rejects.toThrow('tokens of shape [2, 8]: the head takes [rows, 16]');
  });
});

test.each([
  [{ levels: [] }, 'a head needs at least one level'],
  [{ levels: [{ width: 48, prototypes: 10 }], embedDim: 32 }, 'a level of width 48 with 10 prototypes'],
  [{ layers: 1 }, 'an MLP of 1 layers'],
  [{ kind: 'dino' as const }, "a plain DINO head has one level of the token's width 32, got 2, 4, 8, 16, 32"],
])('a head that cannot be is refused: %j', (overrides, message) => {
  expect(() => headSpecs(matryoshkaConfig(32, 100, overrides))).toThrow(message);
});

test('a misspelt override is refused', () => {
  const wrong: object = { hidden_dim: 64 };
  for (const config of [matryoshkaConfig, dinoConfig])
    expect(() => config(32, 100, wrong)).toThrow(/there is no option "hidden_dim", it is called hiddenDim/);
});
