import { expect, test } from 'vitest';
import { tinyConfig } from '../../../test/tiny-model';
import { describeSetting, settingsOf, variantOf } from './settings';
import { triedSettings } from './sweep';

const deit = { ...tinyConfig, depth: 12, numHeads: 3 };

test('by default every method runs on keys, values and output of the last block, with the official numbers', () => {
  expect(settingsOf({}, deit)).toEqual([
    ...['key', 'value', 'output'].map((feature) => ({
      method: 'tokencut',
      feature,
      layer: 11,
      tau: 0.2,
      eps: 1e-5,
      weighted: false,
    })),
    ...['key', 'value', 'output'].map((feature) => ({
      method: 'lost',
      feature,
      layer: 11,
      k: 100,
      normalise: false,
      bias: 0,
    })),
    { method: 'dino-seg', layer: 11, mass: 0.6, head: 2 },
  ]);
  expect(settingsOf({ methods: ['dino-seg'] }, { ...deit, numHeads: 6 })).toMatchObject([{ head: 4 }]);
});

test('blocks are counted from the first or from the last; what there is not is refused', () => {
  const options = { methods: ['lost'], features: ['query'] } as const;
  const layers = [0, 3, -1, -12].map((layer) => settingsOf({ ...options, layer }, deit)[0]!.layer);
  expect(layers).toEqual([0, 3, 11, 0]);
  for (const layer of [12, -13])
    expect(() => settingsOf({ ...options, layer }, deit)).toThrow(/does not exist.*--layer from 0 to 11/);
  expect(() => settingsOf({ head: 3 }, deit)).toThrow(/head 3 does not exist, the model has 3/);
});

test('a setting names what it reads, and what it does with it', () => {
  const [cut, lost, seg] = settingsOf({ features: ['query'], normalise: true, bias: 0.2 }, deit);
  expect([cut, lost, seg].map((setting) => describeSetting(setting!))).toEqual([
    'tokencut, queries of block 11',
    'lost, queries of block 11, unit length, bias 0.2',
    'dino-seg, attention of head 2 of block 11',
  ]);
  expect(variantOf(lost!)).toBe('queries of block 11, unit length, bias 0.2');
  const [other] = settingsOf({ features: ['key'], tau: 0.3, weighted: true }, deit);
  expect(variantOf(other!)).toBe('keys of block 11, tau 0.3, weighted');
});

test('a sweep tries four blocks with four features, the official setting first; of LOST raw products and biased cosines', () => {
  const [cuts, losts] = (['tokencut', 'lost'] as const).map((method) => triedSettings(method, { tau: 0.3 }, deit));
  expect([cuts!.length, losts!.length]).toEqual([16, 112]);
  expect(cuts![0]).toMatchObject({ feature: 'key', layer: 11, tau: 0.3 });
  expect(losts![0]).toMatchObject({ feature: 'key', layer: 11, normalise: false, bias: 0 });
  expect(new Set(losts!.map((setting) => JSON.stringify(setting))).size).toBe(112);
  expect([...new Set(cuts!.map(({ layer }) => layer))]).toEqual([11, 10, 9, 8]);
  expect(triedSettings('tokencut', {}, tinyConfig)).toHaveLength(8);
});
