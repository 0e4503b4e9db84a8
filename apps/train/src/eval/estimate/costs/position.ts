/** What reading positions costs: second moments of all tokens. */
import { positionDecodability } from '@franca/evals';
import { madeUpPatches, type PatchShape, repeated } from '../made-up';
import type { CostQuestion, TaskCost } from '../task-cost';
import { floats, gridOf, patchesOf } from './readings';

export async function positionCost({ session, backend, sets }: CostQuestion): Promise<TaskCost> {
  const { train, test } = await sets('dense');
  const dim = session.model.config.embedDim;
  const shape: PatchShape = { dim, grid: gridOf(session), side: 1, classes: 1 };
  return {
    reads: [train, test].map((set) => patchesOf(session, set)),
    work: [
      {
        name: 'moments',
        units: train.length + test.length,
        trial: (scale) => ({
          units: scale + 1,
          run: () =>
            positionDecodability(repeated(madeUpPatches(1, shape), scale), madeUpPatches(1, shape, 1), {
              backend,
              ridge: 1,
            }),
        }),
      },
    ],
    held: { host: 8 * floats(dim, dim), device: 4 * floats(dim, dim) },
  };
}
