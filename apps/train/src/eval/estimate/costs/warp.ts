/** What correspondence under warps costs: tokens of each picture and its warps, and the matching of their patches. */
import { drawWarp, matchWarped } from '@franca/evals';
import { spread } from '../../../image-sets/image-set';
import type { TokenStage } from '../../part';
import { STRENGTHS, warpedSet } from '../../warp/warped-set';
import { madeUpPatches } from '../made-up';
import type { CostQuestion, TaskCost } from '../task-cost';
import { gridOf, patchesOf } from './readings';

export interface WarpCostOptions {
  readonly pictures?: number;
  readonly seed?: number;
  readonly feature?: TokenStage;
}

/** As the task takes them. */
const PICTURES = 60;

export async function warpCost(
  { session, context }: CostQuestion,
  { pictures = PICTURES, seed = 0, feature = 'after-norm' }: WarpCostOptions,
): Promise<TaskCost> {
  // opened, and not yet read
  const { set } = await context.views((all, input) => warpedSet(spread(all, pictures), { ...input, seed }), feature);
  const { embedDim: dim, depth } = session.model.config;
  const { request } = patchesOf(session, set);
  const patches = feature === 'after-norm' || { block: depth - 1, norm: false };
  return {
    reads: [{ set, request: { ...request, patches } }],
    work: [
      {
        name: 'matches',
        units: set.length - set.length / (1 + STRENGTHS.length),
        trial: (scale) => ({
          units: scale,
          async run() {
            const shape = { dim, grid: gridOf(session), side: 1, classes: 1 };
            const [source, target] = [madeUpPatches(1, shape), madeUpPatches(1, shape, 1)];
            for (let i = 0; i < scale; i++) matchWarped(source, target, drawWarp(STRENGTHS[0]!, `${i}`, 0));
          },
        }),
      },
    ],
    held: { host: 0, device: 0 },
  };
}
