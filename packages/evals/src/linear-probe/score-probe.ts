/** Accuracy of a trained probe on any set of the same model, robustness test sets included. */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { checkSet } from '../check-features';
import { checkClassifier, classify, restrictClasses } from '../classifier';
import { hitItems } from '../compare/item-results';
import { checkArgument, checkOption, checkOptions } from '../errors';
import type { Matrix } from '../matrix';
import { anyHitRate, firstChoices, hitRate, perClassAccuracy, tally, topClasses } from '../metrics/accuracy';
import type { ItemResults, Outcome } from '../outcome';
import {
  checkProbeFeatures,
  inputRows,
  isStored,
  PROBE_PARTS,
  type ProbeFeatures,
  type ProbeInput,
  type ProbeShape,
  STORED_PARTS,
  type StoredProbeFeatures,
} from './probe-features';
import { asStored, readRows, rowWidth } from './stored-features';

/** A trained classifier with what it reads; scores any features of the same model. */
export interface Probe {
  /** As the official program names it. */
  readonly name: string;
  readonly input: ProbeInput;
  readonly classifier: LinearClassifier;
}

export interface ScoreProbeOptions {
  /** The training class of each class of the set, where it holds only some of them (ImageNet-A, ImageNet-R). */
  readonly classMapping?: readonly number[];
  /** Accepted classes of each item (ImageNet-ReaL); items without any are left out. Replaces the labels. */
  readonly accepted?: readonly (readonly number[])[];
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<ScoreProbeOptions> = { classMapping: 'numbers', accepted: true, backend: 'object' };

export interface ProbeScore {
  readonly top1: number;
  readonly top5: number;
  /** Items that were scored. */
  readonly evaluated: number;
  /** Recall of each class; empty with several accepted classes. */
  readonly perClass: readonly (number | null)[];
  readonly predicted: Int32Array;
  /** Whether each item that was scored is right. */
  readonly items: ItemResults;
}

/**
 * @param features in memory, or stored, which are read once in their order
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function scoreProbe(
  probe: Probe,
  features: ProbeFeatures | StoredProbeFeatures,
  options: ScoreProbeOptions = {},
): Promise<ProbeScore> {
  checkOptions('scoreProbe', options, OPTIONS);
  checkProbe(probe);
  checkFeatures('scoreProbe: features', features);
  const stored = asStored(features);
  checkInput(probe.input, stored);
  return scoreChecked(probe, stored, options);
}

/** Refuses what are no features of either kind; stored ones are looked at as they are read. */
export function checkFeatures(what: string, features: ProbeFeatures | StoredProbeFeatures): void {
  const stored = typeof features === 'object' && features !== null && isStored(features);
  checkSet(what, features, stored ? STORED_PARTS : PROBE_PARTS);
  if (!stored) checkProbeFeatures(features as ProbeFeatures);
}

/** The same of a probe and features that have been checked. */
export async function scoreChecked(
  { input, classifier: all }: Probe,
  features: StoredProbeFeatures,
  { classMapping, accepted, backend = cpuBackend }: ScoreProbeOptions,
): Promise<ProbeScore> {
  const items = features.labels.length;
  const classifier = classMapping ? restrictClasses(all, classMapping) : all;
  const kept = Math.min(RANKED, classifier.weight.rows);
  const ranked = new Int32Array(items * kept);
  await classifyInBlocks(backend, [{ input, classifier }], features, (logits, _, begin) => {
    ranked.set(topClasses(logits, RANKED), begin * kept);
  });
  const predicted = firstChoices(ranked, items);
  if (!accepted) {
    const classes = features.labels.reduce((max, label) => Math.max(max, label + 1), classifier.weight.rows);
    return {
      top1: hitRate(predicted, features.labels),
      top5: hitRate(ranked, features.labels),
      evaluated: items,
      perClass: perClassAccuracy(tally(predicted, features.labels, classes)),
      predicted,
      items: hitItems(predicted, features.labels),
    };
  }
  checkOption(
    Array.isArray(accepted) && accepted.every((labels) => Array.isArray(labels)),
    'accepted holds no lists of classes; give one list per item',
  );
  checkOption(accepted.length === items, `accepted classes for ${accepted.length} items of ${items}`);
  const top1 = anyHitRate(predicted, accepted);
  checkOption(top1 !== undefined, 'no item has an accepted class');
  const evaluated = accepted.filter((labels) => labels.length > 0).length;
  return {
    top1: top1!,
    top5: anyHitRate(ranked, accepted)!,
    evaluated,
    perClass: [],
    predicted,
    items: hitItems(predicted, accepted),
  };
}

/** What is known of a probe that was scored: where it comes from, and what it was chosen on. */
export interface ScoredProbe extends Pick<Outcome, 'hyper' | 'selectedOn' | 'seeds' | 'total' | 'wallMs'> {}

/** A score as the outcome of the linear evaluation. @throws EvalsError `options` for arguments of another kind */
export function probeOutcome(score: ProbeScore, from: ScoredProbe): Outcome {
  checkArgument('probeOutcome', 'score', score, 'object');
  checkArgument('probeOutcome', 'from', from, 'object');
  const { hyper, selectedOn, seeds, total, wallMs } = from;
  checkArgument('probeOutcome', 'score.top1', score.top1, 'number');
  checkArgument('probeOutcome', 'total', total, 'number');
  return {
    task: 'linear',
    protocol: 'dinov2',
    variant: '',
    evaluated: score.evaluated,
    total,
    metric: 'top-1',
    value: score.top1,
    unit: 'share',
    others: { 'top-5': score.top5 },
    perClass: score.perClass,
    items: score.items,
    hyper,
    selectedOn,
    seeds,
    quirks: selectedOn === 'test',
    wallMs,
  };
}

/** Classes that top-5 looks at. */
const RANKED = 5;
/** Items whose logits are in memory at once, and values of their features. */
const ITEM_BLOCK = 16_384;
const BLOCK_VALUES = 2 ** 26;

/** Top-1 of each of several classifiers, in one pass over the features. */
export async function top1Of(
  backend: EvalBackend,
  probes: readonly Probe[],
  features: StoredProbeFeatures,
): Promise<number[]> {
  const { labels } = features;
  const hits = new Float64Array(probes.length);
  await classifyInBlocks(backend, probes, features, (logits, probe, begin) => {
    topClasses(logits, 1).forEach((predicted, i) => {
      if (predicted === labels[begin + i]) hits[probe]! += 1;
    });
  });
  return Array.from(hits, (count) => count / labels.length);
}

/** Reads the features once, in blocks, and gives the logits of each probe on each of them; `begin`: number of the block's first item. */
async function classifyInBlocks(
  backend: EvalBackend,
  probes: readonly Pick<Probe, 'input' | 'classifier'>[],
  features: StoredProbeFeatures,
  give: (logits: Matrix, probe: number, begin: number) => void,
): Promise<void> {
  const items = features.labels.length;
  const size = Math.max(1, Math.min(ITEM_BLOCK, Math.floor(BLOCK_VALUES / rowWidth(features))));
  for (let begin = 0; begin < items; begin += size) {
    const rows = await readRows(features, begin, Math.min(begin + size, items));
    // probes that read the same follow each other
    let read: { readonly input: ProbeInput; readonly x: Matrix } | undefined;
    for (const [p, { input, classifier }] of probes.entries()) {
      if (read?.input.blocks !== input.blocks || read.input.avgpool !== input.avgpool)
        read = { input, x: inputRows(rows, input, 0, rows.labels.length) };
      give(await classify(backend, classifier, read.x), p, begin);
    }
  }
}

function checkProbe(probe: Probe): void {
  checkArgument('scoreProbe', 'probe', probe, 'object');
  checkArgument('scoreProbe', 'probe.input', probe.input, 'object');
  checkClassifier('scoreProbe: probe.classifier', probe.classifier);
}

/** A probe reads as many blocks as it was trained on, and the patch mean where it was. */
function checkInput({ blocks, avgpool }: ProbeInput, features: ProbeShape): void {
  checkOption(
    blocks <= features.blocks && (!avgpool || features.patchMean),
    `the probe reads ${blocks} blocks${avgpool ? ' and the patch mean' : ''}, the features have ${features.blocks} ` +
      `${features.patchMean ? 'and' : 'without'} the patch mean; give those that it was trained on`,
  );
}
