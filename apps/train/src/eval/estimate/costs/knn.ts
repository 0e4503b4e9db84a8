/** What k-NN costs: the bank streams past the queries, so that the time is that of all pairs, and only queries are held. */
import { knn } from '@franca/evals';
import { requireLabels } from '../../../image-sets/image-set';
import { follow, type KnnValues, PAPER_KNN, type ProtocolOptions } from '../../paper-protocol';
import { neighbourCounts } from '../../usual-values';
import { madeUpTokens, repeated } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { floats, tokensOf } from './readings';
import { searchBytes, searchWork } from './search';

export interface KnnCostOptions extends ProtocolOptions, Partial<KnnValues> {
  readonly shots?: number;
  readonly tries?: number;
}

const SOME = 256;

export async function knnCost(question: CostQuestion, options: KnnCostOptions): Promise<TaskCost> {
  const { session, backend, context, sets } = question;
  const asked = { task: 'knn', protocol: options.protocol, paper: PAPER_KNN, given: options, input: context.input() };
  const { values, resize } = follow(asked);
  const { train, test } = requireLabels(await sets('images'));
  const dim = session.model.config.embedDim;
  const classes = train.classes.length;
  const { ks, rows, times } = knnSizes(options, values, { images: train.length, classes });
  const voting = { ks, backend, temperature: values.temperature, classes };
  const trial = (bank: number, queries: number, scale: number): Promise<unknown> =>
    knn(repeated(madeUpTokens(bank, dim, classes), scale), madeUpTokens(queries, dim, classes, 1), voting);
  const passes: Work[] = [
    {
      name: 'bank, row by row',
      units: times * rows,
      trial: (scale) => ({ units: scale * SOME, run: () => trial(SOME, 1, scale) }),
    },
    {
      name: 'votes',
      units: times * test.length,
      trial: (scale) => ({ units: scale * SOME, run: () => trial(SOME, scale * SOME, 1) }),
    },
  ];
  const search = { name: 'search', rows, queries: test.length, dim, k: Math.max(...ks), times };
  return {
    reads: [train, test].map((set) => tokensOf(question, set, { resize })),
    work: [searchWork(backend, search), ...passes],
    held: {
      host: 2 * floats(test.length, dim) + (options.shots ? floats(rows, dim, times) : 0),
      device: searchBytes(test.length, dim, search.k),
    },
  };
}

/** Rows of the bank, how often one is searched, and the numbers of neighbours. */
export function knnSizes(
  { shots, tries = 5 }: Pick<KnnCostOptions, 'shots' | 'tries'>,
  { k }: Partial<KnnValues>,
  train: { readonly images: number; readonly classes: number },
): { readonly ks: readonly number[]; readonly rows: number; readonly times: number } {
  const ks = k ?? neighbourCounts(train.images);
  if (shots === undefined) return { ks, rows: train.images, times: 1 };
  return { ks, rows: Math.min(train.images, shots * train.classes), times: tries };
}
