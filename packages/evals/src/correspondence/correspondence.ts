/**
 * Semantic correspondence (paper Table 6): how many key points of a picture are found in another picture of the same kind of thing by the features
 * alone, without training, after the evaluation of Probe3D (El Banani et al., 2024) on SPair-71k (Min et al., 2019).
 *
 * A match is right where its error (see `matchPair`) is below 0.10 of the longer side of the target's box. Recall is taken over all key points of a
 * class, and the mean over the classes that have any in the bin. Beside it stands PCK at 0.05, 0.1 and 0.15: of key points, averaged over
 * classes in the same way, and of pairs, averaged over all of them, as other papers report it.
 */
import type { OptionKinds } from '@franca/tensor';
import { valueItems } from '../compare/item-results';
import { checkArgument, checkOption, checkOptions, EvalsError } from '../errors';
import { elapsed, type ItemResults, type Json, type Outcome } from '../outcome';
import type { PairBin } from './draw-pairs';
import type { KeyPointPair } from './key-point-pair';
import { type PairMatch, RECALL_THRESHOLD } from './match-pair';

/** A pair with what was found; pairs that could not be matched have no place here. */
export interface MatchedPair {
  readonly pair: KeyPointPair;
  readonly match: PairMatch;
}

export interface CorrespondenceOptions {
  /** Names of all classes, by number. */
  readonly classes: readonly string[];
  /** What sets these features apart, such as `low`; behind the name of the bin in the outcome's variant. */
  readonly label?: string;
  /** Pairs that there are to evaluate; default the matched ones. */
  readonly total?: number;
  /** Further settings for the record. */
  readonly hyper?: Readonly<Record<string, Json>>;
  /** Of the draw, where there was one. */
  readonly seeds?: readonly number[];
  readonly quirks?: boolean;
}

const OPTIONS: OptionKinds<CorrespondenceOptions> = {
  classes: 'strings',
  label: 'string',
  total: 'number',
  hyper: 'object',
  seeds: 'numbers',
  quirks: 'boolean',
};

const ALPHAS = [0.05, 0.1, 0.15] as const;

/**
 * One outcome for each bin that has a key point.
 *
 * @param matched by the pair's index in the bins
 * @throws EvalsError `argument`, `features` or `options`
 */
export function correspondence(
  matched: ReadonlyMap<number, MatchedPair>,
  bins: readonly PairBin[],
  options: CorrespondenceOptions,
): Outcome[] {
  const started = performance.now();
  if (!(matched instanceof Map))
    throw new EvalsError('argument', 'correspondence: matched is no Map of pairs by index');
  checkArgument('correspondence', 'bins', bins, 'list');
  checkArgument('correspondence', 'options', options, 'object');
  checkOptions('correspondence', options, OPTIONS);
  const { classes, label, total = matched.size, hyper = {}, seeds = [], quirks = false } = options;
  checkArgument('correspondence', 'classes', classes, 'strings');
  for (const { pair } of matched.values())
    checkOption(
      pair.category < classes.length,
      `correspondence: ${pair.name} is of class ${pair.category}, there are ${classes.length}`,
    );
  return bins.flatMap(({ name, pairs }) => {
    const own = pairs.flatMap((index) => matched.get(index) ?? []);
    const judged = own.filter(({ match }) => match.cells.length > 0);
    if (judged.length === 0) return [];
    const perClass = classes.map((_, category) => {
      const errors = judged.filter(({ pair }) => pair.category === category).flatMap(({ match }) => [...match.errors]);
      return errors.length > 0 ? shareOf(errors, below(RECALL_THRESHOLD)) : null;
    });
    const outcome: Outcome = {
      task: 'correspondence',
      protocol: 'probe3d',
      variant: label ? `${name}, ${label}` : name,
      evaluated: own.length,
      total,
      metric: 'recall@0.10',
      value: meanOf(perClass),
      unit: 'share',
      others: othersOf(judged, classes.length),
      perClass,
      items: pairItems(judged),
      hyper: {
        ...hyper,
        threshold: RECALL_THRESHOLD,
        classes,
        keyPoints: judged.reduce((sum, { match }) => sum + match.cells.length, 0),
      },
      selectedOn: 'nothing',
      seeds,
      quirks,
      wallMs: elapsed(started),
    };
    return [outcome];
  });
}

/** What each pair adds to the mean over classes: points of one pair are not independent. */
function pairItems(judged: readonly MatchedPair[]): ItemResults {
  const points = new Map<number, number>();
  for (const { pair, match } of judged)
    points.set(pair.category, (points.get(pair.category) ?? 0) + match.errors.length);
  return valueItems(
    judged.map(({ pair, match }) => {
      const found = match.errors.filter(below(RECALL_THRESHOLD)).length;
      return (found * judged.length) / (points.get(pair.category)! * points.size);
    }),
  );
}

/** PCK of key points and of pairs, and what a random cell would score by the protocol. */
function othersOf(judged: readonly MatchedPair[], classes: number): Record<string, number> {
  const perClass = (valuesOf: (match: PairMatch) => Iterable<number>): number =>
    meanOf(
      Array.from({ length: classes }, (_, category) => {
        const own = judged
          .filter(({ pair }) => pair.category === category)
          .flatMap(({ match }) => [...valuesOf(match)]);
        return own.length > 0 ? meanOf(own) : null;
      }),
    );
  const others: Record<string, number> = {};
  for (const alpha of ALPHAS)
    others[`PCK@${alpha}`] = perClass(({ pckErrors }) => Array.from(pckErrors, (error) => (error < alpha ? 1 : 0)));
  for (const alpha of ALPHAS)
    others[`PCK@${alpha} per pair`] = meanOf(judged.map(({ match }) => shareOf([...match.pckErrors], below(alpha))));
  others['recall of a random cell'] = perClass(({ chance }) => chance);
  return others;
}

const below =
  (limit: number) =>
  (error: number): boolean =>
    error < limit;

const shareOf = (values: readonly number[], holds: (value: number) => boolean): number =>
  values.filter(holds).length / values.length;

/** Of those that are there. */
function meanOf(values: readonly (number | null)[]): number {
  const there = values.filter((value) => value !== null);
  return there.reduce((sum, value) => sum + value, 0) / there.length;
}
