/** What one probe on several test sets costs: that of the linear evaluation, and the images of the other sets. */
import { findSets, REAL } from '../../robustness-sets';
import { PROBE_BLOCKS } from '../../train-probe';
import type { UseProbeOptions } from '../../use-probe';
import type { CostQuestion, FeatureReading, TaskCost } from '../task-cost';
import { linearCost } from './linear';
import { scoringWork } from './probe';
import { tokensOf } from './readings';

export interface RobustnessCostOptions extends UseProbeOptions {
  readonly data?: string;
  readonly sets?: string;
  readonly set?: Readonly<Record<string, string>>;
}

export async function robustnessCost(question: CostQuestion, options: RobustnessCostOptions): Promise<TaskCost> {
  const own = await linearCost(question, options);
  const { session, backend, context } = question;
  const { embedDim: dim, depth } = session.model.config;
  const shape = {
    dim,
    blocks: Math.min(PROBE_BLOCKS, depth),
    patchMean: session.weights.outputAlone?.hasPatchMean ?? true,
  };
  const others: FeatureReading[] = [];
  let classes = 2;
  for (const [name, path] of await findSets(options)) {
    // other labels of the same images
    if (name === REAL) continue;
    const set = await context.testSet(path, name);
    classes = Math.max(classes, set.classes.length);
    others.push(tokensOf(question, set, { ...shape, resize: options.resize }));
  }
  const images = others.reduce((sum, { set }) => sum + set.length, 0);
  const columns = (shape.blocks + Number(shape.patchMean)) * dim;
  return {
    ...own,
    reads: [...own.reads, ...others],
    work: [
      ...own.work,
      scoringWork({ backend, shape, classes }, 'scores on the other sets', images * columns * classes),
    ],
  };
}
