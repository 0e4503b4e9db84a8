/**
 * Few-shot k-NN: k-NN with few train items per class, averaged over draws. The bank keeps only `shots` train items of
 * each class, drawn with the number of the try as seed, and the accuracy is the mean over tries. With every item there
 * is nothing to draw and one try is enough.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkSet, LABELLED } from '../check-features';
import { valueItems } from '../compare/item-results';
import { checkArgument, checkOption, checkOptions } from '../errors';
import { checkLabels, type LabelledFeatures, takeItems } from '../features';
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

export interface FewShotResult {
  /** Mean over tries of the top-1 accuracy at each try's best `k`. */
  readonly outcome: Outcome;
  readonly tries: readonly number[];
}

/** @throws EvalsError as `knn`, and `options` when `shots` or `tries` is below 1. */
export async function knnFewShot(
  train: LabelledFeatures,
  test: LabelledFeatures,
  options: FewShotOptions,
): Promise<FewShotResult> {
  const started = performance.now();
  checkOptions('knnFewShot', options, FEW_SHOT_OPTIONS);
  checkSet('knnFewShot: train', train, LABELLED);
  const { shots, tries = 5, ...knnOptions } = options;
  checkOption(shots >= 1 && tries >= 1, `shots is ${shots} and tries ${tries}; both must be at least 1`);
  const seeds = Array.from({ length: shots === Number.POSITIVE_INFINITY ? 1 : tries }, (_, i) => i);
  const outcomes: Outcome[] = [];
  const predictions: Int32Array[] = [];
  for (const seed of seeds) {
    const { outcome, predicted } = await knn(drawShots(train, shots, seed), test, knnOptions);
    outcomes.push(outcome);
    predictions.push(predicted);
  }
  const values = outcomes.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const outcome: Outcome = {
    ...outcomes[0]!,
    protocol: 'dinov2-few-shot',
    variant: shots === Number.POSITIVE_INFINITY ? 'all shots' : `${shots} shots`,
    value: mean,
    others: Object.fromEntries(values.map((value, i) => [`try ${i}`, value])),
    perClass: [],
    items: valueItems(
      Array.from(test.labels, (label, i) => predictions.filter((each) => each[i] === label).length / seeds.length),
    ),
    hyper: {
      ks: outcomes[0]!.hyper.ks!,
      temperature: outcomes[0]!.hyper.temperature!,
      shots: shots === Number.POSITIVE_INFINITY ? 'all' : shots,
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
  const items = train.cls.length / train.dim;
  const taken = new Int32Array(checkLabels(train.labels, items));
  const rows = permutation(items, random(seed)).filter((row) => taken[train.labels[row]!]!++ < shots);
  return takeItems(train, rows.sort());
}
