/** Accuracy of a trained probe on any set of the same model, robustness test sets included. */
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { classify, restrictClasses } from '../classifier';
import { checkOption } from '../errors';
import { takeColumns } from '../matrix';
import { anyHitRate, firstChoices, hitRate, perClassAccuracy, tally, topClasses } from '../metrics/accuracy';
import { type ProbeFeatures, type ProbeInput, probeColumns, probeRows } from './probe-features';

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

export interface ProbeScore {
  readonly top1: number;
  readonly top5: number;
  /** Items that were scored. */
  readonly evaluated: number;
  /** Recall of each class; empty with several accepted classes. */
  readonly perClass: readonly (number | null)[];
  readonly predicted: Int32Array;
}

export async function scoreProbe(
  probe: Probe,
  features: ProbeFeatures,
  { classMapping, accepted, backend = cpuBackend }: ScoreProbeOptions = {},
): Promise<ProbeScore> {
  const items = features.labels.length;
  const [start, end] = probeColumns(features, probe.input);
  const classifier = classMapping ? restrictClasses(probe.classifier, classMapping) : probe.classifier;
  const ranked = topClasses(await classify(backend, classifier, takeColumns(probeRows(features), start, end)), 5);
  const predicted = firstChoices(ranked, items);
  if (!accepted) {
    const classes = features.labels.reduce((max, label) => Math.max(max, label + 1), classifier.weight.rows);
    return {
      top1: hitRate(predicted, features.labels),
      top5: hitRate(ranked, features.labels),
      evaluated: items,
      perClass: perClassAccuracy(tally(predicted, features.labels, classes)),
      predicted,
    };
  }
  checkOption(accepted.length === items, `accepted classes for ${accepted.length} items of ${items}`);
  const top1 = anyHitRate(predicted, accepted);
  checkOption(top1 !== undefined, 'no item has an accepted class');
  const evaluated = accepted.filter((labels) => labels.length > 0).length;
  return { top1: top1!, top5: anyHitRate(ranked, accepted)!, evaluated, perClass: [], predicted };
}
