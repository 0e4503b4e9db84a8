/** What the truncation curve costs: k-NN at each width, of the first dimensions, of principal components and of random subspaces. */
import { truncationCurve } from '@franca/evals';
import { requireLabels } from '../../../image-sets/image-set';
import { madeUpTokens } from '../made-up';
import type { CostQuestion, TaskCost } from '../task-cost';
import { floats, tokensOf } from './readings';
import { searchBytes, searchWork } from './search';

export interface TruncationCostOptions {
  readonly widths?: readonly number[];
  readonly neighbours?: number;
}

/** Searches at each width: one of each kind, and of random subspaces three. */
const SEARCHES = 5;
const SOME = 256;

export async function truncationCost(
  question: CostQuestion,
  { widths: asked, neighbours: k = 20 }: TruncationCostOptions,
): Promise<TaskCost> {
  const { session, backend, sets } = question;
  const { train, test } = requireLabels(await sets('images'));
  const dim = session.model.config.embedDim;
  const classes = train.classes.length;
  const widths = asked ?? [1, 2, 4, 8, 16].map((divisor) => dim / divisor).filter(Number.isInteger);
  const sizes = { rows: train.length, queries: test.length, k, times: SEARCHES };
  const queries = madeUpTokens(k, dim, classes, 1);
  return {
    reads: [train, test].map((set) => tokensOf(question, set)),
    work: [
      ...widths.map((width) => searchWork(backend, { ...sizes, name: `searches at width ${width}`, dim: width })),
      {
        name: 'features of all widths',
        units: train.length + test.length,
        trial: (scale) => ({
          units: scale * SOME + k,
          run: () => truncationCurve(madeUpTokens(scale * SOME, dim, classes), queries, { backend, widths, k }),
        }),
      },
    ],
    held: { host: 3 * floats(test.length, dim) + 2 * floats(dim, 2 * dim), device: searchBytes(test.length, dim, k) },
  };
}
