/** The penalty C of a regression: its official grid, its options, and what it is chosen on. */
import type { OptionKinds } from '@franca/tensor';
import type { EvalBackend } from '../backend/eval-backend';
import { EvalsError } from '../errors';
import type { Outcome } from '../outcome';
import type { ProgressKeeper } from '../progress';
import { selectedOn, selectionSets } from '../selection';

/** Options of a regression that chooses its penalty. */
export interface PenaltyOptions<Features> {
  /** Default `OFFICIAL_CS`. With a single C there is nothing to choose, and nothing is held out. */
  readonly cs?: readonly number[];
  /** The data set's validation split; it joins train in the final fit. */
  readonly validation?: Features;
  /** Share of train held out where there is no validation split; default 0.1. */
  readonly holdOut?: number;
  /** Seed of the hold-out; default 0. */
  readonly seed?: number;
  /** Relative gradient at which the solver stops; default 1e-8. */
  readonly tolerance?: number;
  /** Default 1000. */
  readonly maxIterations?: number;
  /** Told after each part of the sweep, which is `done` of `total`: a C, or a class where each has a sweep of its own. */
  readonly onFit?: (done: number, total: number) => void;
  readonly backend?: EvalBackend;
  /** Keeps the sweep between runs: what was stopped goes on after the last part that was saved, to the same bits. */
  readonly progress?: ProgressKeeper;
}

export const PENALTY: OptionKinds<PenaltyOptions<unknown>> = {
  cs: 'numbers',
  validation: 'object',
  holdOut: 'number',
  seed: 'number',
  tolerance: 'number',
  maxIterations: 'number',
  onFit: 'function',
  backend: 'object',
  progress: 'object',
};

/** The official grid: 10^t for 45 equally spaced t in [-6, 5]. */
export const OFFICIAL_CS: readonly number[] = /* @__PURE__ */ Array.from(
  { length: 45 },
  (_, i) => 10 ** (-6 + (11 * i) / 44),
);

/** What candidates are fitted to and judged on, and how a record says it. `take`: the items of a set with the given numbers; train has `count`. */
export function penaltyChoice<Features>(
  sets: { readonly train: Features; readonly test: Features },
  { cs = OFFICIAL_CS, validation, holdOut, seed = 0 }: PenaltyOptions<Features>,
  count: number,
  take: (set: Features, items: Int32Array) => Features,
): {
  readonly fitted: Features;
  readonly judge: Features;
  readonly said: Pick<Outcome, 'selectedOn' | 'seeds'>;
} {
  const select = validation ? { validation } : 'train-holdout';
  return {
    ...selectionSets(sets, { select, holdOut, seed }, count, take),
    said: {
      selectedOn: cs.length === 1 ? 'nothing' : selectedOn(select),
      seeds: cs.length === 1 || validation ? [] : [seed],
    },
  };
}

/** What a regression may take of memory: as much as leaves a machine of 16 GiB room for all else. */
const MOST_BYTES = 12 * 2 ** 30;
/** Of each number of the features: train, joined with validation, turned in f64, and on a device four copies in f32. */
const BYTES_EACH = 4 + 4 + 8 + 16;

/** @throws EvalsError `features` before anything is computed where so many rows are too many to be held */
export function checkRegressionRoom(what: string, rows: number, dim: number): void {
  const bytes = rows * dim * BYTES_EACH;
  if (bytes <= MOST_BYTES) return;
  const most = Math.floor(MOST_BYTES / (dim * BYTES_EACH));
  throw new EvalsError(
    'features',
    `${what} holds all features: ${rows} rows of ${dim} numbers take ${(bytes / 2 ** 30).toFixed(0)} GiB, of which ${MOST_BYTES / 2 ** 30} may be; ` +
      `take ${most} rows at most, or train a linear probe, which streams`,
  );
}
