/**
 * Which pairs are evaluated: of each class, a draw for each change of viewpoint and one from all.
 *
 * The reference filters the files of a class and bin, shuffles them by Python's `random.seed(20)` and takes the first 200; `all` is a draw of its
 * own from all pairs of the class. It draws from files in the order of the disk, so that two machines differ; here they are in the order
 * of their names.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOption, checkOptions } from '../errors';
import { pythonShuffle } from '../numerics/python-shuffle';
import type { KeyPointPair } from './key-point-pair';

/** Pairs that one figure is taken over. */
export interface PairBin {
  /** `d=0`, `d=1`, `d=2`: the change of viewpoint; `all`. */
  readonly name: string;
  /** Indices of pairs, class by class in the order of the draw. */
  readonly pairs: readonly number[];
}

export interface DrawPairsOptions {
  /** Pairs of a class in each bin; Infinity takes all. Default 200. */
  readonly perBin?: number;
  /** Default 20. */
  readonly seed?: number;
}

const OPTIONS: OptionKinds<DrawPairsOptions> = { perBin: 'number', seed: 'number' };

/** The bins of a list of pairs, in the order of the paper's Table 6. */
export const PAIR_BINS: readonly string[] = ['d=0', 'd=1', 'd=2', 'all'];

/** Whether a pair may be drawn for a bin. */
const isInBin = ({ viewpoint }: Pick<KeyPointPair, 'viewpoint'>, bin: string): boolean =>
  bin === 'all' || bin === `d=${viewpoint}`;

/**
 * @param pairs in the order of their file names
 * @returns bins that have a pair
 * @throws EvalsError `argument` or `options`
 */
export function drawPairs(
  pairs: readonly Pick<KeyPointPair, 'category' | 'viewpoint'>[],
  options: DrawPairsOptions = {},
): PairBin[] {
  checkArgument('drawPairs', 'pairs', pairs, 'list');
  checkOptions('drawPairs', options, OPTIONS);
  const { perBin = 200, seed = 20 } = options;
  checkOption(
    perBin === Number.POSITIVE_INFINITY || (Number.isInteger(perBin) && perBin > 0),
    `drawPairs: perBin is ${perBin}; it must be a positive integer, or Infinity`,
  );
  for (const [i, pair] of pairs.entries()) {
    checkArgument('drawPairs', `pairs[${i}]`, pair, 'object');
    checkOption(
      Number.isInteger(pair.category) && pair.category >= 0,
      `drawPairs: category of pairs[${i}] is ${pair.category}; number classes from 0`,
    );
  }
  const categories = [...new Set(pairs.map(({ category }) => category))].sort((a, b) => a - b);
  const drawn = (bin: string, category: number): number[] => {
    const own = [...pairs.keys()].filter((i) => pairs[i]!.category === category && isInBin(pairs[i]!, bin));
    if (own.length <= perBin) return own;
    return Array.from(pythonShuffle(own.length, seed).subarray(0, perBin), (at) => own[at]!);
  };
  return PAIR_BINS.map((name) => ({ name, pairs: categories.flatMap((category) => drawn(name, category)) })).filter(
    (bin) => bin.pairs.length > 0,
  );
}
