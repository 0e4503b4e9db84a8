import { expect, test } from 'vitest';
import { tinyConfig } from '../../test/tiny-model';
import type { ImageSet } from '../image-sets/image-set';
import { computeShard, type FeatureModel } from './compute-shard';

const D = tinyConfig.embedDim;
const set: ImageSet = {
  dataset: 'grays',
  split: 'val',
  total: 1,
  length: 1,
  classes: [],
  ignore: 255,
  notes: [],
  key: String,
  label: () => 0,
  read: async () => ({ width: 32, height: 32, channels: 3, data: new Uint8Array(32 * 32 * 3) }),
  version: () => '1',
};

/** Tokens hold their place among all. */
const places = (registers: number, classToken: boolean): FeatureModel => ({
  config: { ...tinyConfig, numRegisterTokens: registers, classToken },
  async run({ shape: [B, , H, W] }) {
    const grid = [H / tinyConfig.patchSize, W / tinyConfig.patchSize] as const;
    const prefixTokens = registers + Number(classToken);
    const tokens = prefixTokens + grid[0] * grid[1];
    const all = Float32Array.from({ length: B * tokens * D }, (_, i) => Math.floor(i / D) % tokens);
    const none = { blockCls: [], patchMean: undefined, patches: undefined, blockPatches: [] };
    return { ...none, cls: all, dim: D, grid, heads: 1, prefixTokens, blockTokens: [all] } as never;
  },
});

test.each([
  [2, true, 0, 3],
  // the mean of 16 patches from the third place on
  [2, false, 9.5, 2],
  [0, false, 7.5, 0],
])(
  '%i registers, CLS %s: %d stands first in a level before the norm, patches from place %i on follow',
  async (registers, classToken, first, second) => {
    const { levels } = await computeShard(places(registers, classToken), set, {
      preparation: { kind: 'squash', size: 4 * tinyConfig.patchSize },
      blocks: [],
      patchMean: false,
      patches: false,
      levels: { blocks: [0], norm: false },
      images: [0],
      batchSize: 1,
    });
    expect(levels!.shape).toEqual([1, 1, 17, D]);
    const values = Array.from({ length: 17 }, (_, token) => levels!.data[token * D]);
    expect(values).toEqual([first, ...Array.from({ length: 16 }, (_, n) => second + n)]);
  },
);
