/**
 * Linear probe on frozen features, the best of many classifiers. A grid of linear classifiers (learning rate x number
 * of blocks x patch mean) is trained at once by SGD, the best is chosen, and its accuracy is the result. The official
 * program chooses on the test set itself; that is `select: 'test'`. By default a tenth of train is held out for the
 * choice, and the chosen classifier is then trained again, with the same schedule, on all of train.
 *
 * Train is features in memory or stored, or a stream that makes the batch of each step anew, as the official program does with random crops. Of stored features that
 * do not fit in memory, pools of blocks are held (`pooledBatches`), of a stream nothing is, so that both may be of any size; of a stream there is nothing to choose
 * on. Training that was stopped goes on from saved progress to the same bits.
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
import { loadProgress, type ProgressKeeper } from '../progress';
import { checkSelection, SELECTION, type SelectionOptions, selectedOn } from '../selection';
import { isStored, PROBE_PARTS, type ProbeFeatures, STORED_PARTS, type StoredProbeFeatures } from './probe-features';
import { OFFICIAL_LEARNING_RATES, type ProbeHead, probeGrid } from './probe-grid';
import { keepProbe, readProbeProgress } from './probe-progress';
import { checkFeatures, type Probe, probeOutcome, scoreChecked, top1Of } from './score-probe';
import { asStored } from './stored-features';
import { trainGrid } from './train-grid';
import { isStream, type ProbeStream, type TrainSource, trainSource } from './train-source';

/** What each part of a stream must be. */
const STREAM = { dim: 'number', blocks: 'number', patchMean: 'boolean', items: 'number', classes: 'number' } as const;

/** Train features of any kind. */
type Train = ProbeFeatures | ProbeStream | StoredProbeFeatures;

