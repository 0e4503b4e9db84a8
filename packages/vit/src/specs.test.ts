import { countParameters } from '@franca/nn';
import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { vitSpecs } from './specs';

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

const tiny = vitConfig('tiny', { depth: 1, imgSize: 28, patchSize: 7, ffnLayer: 'mlp', layerScale: undefined });
const FRANCA = Object.keys(vitSpecs(tiny));
const weightAndBias = (name: string) => [`${name}.weight`, `${name}.bias`];

test.each([
  ['a norm before the blocks', { preNorm: true }, [], weightAndBias('norm_pre')],
  ['rotary positions', { ropeTheta: 100 }, ['pos_embed'], []],
  [
    'no class token',
    { classToken: false },
    ['cls_token'],
    [
      'attn_pool.latent',
      ...['q', 'kv', 'proj', 'norm', 'mlp.fc1', 'mlp.fc2'].flatMap((name) => weightAndBias(`attn_pool.${name}`)),
    ],
  ],
] as const)('%s: what it adds to the parameters and takes away', (_, options, without, more) => {
  const names = Object.keys(vitSpecs({ ...tiny, ...options }));
  const kept = FRANCA.filter((name) => !(without as readonly string[]).includes(name));
  expect(new Set(names)).toEqual(new Set([...kept, ...more]));
});

test('without a class token the table has no position for one, and the pooling has the shapes that timm gives it', () => {
  const specs = vitSpecs({ ...tiny, classToken: false });
  expect(specs.pos_embed!.shape).toEqual([1, 16, 192]);
  expect(specs['attn_pool.latent']!.shape).toEqual([1, 1, 192]);
  expect(specs['attn_pool.kv.weight']!.shape).toEqual([384, 192]);
  expect(specs['attn_pool.mlp.fc1.weight']!.shape).toEqual([768, 192]);
});

test.each([
  [
    { embedDim: 30, numHeads: 5, ropeTheta: 100 },
    /width of a head is a multiple of 4; it is 6, with no number of heads it is one/,
  ],
  [{ embedDim: 48, numHeads: 8, ropeTheta: 100 }, /it is 6, with 1 or 2 or 3 or 4 or 6 heads it is one/],
  [{ ropeTheta: 0 }, /ropeTheta is 0; give a number above 0/],
  [{ normEps: Number.NaN }, /normEps is NaN/],
  [{ activation: 'relu' as 'gelu' }, /no activation "relu"; there are gelu, gelu_tanh and quick_gelu/],
  [{ ffnLayer: 'swiglu', activation: 'quick_gelu' }, /swiglu has one of its own/],
  [{ numHeads: 5 }, /embedDim 192 does not divide into 5 heads/],
] as const)('%o is refused', (options, message) => {
  expect(() => vitSpecs({ ...tiny, ...options })).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringMatching(message) }),
  );
});
