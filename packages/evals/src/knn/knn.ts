/**
 * k-NN classification with frozen features, the evaluation that needs no training. Features are L2-normalised, each
 * test item takes its most similar train items by inner product, and they vote for their classes with softmax(s / 0.07)
 * weights. Equal similarities rank by lowest train index, equal votes by lowest class. Published tables give the best
 * of several `k`, which is a choice made on the test set; the record says so.
 *
 * Source: the evaluation of DINOv2, which Franca uses unchanged (paper Table 2, column k-NN).
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, TopK } from '../backend/eval-backend';
import { checkSet, LABELLED } from '../check-features';
import { hitItems } from '../compare/item-results';
import { checkOption, checkOptions } from '../errors';
import { type Batched, checkLabels, classTokens, type LabelledFeatures } from '../features';
import { accuracy, firstChoices, hitRate, perClassAccuracy, tally, topClasses } from '../metrics/accuracy';
import { elapsed, type Outcome } from '../outcome';
import type { ProgressKeeper } from '../progress';
import { nearestItems } from './nearest-items';
import { neighbourVote, type VoteOptions } from './neighbour-vote';

/** Options of `knn`. */
export interface KnnOptions {
  /** Neighbours that vote; several are tried and the best is reported. Default 10, 20, 100, 200. */
  readonly ks?: readonly number[];
  /** Default 0.07. */
  readonly temperature?: number;
  /** Number of classes; default the largest label + 1. */
  readonly classes?: number;
  readonly backend?: EvalBackend;
  /** Keeps how far the bank is searched; a search that was stopped goes on to the same bits. */
  readonly progress?: ProgressKeeper | undefined;
}

export const KNN_OPTIONS: OptionKinds<KnnOptions> = {
  ks: 'numbers',
  temperature: 'number',
  classes: 'number',
  backend: 'object',
  progress: 'object',
};

/** Accuracy with `k` voting neighbours. */
export interface KnnScore {
  readonly k: number;
  readonly top1: number;
  readonly top5: number;
}

export interface KnnResult {
  /** Top-1 accuracy at the best `k` (the first on ties). */
  readonly outcome: Outcome;
  readonly scores: readonly KnnScore[];
  /** Predicted classes `[n]` at the best `k`. */
  readonly predicted: Int32Array;
}

/**
 * @param train the bank; a series of batches where it does not fit in memory
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function knn(
  train: Batched<LabelledFeatures>,
  test: LabelledFeatures,
  options: KnnOptions = {},
): Promise<KnnResult> {
  const started = performance.now();
  checkOptions('knn', options, KNN_OPTIONS);
  checkSet('knn: test', test, LABELLED);
  const { ks = [10, 20, 100, 200], temperature = 0.07, backend = cpuBackend, progress } = options;
  checkOption(
    ks.length > 0 && ks.every((k) => Number.isInteger(k) && k >= 1),
    `ks is [${ks}]; it needs positive integers`,
  );
  checkOption(temperature > 0, `the temperature is ${temperature}; it must be positive`);
  const queries = classTokens(test);
  checkOption(queries.rows > 0, 'the test set is empty');
  const { neighbours, labels } = await nearestItems(backend, train, queries, {
    k: Math.max(...ks),
    progress,
  });
  const largest = Math.max(checkLabels(labels), checkLabels(test.labels, queries.rows));
  const classes = options.classes ?? largest;
  checkOption(classes >= largest, `classes is ${classes}, but label ${largest - 1} occurs`);

  const rankings = rankedClasses(neighbours, labels, { ks, temperature, classes });
  const predictions = rankings.map((ranking) => firstChoices(ranking, queries.rows));
  const scores = ks.map((k, i) => ({
    k,
    top1: accuracy(tally(predictions[i]!, test.labels, classes)),
    top5: hitRate(rankings[i]!, test.labels),
  }));
  const best = scores.reduce((at, { top1 }, i) => (top1 > scores[at]!.top1 ? i : at), 0);
  const predicted = predictions[best]!;
  const outcome: Outcome = {
    task: 'knn',
    protocol: 'dinov2',
    variant: '',
    evaluated: queries.rows,
    total: queries.rows,
    metric: 'top-1',
    value: scores[best]!.top1,
    unit: 'share',
    others: { 'top-5': scores[best]!.top5, ...(ks.length > 1 && Object.fromEntries(scores.flatMap(scoreEntries))) },
    perClass: perClassAccuracy(tally(predicted, test.labels, classes)),
    items: hitItems(predicted, test.labels),
    hyper: { k: ks[best]!, ks, temperature, trainItems: labels.length, backend: backend.name },
    selectedOn: ks.length > 1 ? 'test' : 'nothing',
    seeds: [],
    quirks: false,
    wallMs: elapsed(started),
  };
  await progress?.done();
  return { outcome, scores, predicted };
}

/** Classes that top-5 looks at. */
const RANKED = 5;
/** Queries whose votes are in memory at once, and at most so many votes of them: 128 MiB. */
const QUERY_BLOCK = 4096;
const VOTES = 2 ** 24;

/** The five classes with most votes of each query `[n, 5]`, for each `k`. */
function rankedClasses({ k, scores, indices }: TopK, labels: Int32Array, options: VoteOptions): Int32Array[] {
  const queries = scores.length / k;
  const kept = Math.min(RANKED, options.classes);
  const rankings = options.ks.map(() => new Int32Array(queries * kept));
  const size = Math.max(1, Math.min(QUERY_BLOCK, Math.floor(VOTES / (options.ks.length * options.classes))));
  for (let begin = 0; begin < queries; begin += size) {
    const rows = Math.min(size, queries - begin);
    const [from, to] = [begin * k, (begin + rows) * k];
    const block = { k, scores: scores.subarray(from, to), indices: indices.subarray(from, to) };
    for (const [i, votes] of neighbourVote(block, labels, options).entries())
      rankings[i]!.set(topClasses({ data: votes, rows, cols: options.classes }, RANKED), begin * kept);
  }
  return rankings;
}

function scoreEntries({ k, top1, top5 }: KnnScore): [string, number][] {
  return [
    [`top-1 k=${k}`, top1],
    [`top-5 k=${k}`, top5],
  ];
}
