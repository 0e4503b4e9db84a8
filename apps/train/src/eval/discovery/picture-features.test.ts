import { expect, test } from 'vitest';
import { tinyConfig } from '../../../test/tiny-model';
import { attentionOf, type PictureFeatures, requestOf, tokensOf } from './picture-features';
import { settingsOf } from './settings';

// one register, 1 x 2 patches, 2 heads of 1: token t has queries 100 t + (0, 1), keys 10 more, values 20 more
const qkv = Float32Array.from(
  { length: 4 * 6 },
  (_, i) => 100 * Math.floor(i / 6) + 10 * Math.floor((i % 6) / 2) + (i % 2),
);
const features: PictureFeatures = {
  dim: 2,
  grid: [1, 2],
  heads: 2,
  prefixTokens: 2,
  blockQkv: [qkv.map((value) => -value), qkv],
  blockPatches: [Float32Array.of(3, 4, 5, 6)],
};
const request = { blockQkv: [3, 7], blockPatches: [7] };
const tokens = (feature: 'query' | 'key' | 'value' | 'output', layer = 7) => [
  ...tokensOf(features, request, { feature, layer }, []).patches,
];

test('queries, keys and values are those of the patches alone, of all heads side by side', () => {
  expect(tokens('query')).toEqual([200, 201, 300, 301]);
  expect(tokens('key')).toEqual([210, 211, 310, 311]);
  expect(tokens('value')).toEqual([220, 221, 320, 321]);
  expect(tokens('key', 3)).toEqual([-210, -211, -310, -311]);
});

test('output is the block after the final norm, without the planes of RASA', () => {
  expect(tokens('output')).toEqual([3, 4, 5, 6]);
  const plane = [Float64Array.of(1, 0), Float64Array.of(0, 0)];
  expect([...tokensOf(features, request, { feature: 'output', layer: 7 }, [plane]).patches]).toEqual([0, 4, 0, 6]);
  expect(tokens('output')).toEqual([3, 4, 5, 6]);
});

test('attention of CLS leaves CLS and registers out, which take their share', () => {
  const small = { ...features, blockQkv: [qkv, qkv.map((value) => value / 1000)] };
  const [a, b] = [
    [0, 100, 200, 300],
    [1, 101, 201, 301],
  ].map((keys, head) => {
    // queries of CLS are 0 and 1 thousandth
    const weights = keys.map((key) => Math.exp((head / 1000) * ((key + 10) / 1000)));
    const sum = weights.reduce((x, y) => x + y);
    return weights.map((weight) => weight / sum).slice(2);
  });
  const attention = attentionOf(small, request, 7);
  expect(attention).toHaveLength(4);
  for (const [i, value] of [...a!, ...b!].entries()) expect(attention[i]).toBeCloseTo(value, 6);
});

test('a pass is asked for each block once', () => {
  const config = { ...tinyConfig, depth: 12 };
  expect(requestOf(settingsOf({}, config))).toEqual({ blockQkv: [11], blockPatches: [11] });
  expect(requestOf(settingsOf({ features: ['output'], methods: ['lost'] }, config))).toEqual({
    blockQkv: [],
    blockPatches: [11],
  });
  const both = [...settingsOf({ layer: 3 }, config), ...settingsOf({ layer: 0, features: ['query'] }, config)];
  expect(requestOf(both)).toEqual({ blockQkv: [0, 3], blockPatches: [3] });
});