/** Options of `linearProbe`. */
export interface LinearProbeOptions extends SelectionOptions<ProbeFeatures | StoredProbeFeatures> {
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
  /** Bytes that may be held of stored train features: of those that take more, pools; default 2 GiB. */
  readonly memory?: number;
  /** Called after each step, of so many of this training: where the choice is made on a part of train, another follows. */
  readonly onStep?: (iteration: number, losses: Float64Array, iterations: number) => void;
  readonly progress?: ProgressKeeper;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<LinearProbeOptions> = /* @__PURE__ */ Object.assign({}, SELECTION, {
  batchSize: 'number',
  epochs: 'number',
  iterations: 'number',
  learningRates: 'numbers',
  classes: 'number',
  blocks: 'numbers',
  memory: 'number',
  onStep: 'function',
  progress: 'object',
  backend: 'object',
} as const);

export interface LinearProbeResult {
  readonly outcome: Outcome;
  readonly probe: Probe;
  /** Top-1 of every classifier of the grid on what the choice was made on. */
  readonly grid: readonly { readonly name: string; readonly top1: number }[];
}

/**
 * @param train features in memory or stored, or a stream, which needs `select` to be `test` or a validation set
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function linearProbe(
  train: ProbeFeatures | ProbeStream | StoredProbeFeatures,
  test: ProbeFeatures | StoredProbeFeatures,
  options: LinearProbeOptions = {},
): Promise<LinearProbeResult> {
  const began = performance.now();
  checkOptions('linearProbe', options, OPTIONS);
  const { select = 'train-holdout', batchSize = 128, epochs = 10, seed = 0, backend = cpuBackend } = options;
  const { learningRates = OFFICIAL_LEARNING_RATES, blocks = [1, 4], memory = 2 ** 31, onStep, progress } = options;
  checkSets(train, test, options);
  const saved = readProbeProgress(await loadProgress('linearProbe', progress));
  const started = began - (saved?.ms ?? 0);
  const source = await trainSource(train, { batchSize, seed, memory });
  const { shape, items } = source;
  const largest = Math.max(source.known, checkLabels(test.labels));
  const { classes = largest } = options;
  checkOption(classes >= largest, `classes is ${classes}, but label ${largest - 1} occurs`);
  const heads = probeGrid(shape, { classes, batchSize, learningRates, blocks, seed });
  const stepsOver = (count: number): number =>
    options.iterations ?? Math.max(1, Math.round((epochs * count) / batchSize));
  const fit = async (
    members: readonly ProbeHead[],
    chosen?: Int32Array,
    top1?: readonly number[],
  ): Promise<Probe[]> => {
    const from = saved?.top1.length === (top1?.length ?? 0) ? saved.training : undefined;
    const trained = await trainGrid(backend, source.batches(chosen, from ?? { iteration: 0 }), {
      ...{ heads: members, classes, iterations: stepsOver(chosen?.length ?? items), onStep, from },
      ...(progress && { keep: () => keepProbe(progress, started, top1) }),
    });
    return trained.map((classifier, i) => ({ name: members[i]!.name, input: members[i]!.input, classifier }));
  };

  const { fitted, judge } = selectionOf(source, test, options);
  const chooseProbe = async () => {
    const probes = await fit(heads, fitted);
    const top1 = await top1Of(backend, probes, judge);
    return { top1, probe: fitted ? undefined : probes[bestOf(top1)]! };
  };
  // of training that goes on after the choice, that is known
  const { top1, probe: chosen } = saved?.top1.length ? { top1: saved.top1 } : await chooseProbe();
  checkOption(
    top1.length === heads.length,
    `the saved progress is of ${top1.length} classifiers in place of ${heads.length}; delete it`,
  );
  const best = bestOf(top1);
  const probe = chosen ?? (await fit([heads[best]!], undefined, top1))[0]!;
  const score = await scoreChecked(probe, asStored(test), { backend });
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
      ...(source.order !== undefined && { order: source.order }),
      backend: backend.name,
    },
    selectedOn: selectedOn(select),
    seeds: [seed],
    wallMs: elapsed(started),
  });
  await progress?.done();
  return { outcome, probe, grid: heads.map(({ name }, i) => ({ name, top1: top1[i]! })) };
}

/** The first of the best. */
const bestOf = (top1: readonly number[]): number =>
  top1.reduce((best, value, i) => (value > top1[best]! ? i : best), 0);

/** The items of train that the grid is fitted to, where they are not all, and what it is judged on. */
function selectionOf(
  { items, judged }: TrainSource,
  test: ProbeFeatures | StoredProbeFeatures,
  { select = 'train-holdout', holdOut: share = 0.1, seed = 0 }: LinearProbeOptions,
): { readonly fitted?: Int32Array; readonly judge: StoredProbeFeatures } {
  if (typeof select === 'object') return { judge: asStored(select.validation) };
  if (select === 'test' || !judged) return { judge: asStored(test) };
  const rows = holdOut(items, share, seed);
  return { fitted: rows.train, judge: judged(rows.held) };
}

function checkSets(train: Train, test: ProbeFeatures | StoredProbeFeatures, options: LinearProbeOptions): void {
  const { batchSize = 128, epochs = 10, iterations = 1, select = 'train-holdout', memory = 1 } = options;
  const streams = typeof train === 'object' && train !== null && isStream(train);
  if (streams) checkSet('linearProbe: train', train, STREAM);
  else checkFeatures('linearProbe: train', train);
  checkFeatures('linearProbe: test', test);
  const validation = typeof select === 'object' && select !== null ? select.validation : undefined;
  const isStoredSet = typeof validation === 'object' && validation !== null && isStored(validation);
  checkSelection('linearProbe', select, isStoredSet ? STORED_PARTS : PROBE_PARTS);
  if (validation) checkFeatures('linearProbe: select.validation', validation);
  checkOption(batchSize >= 1 && epochs > 0, `batch size ${batchSize}, ${epochs} epochs; both must be positive`);
  checkOption(Number.isInteger(iterations) && iterations >= 1, `iterations is ${iterations}; it must be 1 or more`);
  checkOption(memory >= 0, `memory is ${memory}; it must be a number of bytes`);
  const items = streams ? train.items : train.labels.length;
  checkOption(
    items > 0 && test.labels.length > 0,
    `${items} train and ${test.labels.length} test items; both sets are needed`,
  );
  checkOption(
    !streams || (select !== 'train-holdout' && options.iterations !== undefined),
    "of a stream nothing can be held out, and it has no end: set select to 'test' or to a validation set, and iterations",
  );
}
