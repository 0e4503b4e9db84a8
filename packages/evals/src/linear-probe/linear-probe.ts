/**
 * Linear probe on frozen features, the best of many classifiers. A grid of linear classifiers (learning rate x number
 * of blocks x patch mean) is trained at once by SGD, the best is chosen, and its accuracy is the result. The official
 * program chooses on the test set itself; that is `select: 'test'`. By default a tenth of train is held out for the
 * choice, and the chosen classifier is then trained again, with the same schedule, on all of train.
 *
 * Train is either features in memory, or a stream that makes the batch of each step anew, as the official program does with
 * random crops; of a stream nothing is held, so that it may be of any size, and there is nothing of it to choose on.
 *
 * Source: the linear evaluation of DINOv2, which Franca uses unchanged (paper Table 2, column linear).
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { checkSet } from '../check-features';
import { checkOption, checkOptions } from '../errors';
import { checkLabels } from '../features';
import { holdOut } from '../numerics/random';
import { elapsed, type Outcome } from '../outcome';
import { checkSelection, SELECTION, type SelectionOptions, selectedOn } from '../selection';
import {
  checkProbeFeatures,
  PROBE_PARTS,
  type ProbeFeatures,
  type ProbeShape,
  probeRows,
  shapeOf,
  takeProbeItems,
} from './probe-features';
import { OFFICIAL_LEARNING_RATES, type ProbeHead, probeGrid } from './probe-grid';
import { type Probe, probeOutcome, scoreChecked } from './score-probe';
import { type ProbeBatch, shuffledBatches, trainGrid } from './train-grid';

/** Train images that come anew for each step, such as random crops. */
export interface ProbeStream extends ProbeShape {
  /** How many images they are made of, and of how many classes. */
  readonly items: number;
  readonly classes: number;
  /** One batch per step, endlessly. */
  batches(): AsyncIterable<ProbeFeatures>;
}

/** What each part of a stream must be. */
const STREAM = { dim: 'number', blocks: 'number', patchMean: 'boolean', items: 'number', classes: 'number' } as const;

