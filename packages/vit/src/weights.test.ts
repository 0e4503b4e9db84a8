import { expect, test } from 'vitest';
import { vitConfig } from './config';
import { vitSpecs } from './specs';
import { configOfWeights, weightsFrom } from './weights';

const chunked = (name: string) => name.replace(/^blocks\.(\d+)\./, 'blocks.2.$1.');

test('a configuration is read off its own weights, chunked or flat', () => {
  for (const config of [
    vitConfig('base', { imgSize: 518 }),
    vitConfig('giant2'),
    vitConfig('tiny', { ffnLayer: 'mlp', layerScale: undefined, patchSize: 16, numRegisterTokens: 4 }),
  ]) {
    const shapes = Object.fromEntries(
      Object.entries(vitSpecs(config)).map(([name, { shape }]) => [chunked(name), shape]),
    );
    expect(configOfWeights(shapes)).toEqual(config);
  }
  expect(() => configOfWeights({ 'teacher.pos_embed': [1, 2, 3] })).toThrow(/no tensor "patch_embed\.proj\.weight"/);
});

test('values are found under flat names, whatever chunk their block is in', () => {
  const read = weightsFrom({ 'blocks.3.6.norm1.bias': [1], 'blocks.7.norm1.bias': [2] });
  expect([read('blocks.6.norm1.bias'), read('blocks.7.norm1.bias'), read('blocks.3.norm1.bias')]).toEqual([
    [1],
    [2],
    undefined,
  ]);
});
