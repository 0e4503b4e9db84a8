import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { decodeVitConfig, encodeVitConfig } from './stored-config';

const stored = {
  config: vitConfig('small', { numHeads: 4, numRegisterTokens: 4, layerScale: undefined, interpolateOffset: 0 }),
  assumed: ['numHeads' as const],
};

test('a configuration comes back as it was, under official names', () => {
  const text = encodeVitConfig(stored);
  expect(decodeVitConfig(text)).toEqual(stored);
  expect(JSON.parse(text)).toMatchObject({
    model_type: 'franca-vit',
    embed_dim: 384,
    num_heads: 4,
    layer_scale: null,
    assumed: ['num_heads'],
  });
});

test('JSON of another program is none; broken JSON of this one is refused', () => {
  for (const other of ['{"model_type": "dinov2", "num_attention_heads": 6}', '[]', 'null', '3'])
    expect(decodeVitConfig(other)).toBeUndefined();
  const json = JSON.parse(encodeVitConfig(stored)) as object;
  const changed = (change: object) => () => decodeVitConfig(JSON.stringify({ ...json, ...change }));
  expect(changed({ num_heads: 2.5 })).toThrow(/num_heads is 2\.5; expected a whole number/);
  expect(changed({ num_heads: '6' })).toThrow(/num_heads is "6"/);
  expect(changed({ embed_dim: undefined })).toThrow(/embed_dim is absent/);
  expect(changed({ mlp_ratio: -4 })).toThrow(/mlp_ratio is -4/);
  expect(changed({ ffn_layer: 'moe' })).toThrow(/ffn_layer is "moe"/);
  expect(changed({ interpolate_offset: 1 })).toThrow(/interpolate_offset is 1; expected a number from 0, below 1/);
  expect(changed({ interpolate_antialias: 'yes' })).toThrow(/interpolate_antialias is "yes"/);
  expect(() => decodeVitConfig('{')).toThrow(/not JSON/);
});
