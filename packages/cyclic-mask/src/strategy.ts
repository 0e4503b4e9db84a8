/** Masking strategies by name, and the switches by which the official configuration selects them. */
import { blockMask } from './block-mask';
import type { Grid, Mask } from './grid';
import { cyclicMask, inverseBlockMask } from './inverse-block-mask';
import { multiBlockMask } from './multi-block-mask';
import type { RandomSource } from './random';
import { randomMask } from './random-mask';

/** A way to choose `count` patches of a grid; write your own to use it in a batch. */
export type MaskStrategy = (grid: Grid, count: number, random: RandomSource) => Mask;

/** Names of the built-in strategies. */
export type MaskStrategyName = 'random' | 'multi-block' | 'block' | 'rolled-block' | 'inverse-block' | 'cyclic';

/** The built-in strategies with default options, by name. */
export const maskStrategies: Readonly<Record<MaskStrategyName, MaskStrategy>> = {
  random: randomMask,
  'multi-block': (grid, count, random) => multiBlockMask(grid, count, random),
  block: (grid, count, random) => blockMask(grid, count, random),
  'rolled-block': (grid, count, random) => blockMask(grid, count, random, { roll: true }),
  'inverse-block': (grid, count, random) => inverseBlockMask(grid, count, random),
  cyclic: cyclicMask,
};

/** The three switches of the official configuration files. */
export interface OfficialMaskFlags {
  readonly use_block_masking: boolean;
  readonly use_inverse_block: boolean;
  readonly roll: boolean;
}

/** The strategy that the official switches select; without `use_block_masking` the other two do nothing. */
export function strategyOfFlags({ use_block_masking, use_inverse_block, roll }: OfficialMaskFlags): MaskStrategyName {
  if (!use_block_masking) return 'multi-block';
  if (use_inverse_block) return roll ? 'cyclic' : 'inverse-block';
  return roll ? 'rolled-block' : 'block';
}
