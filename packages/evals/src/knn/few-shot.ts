/**
 * Few-shot k-NN: k-NN with few train items per class, averaged over draws. The bank keeps only `shots` train items of
 * each class, drawn with the number of the try as seed, and the accuracy is the mean over tries. With every item there
 * is nothing to draw and one try is enough.
 *
 * A draw asks for labels alone, so a train set that comes in batches is passed twice: for its labels, and for the items
 * that one of the tries draws, which are all that is held of it.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkSet, LABELLED } from '../check-features';
import { valueItems } from '../compare/item-results';
import { checkArgument, checkOption, checkOptions } from '../errors';
import { type Batched, batches, checkLabels, collect, joinLabels, type LabelledFeatures, takeItems } from '../features';
import { permutation, random } from '../numerics/random';
import { elapsed, type Outcome } from '../outcome';
import { KNN_OPTIONS, type KnnOptions, knn } from './knn';

/** Options of `knnFewShot`. */
export interface FewShotOptions extends KnnOptions {
  /** Train items per class; `Infinity` for all. */
  readonly shots: number;
  /** Default 5. */
  readonly tries?: number;
}

const FEW_SHOT_OPTIONS: OptionKinds<FewShotOptions> = /* @__PURE__ */ Object.assign({}, KNN_OPTIONS, {
  shots: 'number',
  tries: 'number',
} as const);

const TRAIN = 'knnFewShot: train';

export interface FewShotResult {
  /** Mean over tries of the top-1 accuracy at each try's best `k`. */
  readonly outcome: Outcome;
  readonly tries: readonly number[];
}

/**
 * @param train the bank; a series of batches, which is read twice, where it does not fit in memory
 * @throws EvalsError as `knn`, and `options` when `shots` or `tries` is below 1.
 */
export async function knnFewShot(
  train: Batched<LabelledFeatures>,
  test: LabelledFeatures,
  options: FewShotOptions,
): Promise<FewShotResult> {
  const started = performance.now();
  checkOptions('knnFewShot', options, FEW_SHOT_OPTIONS);
  const { shots, tries = 5, ...knnOptions } = options;
  checkOption(shots >= 1 && tries >= 1, `shots is ${shots} and tries ${tries}; both must be at least 1`);
  const all = shots === Number.POSITIVE_INFINITY;
  const seeds = Array.from({ length: all ? 1 : tries }, (_, i) => i);
  const drawn = all ? undefined : await openDraws(train, shots, seeds);
  const outcomes: Outcome[] = [];
  const predictions: Int32Array[] = [];
  for (const seed of seeds) {
    // draws are quick, and one progress cannot be that of several
    const { outcome, predicted } = await knn(drawn?.(seed) ?? train, test, {
      ...knnOptions,
      ...(drawn && { progress: undefined }),
    });
    outcomes.push(outcome);
    predictions.push(predicted);
  }
  const values = outcomes.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const outcome: Outcome = {
    ...outcomes[0]!,
    protocol: 'dinov2-few-shot',
    variant: all ? 'all shots' : `${shots} shots`,
    value: mean,
    others: Object.fromEntries(values.map((value, i) => [`try ${i}`, value])),
    perClass: [],
    items: valueItems(
      Array.from(test.labels, (label, i) => predictions.filter((each) => each[i] === label).length / seeds.length),
    ),
    hyper: {
      ks: outcomes[0]!.hyper.ks!,
      temperature: outcomes[0]!.hyper.temperature!,
      shots: all ? 'all' : shots,
    },
    seeds,
    wallMs: elapsed(started),
  };
  return { outcome, tries: values };
}

/** At most `shots` items of each class, drawn without replacement, in their original order. */
export function drawShots(train: LabelledFeatures, shots: number, seed: number): LabelledFeatures {
  checkSet('drawShots: train', train, LABELLED);
  checkArgument('drawShots', 'shots', shots, 'number');
  checkLabels(train.labels, train.cls.length / train.dim);
  return takeItems(train, drawnItems(train.labels, shots, seed));
}

/** The items that a seed draws, ascending. */
function drawnItems(labels: Int32Array, shots: number, seed: number): Int32Array {
  const taken = new Int32Array(checkLabels(labels));
  return permutation(labels.length, random(seed))
    .filter((item) => taken[labels[item]!]!++ < shots)
    .sort();
}

/** The draws of all seeds, with what they draw in memory and nothing else. */
async function openDraws(
  train: Batched<LabelledFeatures>,
  shots: number,
  seeds: readonly number[],
): Promise<(seed: number) => LabelledFeatures> {
  const parts: Int32Array[] = [];
  for await (const { labels } of batches(TRAIN, train, LABELLED)) parts.push(labels);
  const labels = joinLabels(parts);
  const draws = new Map(seeds.map((seed) => [seed, drawnItems(labels, shots, seed)]));
  const wanted = new Uint8Array(labels.length);
  for (const items of draws.values()) for (const item of items) wanted[item] = 1;
  const places = new Int32Array(labels.length);
  const kept: LabelledFeatures[] = [];
  let first = 0;
  let place = 0;
  for await (const batch of batches(TRAIN, train, LABELLED)) {
    const rows = [...batch.labels.keys()].filter((row) => wanted[first + row]);
    for (const row of rows) places[first + row] = place++;
    if (rows.length > 0) kept.push(takeItems(batch, rows));
    first += batch.labels.length;
  }
  const bank = await collect(TRAIN, kept);
  return (seed) =>
    takeItems(
      bank,
      draws.get(seed)!.map((item) => places[item]!),
    );
}
