import { expect, test } from 'vitest';
import { matchSizes } from './sizes';

const deit = { size: 224, patchSize: 16 };
const franca = { size: 224, patchSize: 14 };
const sides = (...args: Parameters<typeof matchSizes>) =>
  matchSizes(...args).map(({ side, input, label }) => [side, input, label]);

test("the default is the input's side and twice that; 224 is the paper's low one", () => {
  expect(sides(deit, {})).toEqual([
    [224, 224, 'low'],
    [448, 448, '448 px'],
  ]);
  expect(sides({ size: 32, patchSize: 8 }, {})).toEqual([
    [32, 32, '32 px'],
    [64, 64, '64 px'],
  ]);
});

test("the paper's sizes are 224 and 800, in the nearest whole patches, or with the margin of the reference", () => {
  expect(sides(deit, { protocol: 'paper' })).toEqual([
    [224, 224, 'low'],
    [800, 800, 'high'],
  ]);
  expect(sides(franca, { protocol: 'paper' })[1]).toEqual([798, 798, 'high']);
  expect(matchSizes(franca, { sizes: [800] })[0]!.note).toMatch(/800 px are no whole patches of 14: 798 px are taken/);
  const [, high] = matchSizes(franca, { protocol: 'paper', quirks: true });
  expect(high).toMatchObject({ side: 800, input: 812, label: 'high' });
  expect(high!.note).toMatch(/zeros around to 812 px, and positions are not corrected/);
});

test('two sizes that are the same in whole patches are refused', () => {
  expect(() => matchSizes(franca, { sizes: [224, 225] })).toThrow(/--sizes 224,225: two of them are 224 px/);
});
