/** Mask coverage: how evenly masking strategies show the positions of an image. Needs neither weights nor images. */
import { type Grid, type MaskStrategyName, maskStrategies, sampleBatch, seededRandom } from '@franca/cyclic-mask';
import { type CoverageCounts, countVisible, evalRecord, maskCoverage } from '@franca/evals';
import { maskCoverageFigure } from '@franca/viz';
import { positiveInteger } from '../../options/option-values';
import type { EvalTask } from '../task';

interface Options {
  readonly draws?: number;
  readonly side?: number;
}

const BATCH = 64;

export const task: EvalTask = {
  name: 'coverage',
  about: 'how evenly masking strategies show positions (paper Fig. 4)',
  reads: 'nothing',
  order: 11,
  options: (command) =>
    command
      .option('--draws <n>', 'masks of each strategy (default: 20000)', positiveInteger)
      .option('--side <n>', 'patches of a side (default: 16)', positiveInteger),
  async run(context, { draws = 20_000, side }: Options) {
    const [height, width] = side === undefined ? context.grid : [side, side];
    const names = Object.keys(maskStrategies) as MaskStrategyName[];
    const coverages = names.map((name) => ({ name, counts: coverageOf(name, { height, width }, draws) }));
    const results = coverages.map(({ name, counts }) => maskCoverage(counts, name));
    const subject = { dataset: 'drawn masks', split: `${height} x ${width}`, features: 'none', preprocessing: 'none' };
    return {
      records: results.map(({ outcome }) => evalRecord(subject, { ...outcome, seeds: [0] })),
      section: {
        charts: [
          {
            figure: maskCoverageFigure(coverages.map(({ name, counts }) => ({ name, ...counts }))),
          },
        ],
      },
    };
  },
};

/** Masks as training draws them: ratios uniform in 0.1 to 0.65, every crop masked. */
function coverageOf(strategy: MaskStrategyName, grid: Grid, draws: number): CoverageCounts {
  const random = seededRandom(0);
  const options = { crops: BATCH, grid, strategy, probability: 1 };
  const masks: ArrayLike<number>[] = [];
  while (masks.length < draws) masks.push(...sampleBatch(options, random));
  return countVisible(masks.slice(0, draws), [grid.height, grid.width]);
}
