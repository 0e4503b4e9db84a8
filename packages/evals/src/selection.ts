/**
 * What hyper-parameters are chosen on: a held-out part of train, a validation set, or the test set itself. The last
 * flatters the number that is reported; official programs do it, and records say so.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkSet, type FeatureKinds } from './check-features';
import { checkOption } from './errors';
import { holdOut } from './numerics/random';
import type { SelectedOn } from './outcome';

export type Selection<T> = 'train-holdout' | 'test' | { readonly validation: T };

/** Options of every evaluation that chooses a hyper-parameter. */
export interface SelectionOptions<T> {
  /** Default `train-holdout`. */
  readonly select?: Selection<T>;
  /** Share of train held out; default 0.1. */
  readonly holdOut?: number;
  /** Default 0. */
  readonly seed?: number;
}

export const SELECTION: OptionKinds<SelectionOptions<unknown>> = { select: true, holdOut: 'number', seed: 'number' };

/** Refuses a choice that is none; `kinds` are the parts of a validation set. */
export function checkSelection(what: string, select: Selection<unknown> | undefined, kinds: FeatureKinds): void {
  if (select === undefined || select === 'test' || select === 'train-holdout') return;
  const validation = typeof select === 'object' && select !== null ? select.validation : undefined;
  checkOption(
    validation !== undefined,
    `${what}: select is ${JSON.stringify(select)}; it must be 'train-holdout', 'test' or { validation: features }`,
  );
  checkSet(`${what}: select.validation`, validation, kinds);
}

/** What to fit, and what to judge candidates on. `take`: the items of a set with the given numbers; train has `count`. */
export function selectionSets<T>(
  { train, test }: { readonly train: T; readonly test: T },
  { select = 'train-holdout', holdOut: share = 0.1, seed = 0 }: SelectionOptions<T>,
  count: number,
  take: (set: T, items: Int32Array) => T,
): { readonly fitted: T; readonly judge: T } {
  if (select === 'test') return { fitted: train, judge: test };
  if (select !== 'train-holdout') return { fitted: train, judge: select.validation };
  const rows = holdOut(count, share, seed);
  return { fitted: take(train, rows.train), judge: take(train, rows.held) };
}

/** As a record says it. */
export const selectedOn = (select: Selection<unknown>): SelectedOn =>
  typeof select === 'string' ? select : 'validation';
