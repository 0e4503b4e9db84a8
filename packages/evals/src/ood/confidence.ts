/** The confidence scores of out-of-distribution detection by name: what each needs, and how it is fitted. */
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { LABELLED } from '../check-features';
import { classify } from '../classifier';
import { checkOption } from '../errors';
import { type Batched, batches, classTokens, type LabelledFeatures } from '../features';
import type { Matrix } from '../matrix';
import { knnConfidence } from './knn-score';
import { type LogitScore, logitConfidence } from './logit-scores';
import { fitMahalanobis, type MahalanobisModel, mahalanobisConfidence } from './mahalanobis';
import { fitVim, vimConfidence } from './vim';

/** A confidence score; see `logitConfidence`, `knnConfidence`, `mahalanobisConfidence` and `vimConfidence`. */
export type OodScore = LogitScore | 'knn' | 'mahalanobis' | 'relative-mahalanobis' | 'vim';

/** All of them. */
export const OOD_SCORES: readonly OodScore[] = [
  'msp',
  'max-logit',
  'energy',
  'gen',
  'knn',
  'mahalanobis',
  'relative-mahalanobis',
  'vim',
];

/** What confidence scores can be built from: a classifier of the features, and the train features themselves. */
export interface OodReference {
  /** Needed by `msp`, `max-logit`, `energy`, `gen` and `vim`. */
  readonly classifier?: LinearClassifier;
  /** Needed by `knn`, the Mahalanobis scores and `vim`; a series of batches, which is read several times, where it does not fit in memory. */
  readonly train?: Batched<LabelledFeatures>;
}

export interface ConfidenceOptions {
  /** Neighbour of the `knn` score. */
  readonly k: number;
  /** Temperature of the energy. */
  readonly temperature: number;
  /** Dimensions that `vim` counts as filled by train features. */
  readonly vimDim: number;
}

/** Logits of feature rows, which several scores share. */
export type LogitsOf = (x: Matrix) => Promise<Matrix>;

/** The confidence of each feature row; higher means more like the training data. */
export type Confidence = (x: Matrix) => Promise<Float64Array>;

/** Those that are built from train features. */
export const NEEDS_TRAIN: readonly OodScore[] = ['knn', 'mahalanobis', 'relative-mahalanobis', 'vim'];
/** Those that are built from a classifier. */
export const NEEDS_CLASSIFIER: readonly OodScore[] = ['msp', 'max-logit', 'energy', 'gen', 'vim'];

/** The scores that the reference suffices for. */
export function possibleScores({ classifier, train }: OodReference): OodScore[] {
  return OOD_SCORES.filter(
    (score) => (classifier || !NEEDS_CLASSIFIER.includes(score)) && (train || !NEEDS_TRAIN.includes(score)),
  );
}

/** What scores have in common, computed once for all of them. */
export interface SharedFits {
  readonly logitsOf: LogitsOf;
  readonly mahalanobis: () => Promise<MahalanobisModel>;
}

export function sharedFits(backend: EvalBackend, { classifier, train }: OodReference): SharedFits {
  const known = new Map<Matrix, Promise<Matrix>>();
  let model: Promise<MahalanobisModel> | undefined;
  return {
    logitsOf(x) {
      const logits = known.get(x) ?? classify(backend, classifier!, x);
      known.set(x, logits);
      return logits;
    },
    mahalanobis() {
      model ??= fitMahalanobis(backend, train!);
      return model;
    },
  };
}

/**
 * Fits one score to the reference.
 *
 * @throws EvalsError `options` when the reference lacks what the score needs.
 */
export async function fitConfidence(
  backend: EvalBackend,
  score: OodScore,
  reference: OodReference,
  { k, temperature, vimDim }: ConfidenceOptions,
  { logitsOf, mahalanobis }: SharedFits,
): Promise<Confidence> {
  const { classifier, train } = reference;
  checkOption(classifier !== undefined || !NEEDS_CLASSIFIER.includes(score), `the ${score} score needs a classifier`);
  checkOption(train !== undefined || !NEEDS_TRAIN.includes(score), `the ${score} score needs train features`);
  switch (score) {
    case 'knn':
      return (x) => knnConfidence(backend, rowsOf(train!), x, k);
    case 'mahalanobis':
    case 'relative-mahalanobis': {
      const model = await mahalanobis();
      return (x) => mahalanobisConfidence(backend, model, x, score === 'relative-mahalanobis');
    }
    case 'vim': {
      const model = await fitVim(backend, classifier!, rowsOf(train!), vimDim);
      return async (x) => vimConfidence(backend, model, x, await logitsOf(x));
    }
    default:
      return async (x) => logitConfidence(score, await logitsOf(x), temperature);
  }
}

/** Class tokens of each batch; may be iterated several times. */
const rowsOf = (train: Batched<LabelledFeatures>): AsyncIterable<Matrix> => ({
  async *[Symbol.asyncIterator]() {
    for await (const batch of batches('oodDetection: train', train, LABELLED)) yield classTokens(batch);
  },
});
