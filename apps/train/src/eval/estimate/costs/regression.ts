/**
 * What logistic regression costs. A fit asks for the loss of all items and its gradient again and again, so that its time is that of
 *
 *     evaluations * items * dim * classes
 *
 * How many evaluations a C takes depends on the data: here as many as were seen on photographs.
 */
import { type EvalBackend, logisticRegression } from '@franca/evals';
import { madeUpTokens } from '../made-up';
import type { Work } from '../task-cost';

export interface RegressionSizes {
  readonly train: number;
  /** Of a part of its own; 0: a tenth of train is held out. */
  readonly validation: number;
  readonly test: number;
  readonly dim: number;
  readonly classes: number;
  readonly cs: readonly number[];
}

const HELD_SHARE = 0.1;

/**
 * Evaluations of one C, each fit begun from the one before: about twice as many for a C ten times as large, as seen on 240 photographs of ten classes with
 * features of a ViT-Ti, up to the solver's bound.
 */
export const evaluationsOf = (c: number): number =>
  Math.min(MOST, Math.max(FEWEST, AT_START * 2 ** (Math.log10(c) - START_POWER)));

const FEWEST = 4;
const MOST = 1000;
const AT_START = 8;
const START_POWER = -4;

/** Evaluations times items: of the sweep, and of the fit of the chosen C, taken for the last. */
export function regressionItems({ train, validation, cs }: RegressionSizes): number {
  const fitted = validation > 0 ? train : train - Math.round(HELD_SHARE * train);
  const sweep = cs.length > 1 ? cs.reduce((sum, c) => sum + evaluationsOf(c), 0) : 0;
  return sweep * fitted + evaluationsOf(Math.max(...cs)) * (train + validation);
}

/** Multiplications of an evaluation from which it runs on the device: those of a trial are as many, where those of the data are. */
const ON_DEVICE = 2 ** 22;
const ITEMS = 1024;

export function regressionWork(backend: EvalBackend, name: string, sizes: RegressionSizes): Work {
  const { dim, classes, train } = sizes;
  const items = Math.min(train, Math.max(ITEMS, 2 * classes, Math.ceil(ON_DEVICE / (dim * classes))));
  return {
    name,
    units: regressionItems(sizes) * dim * classes,
    trial: (scale) => {
      const features = madeUpTokens(items, dim, classes);
      const steps = Math.min(scale, MOST_STEPS);
      // what has no pattern takes all steps that it is given
      const options = { backend, cs: [1e3], maxIterations: steps, tolerance: 1e-14 };
      return {
        units: (steps + STARTS) * items * dim * classes,
        run: () => logisticRegression(features, features, options),
      };
    },
  };
}

const MOST_STEPS = 512;
/** Evaluations before the first step. */
const STARTS = 2;
