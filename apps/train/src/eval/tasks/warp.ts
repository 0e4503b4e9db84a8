/** Correspondence under known warps: does a patch of a photograph find itself again when the photograph is turned, zoomed, shifted and tilted? */
import { type Sink, writeFileAtomic } from '@franca/checkpoint';
import { type Outcome, tallyWarp, type WarpTally, warpCorrespondence } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { spread } from '../../image-sets/image-set';
import { index, positiveInteger } from '../../options/option-values';
import type { EvalTask } from '../task';
import { type WarpedPair, warpedPairs } from '../warp/warped-pairs';
import { STRENGTHS, type WarpedSet, warpedSet } from '../warp/warped-set';

interface Options {
  readonly pictures?: number;
  readonly seed?: number;
  readonly items?: string;
}

const PICTURES = 60;

export const task: EvalTask = {
  name: 'warp',
  about: 'correspondence under known warps: does a patch find itself again? (exact truth, no labels)',
  reads: 'images',
  order: 13,
  options: (command) =>
    command
      .option('--pictures <n>', `at most so many, evenly spaced (default: ${PICTURES})`, positiveInteger)
      .option('--seed <n>', 'of the warps (default: 0)', index)
      .option(
        '--items <file>',
        'write one line of JSON for each picture and warp, with every patch and where it was found',
      ),
  async run(context, { pictures = PICTURES, seed = 0, items }: Options) {
    const began = performance.now();
    const part = await context.views('test', (set, input) => warpedSet(spread(set, pictures), { ...input, seed }));
    const tallies = new Map(STRENGTHS.map((strength) => [strength, [] as WarpTally[]]));
    let side = 0;
    const score = async (write?: Sink): Promise<void> => {
      for await (const pair of warpedPairs(part.set, part.batches)) {
        side = pair.side;
        tallies.get(pair.warped.strength)!.push(tallyWarp(pair.matches, side));
        await write?.(Buffer.from(`${JSON.stringify(lineOf(part.set, pair))}\n`));
      }
    };
    await (items === undefined ? score() : writeFileAtomic(items, score));
    const wallMs = (performance.now() - began) / STRENGTHS.length;
    const outcomes = [...tallies].map(([strength, of]) => warpCorrespondence(strength, of, { side, seed, wallMs }));
    const records = context.records({ ...part, preprocessing: part.set.preprocessing }, outcomes);
    return { records, section: { text: ABOUT, tables: [tableOf(outcomes)] } };
  },
};

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
