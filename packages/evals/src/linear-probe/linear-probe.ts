/**
 * Linear probe on frozen features, the best of many classifiers. A grid of linear classifiers (learning rate x number
 * of blocks x patch mean) is trained at once by SGD, the best is chosen, and its accuracy is the result. The official
 * program chooses on the test set itself; that is `select: 'test'`. By default a tenth of train is held out for the
 * choice, and the chosen classifier is then trained again, with the same schedule, on all of train.
 *
 * Source: the linear evaluation of DINOv2, which Franca uses unchanged (paper Table 2, column linear).
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { checkSet } from '../check-features';
import { checkOption, checkOptions } from '../errors';
import { checkLabels } from '../features';
import { elapsed, type Outcome } from '../outcome';
import { checkSelection, SELECTION, type SelectionOptions, selectedOn, selectionSets } from '../selection';
import { PROBE_PARTS, type ProbeFeatures, probeRows, takeProbeItems } from './probe-features';
import { OFFICIAL_LEARNING_RATES, type ProbeHead, probeGrid } from './probe-grid';
import { type Probe, scoreProbe } from './score-probe';
import { type ProbeBatch, shuffledBatches, trainGrid } from './train-grid';

/** Options of `linearProbe`. */
export interface LinearProbeOptions extends SelectionOptions<ProbeFeatures> {
  /** Default 128. */
  readonly batchSize?: number;
  /** Passes over train; default 10. */
  readonly epochs?: number;
  /** Default `OFFICIAL_LEARNING_RATES`. */
  readonly learningRates?: readonly number[];
  /** Numbers of last blocks whose class tokens are read; default 1 and 4, as far as the features have them. */
  readonly blocks?: readonly number[];
  /** Seed of weights, order and hold-out; default 0. */
  readonly seed?: number;
  /**
   * Train batches with fresh augmentation, one per step, in place of the cached features of `train` (which then only say
   * what the features look like). Needs `select` to be `test` or a validation set.
   */
  readonly augmented?: { readonly batches: () => AsyncIterable<ProbeFeatures>; readonly iterations: number };
  readonly onStep?: (iteration: number, losses: Float64Array) => void;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<LinearProbeOptions> = /* @__PURE__ */ Object.assign({}, SELECTION, {
  batchSize: 'number',
  epochs: 'number',
  learningRates: 'numbers',
  blocks: 'numbers',
  augmented: 'object',
  onStep: 'function',
  backend: 'object',
} as const);

export interface LinearProbeResult {
  readonly outcome: Outcome;
  readonly probe: Probe;
  /** Top-1 of every classifier of the grid on what the choice was made on. */
  readonly grid: readonly { readonly name: string; readonly top1: number }[];
}

/** @throws EvalsError `features`, `labels` or `options` */
export async function linearProbe(
  train: ProbeFeatures,
  test: ProbeFeatures,
  options: LinearProbeOptions = {},
): Promise<LinearProbeResult> {
  const started = performance.now();
  checkOptions('linearProbe', options, OPTIONS);
  const { select = 'train-holdout', batchSize = 128, epochs = 10, seed = 0, backend = cpuBackend, augmented } = options;
  const { learningRates = OFFICIAL_LEARNING_RATES, blocks = [1, 4] } = options;
  checkSets(train, test, options);
  const classes = Math.max(checkLabels(train.labels), checkLabels(test.labels));
  const heads = probeGrid(train, { classes, batchSize, learningRates, blocks, seed });
  const fit = async (set: ProbeFeatures, members: readonly ProbeHead[]): Promise<Probe[]> => {
    const iterations = augmented?.iterations ?? Math.max(1, Math.round((epochs * set.labels.length) / batchSize));
    const source = augmented
      ? probeBatches(augmented.batches())
      : shuffledBatches(probeRows(set), set.labels, batchSize, seed);
    const trained = await trainGrid(backend, source, { heads: members, classes, iterations, onStep: options.onStep });
    return trained.map((classifier, i) => ({ name: members[i]!.name, input: members[i]!.input, classifier }));
  };

  const { fitted, judge } = selectionSets({ train, test }, options, train.labels.length, takeProbeItems);
  const probes = await fit(fitted, heads);
  const { best, top1 } = await chooseProbe(backend, probes, judge);
  const probe = fitted === train ? probes[best]! : (await fit(train, [heads[best]!]))[0]!;
  const score = await scoreProbe(probe, test, { backend });
  const outcome: Outcome = {
    task: 'linear',
    protocol: 'dinov2',
    variant: '',
    evaluated: score.evaluated,
    total: test.labels.length,
    metric: 'top-1',
    value: score.top1,
    unit: 'share',
    others: { 'top-5': score.top5 },
    perClass: score.perClass,
    items: score.items,
    hyper: {
      classifier: probe.name,
      baseLearningRate: heads[best]!.baseRate,
      gridSize: heads.length,
      batchSize,
      epochs,
      trainItems: train.labels.length,
      backend: backend.name,
    },
    selectedOn: selectedOn(select),
    seeds: [seed],
    quirks: select === 'test',
    wallMs: elapsed(started),
  };
  return { outcome, probe, grid: probes.map(({ name }, i) => ({ name, top1: top1[i]! })) };
}

async function* probeBatches(source: AsyncIterable<ProbeFeatures>): AsyncGenerator<ProbeBatch> {
  for await (const features of source) yield { x: probeRows(features), labels: features.labels };
}

/** Top-1 of every probe, and the first of the best. */
async function chooseProbe(backend: EvalBackend, probes: readonly Probe[], judge: ProbeFeatures) {
  const top1: number[] = [];
  for (const probe of probes) top1.push((await scoreProbe(probe, judge, { backend })).top1);
  return { top1, best: top1.indexOf(Math.max(...top1)) };
}

function checkSets(train: ProbeFeatures, test: ProbeFeatures, options: LinearProbeOptions): void {
  const { batchSize = 128, epochs = 10, select = 'train-holdout', augmented } = options;
  checkSet('linearProbe: train', train, PROBE_PARTS);
  checkSet('linearProbe: test', test, PROBE_PARTS);
  checkSelection('linearProbe', select, PROBE_PARTS);
  checkOption(batchSize >= 1 && epochs > 0, `batch size ${batchSize}, ${epochs} epochs; both must be positive`);
  checkOption(
    train.labels.length > 0 && test.labels.length > 0,
    `${train.labels.length} train and ${test.labels.length} test items; both sets are needed`,
  );
  checkOption(
    !augmented || select !== 'train-holdout',
    "augmented batches come with their own train items: set select to 'test' or to a validation set",
  );
}
