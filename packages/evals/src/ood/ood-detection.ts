/**
 * Out-of-distribution detection: does a confidence score tell the training classes from other things? Each foreign set
 * is compared with the same in-distribution test set. "Positive" is out-of-distribution, scored by minus the
 * confidence: AUROC, FPR at 95 % of the foreign images found, AUPR with either kind as positive.
 *
 * The paper (Fig. 8) names no score; OpenOOD v1.5, which it uses, scores linear-probe logits by MSP in its script for
 * such models.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { CLASS_TOKENS, checkSet, LABELLED } from '../check-features';
import { checkClassifier } from '../classifier';
import { scoreItems } from '../compare/item-results';
import { checkOption, checkOptions } from '../errors';
import { checkLabels, classTokens, type LabelledFeatures } from '../features';
import type { Matrix } from '../matrix';
import { firstChoices, hitRate, topClasses } from '../metrics/accuracy';
import { aupr, auroc, falsePositiveRate } from '../metrics/roc';
import { elapsed, type Outcome } from '../outcome';
import { fitConfidence, OOD_SCORES, type OodReference, type OodScore, possibleScores, sharedFits } from './confidence';

/** Options of `oodDetection`. */
export interface OodOptions {
  /** Default: all that the reference suffices for. */
  readonly scores?: readonly OodScore[];
  /** Neighbour of the `knn` score; default 50. */
  readonly k?: number;
  /** Temperature of the energy; default 1. */
  readonly temperature?: number;
  /** Dimensions kept by `vim`; default 256, at most half of D. */
  readonly vimDim?: number;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<OodOptions> = {
  scores: 'strings',
  k: 'number',
  temperature: 'number',
  vimDim: 'number',
  backend: 'object',
};
const REFERENCE: OptionKinds<OodReference> = { classifier: 'object', train: 'object' };
const SETS: OptionKinds<OodSets> = { inside: 'object', outside: 'object' };

/** The sets to tell apart. */
export interface OodSets {
  /** Test items of the training classes. */
  readonly inside: LabelledFeatures;
  /** Foreign sets by name. */
  readonly outside: Readonly<Record<string, { readonly dim: number; readonly cls: Float32Array }>>;
}

export interface OodDetection {
  readonly score: OodScore;
  readonly set: string;
  readonly auroc: number;
  readonly fpr95: number;
  /** Precision-recall area with the in-distribution, and with the foreign images as positive. */
  readonly auprIn: number;
  readonly auprOut: number;
}

export interface OodResult {
  /** One per score and foreign set, in the order of `detections`. */
  readonly outcomes: readonly Outcome[];
  readonly detections: readonly OodDetection[];
  /** Top-1 accuracy of the classifier on the in-distribution set, where there is one. */
  readonly accuracy?: number;
}

/** @throws EvalsError `features` or `options` */
export async function oodDetection(
  reference: OodReference,
  sets: OodSets,
  options: OodOptions = {},
): Promise<OodResult> {
  checkCall(reference, sets, options);
  const { inside, outside } = sets;
  const { scores = possibleScores(reference), k = 50, temperature = 1, backend = cpuBackend } = options;
  const vimDim = options.vimDim ?? Math.min(256, inside.dim >> 1);
  checkOption(scores.length > 0, 'no score can be computed: give a classifier, train features, or both');
  checkOption(Object.keys(outside).length > 0, 'no out-of-distribution set to compare with');
  const own = classTokens(inside);
  checkLabels(inside.labels, own.rows);
  const others = Object.entries(outside).map(([set, features]) => [set, classTokens(features)] as const);
  const shared = sharedFits(backend, reference);
  const accuracy = reference.classifier && accuracyOf(await shared.logitsOf(own), inside.labels);
  const detections: OodDetection[] = [];
  const outcomes: Outcome[] = [];
  for (const score of scores) {
    const started = performance.now();
    const confidence = await fitConfidence(backend, score, reference, { k, temperature, vimDim }, shared);
    const known = await confidence(own);
    for (const [set, features] of others) {
      const foreign = await confidence(features);
      const detection = { score, set, ...detectionMetrics(known, foreign) };
      detections.push(detection);
      outcomes.push({
        task: 'ood',
        protocol: 'openood-v1.5',
        variant: `${score} against ${set}`,
        evaluated: known.length + foreign.length,
        total: known.length + foreign.length,
        metric: 'AUROC',
        value: detection.auroc,
        unit: 'share',
        others: {
          'FPR95 (foreign as positive)': detection.fpr95,
          'AUPR-in': detection.auprIn,
          'AUPR-out': detection.auprOut,
          ...(accuracy !== undefined && { 'in-distribution top-1': accuracy }),
        },
        perClass: [],
        items: scoreItems(known, foreign),
        hyper: {
          score,
          outside: set,
          inside: known.length,
          foreign: foreign.length,
          ...scoreSettings(score, { k, temperature, vimDim }),
          backend: backend.name,
        },
        selectedOn: 'nothing',
        seeds: [],
        quirks: false,
        wallMs: elapsed(started),
      });
    }
  }
  return { outcomes, detections, accuracy };
}

function checkCall(reference: OodReference, sets: OodSets, options: OodOptions): void {
  checkOptions('oodDetection: reference', reference, REFERENCE);
  checkOptions('oodDetection: sets', sets, SETS);
  checkOptions('oodDetection', options, OPTIONS);
  const { scores = [], k = 1, temperature = 1 } = options;
  const odd = scores.find((score) => !OOD_SCORES.includes(score));
  checkOption(odd === undefined, `oodDetection: there is no score ${odd}; scores are ${OOD_SCORES.join(', ')}`);
  checkOption(Number.isInteger(k) && k >= 1, `k is ${k}; it must be a positive integer`);
  checkOption(temperature > 0, `the temperature is ${temperature}; it must be positive`);
  if (reference.classifier) checkClassifier('oodDetection: reference.classifier', reference.classifier);
  checkSet('oodDetection: sets.inside', sets.inside, LABELLED);
  checkSet('oodDetection: sets', sets, { outside: 'object' });
  for (const [name, set] of Object.entries(sets.outside))
    checkSet(`oodDetection: sets.outside.${name}`, set, CLASS_TOKENS);
}

function detectionMetrics(known: Float64Array, foreign: Float64Array): Omit<OodDetection, 'score' | 'set'> {
  const found = { positive: foreign.map((value) => -value), negative: known.map((value) => -value) };
  return {
    auroc: auroc(found),
    fpr95: falsePositiveRate(found, 0.95),
    auprIn: aupr({ positive: known, negative: foreign }),
    auprOut: aupr(found),
  };
}

const accuracyOf = (logits: Matrix, labels: Int32Array): number =>
  hitRate(firstChoices(topClasses(logits, 1), logits.rows), labels);

/** The settings that this score depends on. */
function scoreSettings(
  score: OodScore,
  all: { k: number; temperature: number; vimDim: number },
): Record<string, number> {
  if (score === 'knn') return { k: all.k };
  if (score === 'energy') return { temperature: all.temperature };
  return score === 'vim' ? { vimDim: all.vimDim } : {};
}
