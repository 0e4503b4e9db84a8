/** What the evaluation by logistic regression costs. */
import { OFFICIAL_CS } from '@franca/evals';
import { requireLabels } from '../../../image-sets/image-set';
import { follow, type LogregValues, PAPER_LOGREG, type ProtocolOptions } from '../../paper-protocol';
import type { CostQuestion, HeldBytes, TaskCost } from '../task-cost';
import { floats, tokensOf } from './readings';
import { type RegressionSizes, regressionWork } from './regression';

export interface LogregCostOptions extends ProtocolOptions, Partial<LogregValues> {}

export const EVALUATIONS_UNKNOWN = 'how many evaluations a C takes: as many as it took on photographs';

export async function logregCost(question: CostQuestion, options: LogregCostOptions): Promise<TaskCost> {
  const { session, backend, context, sets } = question;
  const asked = { task: 'logreg', protocol: options.protocol, paper: PAPER_LOGREG, given: options };
  const { values, resize } = follow({ ...asked, input: context.input() });
  const { train, validation, test } = requireLabels(await sets('images'));
  const sizes = {
    train: train.length,
    validation: validation?.length ?? 0,
    test: test.length,
    dim: session.model.config.embedDim,
    classes: train.classes.length,
    cs: values.c ?? OFFICIAL_CS,
  };
  return {
    reads: [train, ...(validation ? [validation] : []), test].map((set) => tokensOf(question, set, { resize })),
    work: [regressionWork(backend, 'fits', sizes)],
    held: regressionHeld(sizes),
    unknown: [EVALUATIONS_UNKNOWN],
  };
}

/** Features, once more turned to their axes in f64, and the memory of the solver: so many weights and gradients. */
export function regressionHeld({ train, validation, test, dim, classes }: RegressionSizes): HeldBytes {
  const rows = train + validation;
  return {
    host: floats(2 * rows + test, dim) + 2 * floats(rows, dim) + 2 * REMEMBERED * floats(classes, dim),
    device: floats(rows, dim + 2 * classes),
  };
}

const REMEMBERED = 24;
