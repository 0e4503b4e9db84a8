/** What the fine-grained evaluations cost: a regression on each set that is there. */
import { OFFICIAL_CS } from '@franca/evals';
import { openBenchmarkSets } from '../../../image-sets/benchmark-sets';
import { requireLabels, type SetLimits } from '../../../image-sets/image-set';
import { findSets } from '../../fine-grained-sets';
import { follow, PAPER_LOGREG } from '../../paper-protocol';
import type { CostQuestion, FeatureReading, TaskCost, Work } from '../task-cost';
import { EVALUATIONS_UNKNOWN, type LogregCostOptions, regressionHeld } from './logreg';
import { tokensOf } from './readings';
import { type RegressionSizes, regressionWork } from './regression';

export interface FineGrainedCostOptions extends LogregCostOptions {
  readonly data?: string;
  readonly sets?: readonly string[];
  readonly images?: SetLimits;
}

export async function fineGrainedCost(
  question: CostQuestion,
  { protocol, sets: asked, images = {}, ...given }: FineGrainedCostOptions,
): Promise<TaskCost> {
  const { session, backend, context, opened: closing } = question;
  const { values, resize } = follow({
    ...{ task: 'fine-grained', protocol, paper: PAPER_LOGREG, given, input: context.input() },
  });
  const reads: FeatureReading[] = [];
  const work: Work[] = [];
  const sizes: RegressionSizes[] = [];
  for (const found of (await findSets(question.data.data, asked)).sets) {
    const opened = await openBenchmarkSets(found, images);
    closing.push({ [Symbol.asyncDispose]: opened.close });
    const several = opened.test.labels !== undefined;
    const { train, validation, test } = several ? opened : requireLabels(opened);
    const parts = [train, ...(validation ? [validation] : []), test];
    reads.push(...parts.map((set) => tokensOf(question, set, { resize })));
    const own = {
      train: train.length,
      validation: validation?.length ?? 0,
      test: test.length,
      dim: session.model.config.embedDim,
      // one regression of two classes for each
      classes: several ? 2 * train.classes.length : train.classes.length,
      cs: values.c ?? OFFICIAL_CS,
    };
    sizes.push(own);
    work.push(regressionWork(backend, `fits of ${found.layout.facts.name}`, own));
  }
  const held = sizes.map(regressionHeld);
  const most = (of: 'host' | 'device'): number => Math.max(...held.map((each) => each[of]));
  return { reads, work, held: { host: most('host'), device: most('device') }, unknown: [EVALUATIONS_UNKNOWN] };
}