/** Options of `linearProbe`. */
export interface LinearProbeOptions extends SelectionOptions<ProbeFeatures> {
  /** Default 128. */
  readonly batchSize?: number;
  /** Passes over train; default 10. */
  readonly epochs?: number;
  /** Steps, in place of `epochs`. */
  readonly iterations?: number;
  /** Default `OFFICIAL_LEARNING_RATES`. */
  readonly learningRates?: readonly number[];
  /** Number of classes; default the largest label + 1. */
  readonly classes?: number;
  /** Numbers of last blocks whose class tokens are read; default 1 and 4, as far as the features have them. */
  readonly blocks?: readonly number[];
  /** Seed of weights, order and hold-out; default 0. */
  readonly seed?: number;
  readonly onStep?: (iteration: number, losses: Float64Array) => void;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<LinearProbeOptions> = /* @__PURE__ */ Object.assign({}, SELECTION, {
  batchSize: 'number',
  epochs: 'number',
  iterations: 'number',
  learningRates: 'numbers',
  classes: 'number',
  blocks: 'numbers',
  onStep: 'function',
  backend: 'object',
} as const);

export interface LinearProbeResult {
  readonly outcome: Outcome;
  readonly probe: Probe;
  /** Top-1 of every classifier of the grid on what the choice was made on. */
  readonly grid: readonly { readonly name: string; readonly top1: number }[];
}

/**
 * @param train features in memory, or a stream, which needs `select` to be `test` or a validation set
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function linearProbe(
  train: ProbeFeatures | ProbeStream,
  test: ProbeFeatures,
  options: LinearProbeOptions = {},
): Promise<LinearProbeResult> {
  const started = performance.now();
  checkOptions('linearProbe', options, OPTIONS);
  const { select = 'train-holdout', batchSize = 128, epochs = 10, seed = 0, backend = cpuBackend } = options;
  const { learningRates = OFFICIAL_LEARNING_RATES, blocks = [1, 4], onStep } = options;
  checkSets(train, test, options);
  const { shape, items, known, batches } = isStream(train) ? streamed(train) : held(train, batchSize, seed);
  const largest = Math.max(known, checkLabels(test.labels));
  const { classes = largest } = options;
  checkOption(classes >= largest, `classes is ${classes}, but label ${largest - 1} occurs`);
  const heads = probeGrid(shape, { classes, batchSize, learningRates, blocks, seed });
  const stepsOver = (count: number): number =>
    options.iterations ?? Math.max(1, Math.round((epochs * count) / batchSize));
  const fit = async (members: readonly ProbeHead[], chosen?: Int32Array): Promise<Probe[]> => {
    const iterations = stepsOver(chosen?.length ?? items);
    const trained = await trainGrid(backend, batches(chosen), { heads: members, classes, iterations, onStep });
    return trained.map((classifier, i) => ({ name: members[i]!.name, input: members[i]!.input, classifier }));
  };

  const { fitted, judge } = selectionOf(train, test, options);
  const probes = await fit(heads, fitted);
  const { best, top1 } = await chooseProbe(backend, probes, judge);
  const probe = fitted ? (await fit([heads[best]!]))[0]! : probes[best]!;
  const score = await scoreChecked(probe, test, { backend });
  const outcome = probeOutcome(score, {
    total: test.labels.length,
    hyper: {
      classifier: probe.name,
      baseLearningRate: heads[best]!.baseRate,
      gridSize: heads.length,
      batchSize,
      epochs: options.iterations ? (options.iterations * batchSize) / items : epochs,
      iterations: stepsOver(items),
      trainItems: items,
      backend: backend.name,
    },
    selectedOn: selectedOn(select),
    seeds: [seed],
    wallMs: elapsed(started),
  });
  return { outcome, probe, grid: probes.map(({ name }, i) => ({ name, top1: top1[i]! })) };
}

/** Train as it is learnt from. */
interface Train {
  readonly shape: ProbeShape;
  readonly items: number;
  /** Classes that it is known to have. */
  readonly known: number;
  /** Endless batches of these items, or of all. */
  batches(chosen?: Int32Array): Iterable<ProbeBatch> | AsyncIterable<ProbeBatch>;
}

const isStream = (train: ProbeFeatures | ProbeStream): train is ProbeStream => 'batches' in train;

const streamed = (train: ProbeStream): Train => ({
  shape: train,
  items: train.items,
  known: train.classes,
  async *batches() {
    for await (const features of train.batches()) {
      checkProbeFeatures(features);
      yield { x: probeRows(features), labels: features.labels };
    }
  },
});

const held = (train: ProbeFeatures, batchSize: number, seed: number): Train => ({
  shape: shapeOf(train),
  items: train.labels.length,
  known: checkLabels(train.labels),
  batches: (chosen = Int32Array.from(train.labels.keys())) => shuffledBatches(train, chosen, batchSize, seed),
});

/** The items of train that the grid is fitted to, where they are not all, and what it is judged on. */
function selectionOf(
  train: ProbeFeatures | ProbeStream,
  test: ProbeFeatures,
  { select = 'train-holdout', holdOut: share = 0.1, seed = 0 }: LinearProbeOptions,
): { readonly fitted?: Int32Array; readonly judge: ProbeFeatures } {
  if (typeof select === 'object') return { judge: select.validation };
  if (select === 'test' || isStream(train)) return { judge: test };
  const rows = holdOut(train.labels.length, share, seed);
  return { fitted: rows.train, judge: takeProbeItems(train, rows.held) };
}

/** Top-1 of every probe, and the first of the best. */
async function chooseProbe(backend: EvalBackend, probes: readonly Probe[], judge: ProbeFeatures) {
  const top1: number[] = [];
  for (const probe of probes) top1.push((await scoreChecked(probe, judge, { backend })).top1);
  return { top1, best: top1.indexOf(Math.max(...top1)) };
}

function checkSets(train: ProbeFeatures | ProbeStream, test: ProbeFeatures, options: LinearProbeOptions): void {
  const { batchSize = 128, epochs = 10, iterations = 1, select = 'train-holdout' } = options;
  checkSet('linearProbe: train', train, typeof train === 'object' && train && isStream(train) ? STREAM : PROBE_PARTS);
  checkSet('linearProbe: test', test, PROBE_PARTS);
  checkSelection('linearProbe', select, PROBE_PARTS);
  checkOption(batchSize >= 1 && epochs > 0, `batch size ${batchSize}, ${epochs} epochs; both must be positive`);
  checkOption(Number.isInteger(iterations) && iterations >= 1, `iterations is ${iterations}; it must be 1 or more`);
  const items = isStream(train) ? train.items : train.labels.length;
  checkOption(
    items > 0 && test.labels.length > 0,
    `${items} train and ${test.labels.length} test items; both sets are needed`,
  );
  checkOption(
    !isStream(train) || (select !== 'train-holdout' && options.iterations !== undefined),
    "of a stream nothing can be held out, and it has no end: set select to 'test' or to a validation set, and iterations",
  );
  if (!isStream(train)) checkProbeFeatures(train);
  checkProbeFeatures(test);
  if (typeof select === 'object') checkProbeFeatures(select.validation);
}
