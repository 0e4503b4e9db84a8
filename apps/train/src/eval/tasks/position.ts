/** Position decodability: how well a patch's place is read from its token. */
import { positionDecodability } from '@franca/evals';
import { positiveNumber } from '../../options/option-values';
import { positionCost } from '../estimate/costs/position';
import type { EvalTask } from '../task';

interface Options {
  readonly ridge?: number;
}

export const task: EvalTask = {
  name: 'position',
  about: 'how well position is read from patch tokens: R2 and MSE',
  reads: 'patches',
  order: 9,
  rasa: { leftOut: 'rasa has read it after each plane' },
  cost: positionCost,
  options: (command) => command.option('--ridge <r>', 'relative to the mean variance (default: 1e-6)', positiveNumber),
  async run(context, { ridge }: Options) {
    const train = await context.patches('train');
    const test = await context.patches('test');
    const { outcome } = await positionDecodability(train.batches, test.batches, {
      backend: context.backend,
      ridge,
    });
    const tokens = test.set.total * context.grid[0] * context.grid[1];
    return { records: context.records(test, [outcome], () => tokens) };
  },
};
