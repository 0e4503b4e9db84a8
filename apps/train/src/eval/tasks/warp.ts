/** Correspondence under known warps: does a patch of a photograph find itself again when the photograph is turned, zoomed, shifted and tilted? */
import { type Sink, writeFileAtomic } from '@franca/checkpoint';
import { type Outcome, tallyWarp, type WarpTally, warpCorrespondence } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { Option } from 'commander';
import { type ImageSet, spread } from '../../image-sets/image-set';
import { index, positiveInteger } from '../../options/option-values';
import type { EvalContext } from '../context';
import { warpCost } from '../estimate/costs/warp';
import type { TokenStage } from '../part';
import type { EvalTask } from '../task';
import { isShown, warpsFigure } from '../warp/shown-warps';
import { type WarpedPair, warpedPairs } from '../warp/warped-pairs';
import { STRENGTHS, type WarpedSet, warpedSet } from '../warp/warped-set';

interface Options {
  readonly pictures?: number;
  readonly seed?: number;
  readonly feature?: TokenStage;
  readonly items?: string;
}

const PICTURES = 60;

export const task: EvalTask = {
  name: 'warp',
  about: 'correspondence under known warps: does a patch find itself again? (exact truth, no labels)',
  reads: 'images',
  order: 13,
  rasa: { options: {} },
  cost: warpCost,
  options: (command) =>
    command
      .option('--pictures <n>', `at most so many, evenly spaced (default: ${PICTURES})`, positiveInteger)
      .option('--seed <n>', 'of the warps (default: 0)', index)
      .addOption(
        new Option('--feature <which>', 'patch tokens after the final norm or before it (default: after-norm)').choices(
          ['after-norm', 'before-norm'],
        ),
      )
      .option(
        '--items <file>',
        'write one line of JSON for each picture and warp, with every patch and where it was found',
      ),
  async run(context, { pictures = PICTURES, seed = 0, feature = 'after-norm', items }: Options) {
    const began = performance.now();
    const { set, batches, preprocessing } = await warpedPart(context, pictures, seed, feature);
    const tallies = new Map(STRENGTHS.map((strength) => [strength, [] as WarpTally[]]));
    const shown: WarpedPair[] = [];
    let side = 0;
    const score = async (write?: Sink): Promise<void> => {
      for await (const pair of warpedPairs(set, batches)) {
        side = pair.side;
        tallies.get(pair.warped.strength)!.push(tallyWarp(pair.matches, side));
        if (isShown(set, pair)) shown.push(pair);
        await write?.(Buffer.from(`${JSON.stringify(lineOf(set, pair))}\n`));
      }
    };
    await (items === undefined ? score() : writeFileAtomic(items, score));
    const wallMs = (performance.now() - began) / STRENGTHS.length;
    const outcomes = [...tallies].map(([strength, of]): Outcome => {
      const outcome = warpCorrespondence(strength, of, { side, seed, wallMs });
      return { ...outcome, hyper: { ...outcome.hyper, feature } };
    });
    const figure = await warpsFigure(set, shown, Number(outcomes[0]!.hyper.threshold));
    return {
      records: context.records({ set, preprocessing }, outcomes),
      section: { text: ABOUT, tables: [tableOf(outcomes)], charts: figure ? [{ figure }] : [] },
    };
  },
};

/** Patch tokens of test pictures and their warps. */
async function warpedPart(context: EvalContext, pictures: number, seed: number, feature: TokenStage) {
  const make = (set: ImageSet, input: { size: number; resize?: number | undefined }) =>
    warpedSet(spread(set, pictures), { ...input, seed });
  const { set, batches } = await context.views(make, feature);
  return { set, batches, preprocessing: set.preprocessing };
}

const ABOUT =
  'Each picture and its warp go through the model. A patch of the picture is found where the most similar patch of the warp has its centre, and counts within a tenth ' +
  'of the side of where the warp took it. Patches that left the picture are not asked for. By chance: of any patch; in place: of the patch at the old position, which is all ' +
  'that a token knows that knows its position only; best cell: of the nearest patch. ±: standard error over pictures.';

function tableOf(outcomes: readonly Outcome[]): ReportTable {
  const percent = (share: number | undefined) => (share === undefined ? undefined : (100 * share).toFixed(1));
  const FLOORS = [
    'chance@0.1',
    'in place@0.1',
    'recall@0.05',
    'chance@0.05',
    'in place@0.05',
    'best cell@0.05',
  ] as const;
  return {
    caption: 'share of patches found within 0.1 and 0.05 of the side, %',
    columns: [
      'warp',
      'patches',
      'within 0.1',
      'chance',
      'in place',
      'within 0.05',
      'chance',
      'in place',
      'best cell',
      'error in cells',
    ],
    rows: outcomes.map(({ variant, value, others, hyper }) => {
      const error = percent(others['standard error']);
      return [
        variant,
        Number(hyper.points),
        error === undefined ? percent(value) : `${percent(value)} ± ${error}`,
        ...FLOORS.map((name) => percent(others[name])),
        others['mean error in cells']?.toFixed(2),
      ];
    }),
  };
}

/** Everything that is known about a pair, in one line; positions in shares of the side. */
function lineOf(set: WarpedSet, { images, warped, side, matches }: WarpedPair) {
  return {
    image: set.key(images[0]),
    ...warped,
    side,
    points: matches.map(({ source, found, truth, error }) => ({ source, found, truth, errorInCells: error * side })),
  };
}
