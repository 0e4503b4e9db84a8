/** What semantic correspondence costs: tokens of all pictures of the pairs at each size, and the search of each key point. */
import { drawPairs, matchPair } from '@franca/evals';
import { chosenOf } from '../../../image-sets/image-set';
import { preparationAt } from '../../correspondence/match-set';
import { type MatchSize, matchSizes, type SizeOptions } from '../../correspondence/sizes';
import { matchTokens, type TokenOptions } from '../../correspondence/tokens';
import type { PairPart } from '../../part';
import { madeUpPatches } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';

export interface CorrespondenceCostOptions extends SizeOptions, TokenOptions {
  readonly split?: string;
  readonly pairsPerBin?: number;
  readonly pairList?: string;
}

/** As the task draws them. */
const PAIRS_PER_BIN = 200;
const SEED = 20;

export async function correspondenceCost(
  { session, context }: CostQuestion,
  options: CorrespondenceCostOptions,
): Promise<TaskCost> {
  const { split, pairsPerBin = PAIRS_PER_BIN, pairList } = options;
  const part = await context.pairs(split);
  const patches = matchTokens(part.model, options);
  const { pairs, pictures } = part.pairs;
  const perBin = pairList === undefined ? pairsPerBin : Number.POSITIVE_INFINITY;
  const drawn = [...new Set(drawPairs(pairs, { perBin, seed: SEED }).flatMap((bin) => bin.pairs))];
  const read = [...new Set(drawn.flatMap((index) => [pairs[index]!.source, pairs[index]!.target]))];
  const set = chosenOf(
    pictures,
    read.sort((a, b) => a - b),
  );
  const sizes = matchSizes(part.model, options);
  return {
    reads: sizes.map((size) => ({ set, request: { preparation: preparationAt(size), patches } })),
    work: sizes.map((size) => matchingWork(part, size, drawn.length, session.model.config.embedDim)),
    held: { host: 0, device: 0 },
    ...(pairList !== undefined && { unknown: ['how many pairs are listed: all are counted'] }),
  };
}

function matchingWork(
  { model, pairs: { pairs } }: PairPart,
  { side, input }: MatchSize,
  count: number,
  dim: number,
): Work {
  const cells = input / model.patchSize;
  return {
    name: `pairs at ${side} px`,
    units: count,
    trial: (scale) => ({
      units: scale,
      async run() {
        const shape = { dim, grid: [cells, cells] as const, side: 1, classes: 1 };
        const [source, target] = [madeUpPatches(1, shape), madeUpPatches(1, shape, 1)];
        for (let i = 0; i < scale; i++) matchPair(source, target, pairs[i % pairs.length]!, side);
      },
    }),
  };
}
