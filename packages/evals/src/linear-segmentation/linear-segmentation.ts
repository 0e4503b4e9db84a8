/**
 * Linear segmentation: one linear layer from patch tokens to classes. Its output is upsampled bilinearly to 100 x 100
 * and trained by pixel cross-entropy; several learning rates are trained at once and the best learning rate and epoch
 * are chosen. The reference chooses both on the reported split (`select: 'test'`). By default a tenth of the train
 * images decides, and the chosen learning rate is then trained on all of them for the chosen number of epochs.
 *
 * Sources: NeCo's linear head (protocol `neco-linear`); paper Table 4. The paper upsamples to the input's size: set
 * `size`.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, LinearClassifier } from '../backend/eval-backend';
import { checkSet, SEGMENTATION } from '../check-features';
import { checkOption, checkOptions } from '../errors';
import { imageCount, type SegmentationFeatures } from '../features';
import {
  checkMask,
  checkScoring,
  SCORING,
  type SegmentationScore,
  type SegmentationScoring,
  scoringOf,
  scoringSettings,
} from '../metrics/segmentation';
import type { Extent } from '../numerics/bilinear';
import { random } from '../numerics/random';
import { elapsed, type Outcome } from '../outcome';
import { checkSelection, SELECTION, type SelectionOptions, selectedOn, selectionSets } from '../selection';
import { scoreHead, segmentationHeads, takeImages } from './segmentation-heads';
import { cachedEpochs, type EpochSource, type TrainHeadsOptions, trainHeads } from './train-heads';

const DEFAULT_RATES: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1];

/** Options of `linearSegmentation`. */
export interface LinearSegmentationOptions extends SegmentationScoring, SelectionOptions<SegmentationFeatures> {
  /** Default 0.001, 0.005, 0.01, 0.05, 0.1; the paper tries five but its values are unknown. */
  readonly learningRates?: readonly number[];
  /** Default 25. */
  readonly epochs?: number;
  /** Epochs before the learning rate falls to a tenth; default 20. */
  readonly dropAfter?: number;
  /** Images per step; default 128. */
  readonly batchSize?: number;
  /** Extent of training loss and score; default 100 x 100. */
  readonly size?: Extent;
  /**
   * Batches of freshly augmented images for each epoch, in place of the cached `train` (which then only says what the
   * features look like). Needs `select` to be `test` or a validation set.
   */
  readonly augmented?: EpochSource;
  /** Scores whole batches of test images only, as the reference's loader does. Default false. */
  readonly quirks?: boolean;
  /** Seed of weights, order and hold-out; default 0. */
  readonly seed?: number;
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<LinearSegmentationOptions> = /* @__PURE__ */ Object.assign({}, SCORING, SELECTION, {
  learningRates: 'numbers',
  epochs: 'number',
  dropAfter: 'number',
  batchSize: 'number',
  size: 'numbers',
  augmented: 'function',
  quirks: 'boolean',
  backend: 'object',
} as const);

/** A learning rate after some epochs, and its mIoU on what the choice was made on. */
export interface SegmentationCandidate {
  readonly learningRate: number;
  readonly epoch: number;
  readonly miou: number;
}

export interface LinearSegmentationResult {
  readonly outcome: Outcome;
  readonly candidates: readonly SegmentationCandidate[];
  readonly head: LinearClassifier;
}

/** @throws EvalsError `bad-features`, `bad-labels` or `bad-option` */
export async function linearSegmentation(
  train: SegmentationFeatures,
  test: SegmentationFeatures,
  options: LinearSegmentationOptions,
): Promise<LinearSegmentationResult> {
  const started = performance.now();
  checkSets(train, test, options);
  const { classes, ignore = 255, learningRates = DEFAULT_RATES, epochs = 25, dropAfter = 20 } = options;
  const { batchSize = 128, size = [100, 100], quirks = false, seed = 0, backend = cpuBackend } = options;
  const { select = 'train-holdout', augmented } = options;
  checkOption(learningRates.length > 0, 'no learning rate to train with');
  checkOption(epochs >= 1 && batchSize >= 1, `${epochs} epochs, batch size ${batchSize}; both must be at least 1`);
  checkOption(!augmented || select !== 'train-holdout', "augmented batches need select 'test' or a validation set");
  const scoring = scoringOf(options);
  checkScoring(scoring);
  for (const { masks } of [train, test]) checkMask(masks, options);
  const images = imageCount(test);
  const evaluated = quirks ? images - (images % batchSize) : images;
  checkOption(evaluated > 0, `${images} test images make no batch of ${batchSize}`);

  const heads = segmentationHeads(train.dim, classes, learningRates, seed);
  const training = { classes, ignore, size, dropAfter, heads, epochs };
  const source = (set: SegmentationFeatures) => augmented ?? cachedEpochs(set, batchSize, random(seed));
  const { fitted, judge } = selectionSets({ train, test }, options, imageCount(train), takeImages);
  const judged = judge === test ? evaluated : imageCount(judge);
  const { candidates, best } = await searchHeads(backend, source(fitted), training, (head) =>
    scoreHead(backend, head, judge, scoring, { size, count: judged }),
  );
  const { learningRate, epoch } = best.candidate;
  const again = { ...training, heads: [heads[learningRates.indexOf(learningRate)]!], epochs: epoch };
  const head = select === 'train-holdout' ? (await trainHeads(backend, source(train), again))[0]! : best.head;
  const score = await scoreHead(backend, head, test, scoring, { size, count: evaluated });
  const tried = { learningRate, epoch, learningRates, epochs, dropAfter, batchSize, size };
  const outcome: Outcome = {
    task: 'linear-segmentation',
    protocol: 'neco-linear',
    variant: '',
    evaluated,
    total: images,
    metric: 'mIoU',
    value: score.miou,
    unit: 'share',
    others: { 'pixel accuracy': score.pixelAccuracy },
    perClass: score.perClass,
    hyper: { ...tried, ...scoringSettings(options), backend: backend.name },
    selectedOn: selectedOn(select),
    seeds: [seed],
    quirks: quirks || select === 'test',
    wallMs: elapsed(started),
  };
  return { outcome, candidates, head };
}

function checkSets(train: SegmentationFeatures, test: SegmentationFeatures, options: LinearSegmentationOptions): void {
  checkOptions('linearSegmentation', options, OPTIONS);
  checkSet('linearSegmentation: train', train, SEGMENTATION);
  checkSet('linearSegmentation: test', test, SEGMENTATION);
  checkSelection('linearSegmentation', options.select, SEGMENTATION);
}

/** Trains all heads together and scores each after every epoch; `best` is the first of the best. */
async function searchHeads(
  backend: EvalBackend,
  source: EpochSource,
  training: TrainHeadsOptions,
  score: (head: LinearClassifier) => Promise<SegmentationScore>,
) {
  const candidates: SegmentationCandidate[] = [];
  let best: { candidate: SegmentationCandidate; head: LinearClassifier } | undefined;
  const onEpoch = async (epoch: number, trained: readonly LinearClassifier[]) => {
    for (const [i, head] of trained.entries()) {
      const candidate = { learningRate: training.heads[i]!.learningRate, epoch, miou: (await score(head)).miou };
      candidates.push(candidate);
      if (!best || candidate.miou > best.candidate.miou) best = { candidate, head };
    }
  };
  await trainHeads(backend, source, { ...training, onEpoch });
  return { candidates, best: best! };
}
