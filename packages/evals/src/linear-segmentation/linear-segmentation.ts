/**
 * Linear segmentation: one linear layer from patch tokens to classes. Its output is upsampled bilinearly to 100 x 100
 * and trained by pixel cross-entropy; several learning rates are trained at once and the best learning rate and epoch
 * are chosen. The reference chooses both on the reported split (`select: 'test'`). By default a tenth of the train
 * images decides, and the chosen learning rate is then trained on all of them for the chosen number of epochs.
 *
 * Train images may be in memory, in parts that are read as they are needed, or freshly augmented for each epoch; test
 * images may be batches that are read anew for each score. Sources: NeCo's linear head (protocol `neco-linear`); paper
 * Table 4. The paper upsamples to the input's size: set `size`.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, LinearClassifier, LinearGridState } from '../backend/eval-backend';
import { SEGMENTATION } from '../check-features';
import { countItems } from '../compare/item-results';
import { checkOption, checkOptions, EvalsError } from '../errors';
import { type Batched, batches, imageCount, type SegmentationFeatures } from '../features';
import {
  checkMask,
  checkScoring,
  SCORING,
  type SegmentationScoring,
  scoringOf,
  scoringSettings,
} from '../metrics/segmentation';
import type { Extent } from '../numerics/bilinear';
import { holdOut, random } from '../numerics/random';
import { elapsed, type Outcome } from '../outcome';
import { loadProgress, type ProgressKeeper } from '../progress';
import { checkSelection, SELECTION, type SelectionOptions, selectedOn } from '../selection';
import { bestOf, readHeads, savedHeads, searchHeads } from './search-heads';
import { scoreHeads, segmentationHeads } from './segmentation-heads';
import { trainHeads } from './train-heads';
import {
  type EpochSource,
  epochsOf,
  readImages,
  type SegmentationTrain,
  someImages,
  trainImages,
} from './train-images';

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
  /** Scores whole batches of test images only, as the reference's loader does. Default false. */
  readonly quirks?: boolean;
  /** Called after each epoch with their number so far; the training on all images that follows a search adds its own to `all`. */
  readonly onEpoch?: (done: number, all: number) => void;
  /** Seed of weights, order and hold-out; default 0. */
  readonly seed?: number;
  readonly backend?: EvalBackend;
  /** Keeps where training stands after an epoch; one that was stopped goes on to the same bits. */
  readonly progress?: ProgressKeeper | undefined;
}

const OPTIONS: OptionKinds<LinearSegmentationOptions> = /* @__PURE__ */ Object.assign({}, SCORING, SELECTION, {
  learningRates: 'numbers',
  epochs: 'number',
  dropAfter: 'number',
  batchSize: 'number',
  size: 'numbers',
  quirks: 'boolean',
  onEpoch: 'function',
  backend: 'object',
  progress: 'object',
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

/**
 * @param train one set, several, a stream of parts, or a function that makes the batches of an epoch (freshly augmented
 * ones); the last needs `select` to be `test` or a validation set
 * @param test read once for each epoch and once more, so it must be readable again
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function linearSegmentation(
  train: SegmentationTrain,
  test: Batched<SegmentationFeatures>,
  options: LinearSegmentationOptions,
): Promise<LinearSegmentationResult> {
  const started = performance.now();
  checkOptions('linearSegmentation', options, OPTIONS);
  checkSelection('linearSegmentation', options.select, SEGMENTATION);
  const { classes, ignore = 255, learningRates = DEFAULT_RATES, epochs = 25, dropAfter = 20 } = options;
  const { batchSize = 128, size = [100, 100], quirks = false, seed = 0, backend = cpuBackend, progress } = options;
  const { select = 'train-holdout' } = options;
  checkOption(learningRates.length > 0, 'no learning rate to train with');
  checkOption(epochs >= 1 && batchSize >= 1, `${epochs} epochs, batch size ${batchSize}; both must be at least 1`);
  const scoring = scoringOf(options);
  checkScoring(scoring);
  const all = readTest(test, options);
  const { images, dim } = await survey(all());
  const evaluated = quirks ? images - (images % batchSize) : images;
  checkOption(evaluated > 0, `${images} test images make no batch of ${batchSize}`);

  const heads = segmentationHeads(dim, classes, learningRates, seed);
  const training = { classes, ignore, size, dropAfter, heads, epochs };
  const { fitted, whole, judge } = sources(train, options, batchSize, seed);
  const judged = judge ? { images: judge } : { images: all, count: evaluated };
  const before = readHeads(await loadProgress('linearSegmentation', progress), {
    ...{ heads: heads.length, epochs, classes, dim },
  });
  const searched =
    before?.stage === 'again'
      ? before.searched
      : await searchHeads(backend, fitted, training, {
          async score(trained, epoch) {
            const scores = await scoreHeads(backend, trained, judged.images(), scoring, { size, ...judged });
            options.onEpoch?.(epoch, epochs);
            return scores.map(({ miou }) => miou);
          },
          before,
          progress,
        });
  const candidates = Array.from(searched.mious, (miou, i) => ({
    learningRate: learningRates[i % heads.length]!,
    epoch: 1 + Math.floor(i / heads.length),
    miou,
  }));
  const best = bestOf(searched.mious);
  const { learningRate, epoch } = candidates[best]!;
  const again = {
    ...training,
    heads: [heads[best % heads.length]!],
    epochs: epoch,
    from: before?.stage === 'again' ? before : undefined,
    async onEpoch(done: number, _: readonly LinearClassifier[], save: () => Promise<LinearGridState>) {
      options.onEpoch?.(epochs + done, epochs + epoch);
      if (done < epoch && progress?.due())
        await progress.save(savedHeads({ stage: 'again', epoch: done, grid: await save(), searched }));
    },
  };
  const head = select === 'train-holdout' ? (await trainHeads(backend, whole, again))[0]! : searched.head;
  const [score] = await scoreHeads(backend, [head], all(), scoring, { size, count: evaluated });
  const tried = { learningRate, epoch, learningRates, epochs, dropAfter, batchSize, size };
  const outcome: Outcome = {
    task: 'linear-segmentation',
    protocol: 'neco-linear',
    variant: '',
    evaluated,
    total: images,
    metric: 'mIoU',
    value: score!.miou,
    unit: 'share',
    others: { 'pixel accuracy': score!.pixelAccuracy },
    perClass: score!.perClass,
    items: countItems(score!.images, scoring),
    hyper: { ...tried, order: orderOf(train), ...scoringSettings(options), backend: backend.name },
    selectedOn: selectedOn(select),
    seeds: [seed],
    quirks: quirks || select === 'test',
    wallMs: elapsed(started),
  };
  await progress?.done();
  return { outcome, candidates, head };
}

/** In which order images are learnt from, for the record. */
function orderOf(train: SegmentationTrain): string {
  if (typeof train === 'function') return 'as the epochs were made';
  const parts = Array.isArray(train) ? train.length : 'parts' in train ? train.parts.length : 1;
  const pool = 'pool' in train ? (train.pool ?? 1) : 1;
  if (parts <= pool) return 'drawn over all images';
  return `${parts} parts in a drawn order, images drawn within ${pool === 1 ? 'each' : `${pool} of them at a time`}`;
}

type Images = () => AsyncIterable<SegmentationFeatures>;

/** The test images, checked, as often as asked for. */
const readTest = (test: Batched<SegmentationFeatures>, options: LinearSegmentationOptions): Images =>
  async function* () {
    for await (const batch of batches('linearSegmentation: test', test, SEGMENTATION)) {
      checkMask(batch.masks, options);
      yield batch;
    }
  };

/** How many images there are, and the width of their tokens. */
async function survey(all: AsyncIterable<SegmentationFeatures>): Promise<{ images: number; dim: number }> {
  let [images, dim] = [0, 0];
  for await (const batch of all) {
    images += imageCount(batch);
    dim = batch.dim;
  }
  if (dim === 0) throw new EvalsError('features', 'the test set is empty');
  return { images, dim };
}

/** What to fit, all that there is to fit, and what to judge on where that is not the test set. */
function sources(
  train: SegmentationTrain,
  { select = 'train-holdout', holdOut: share = 0.1, ...options }: LinearSegmentationOptions,
  batchSize: number,
  seed: number,
): { readonly fitted: EpochSource; readonly whole: EpochSource; readonly judge: Images | undefined } {
  const validation = typeof select === 'object' ? select.validation : undefined;
  if (validation) checkMask(validation.masks, options);
  const given: Images | undefined =
    validation &&
    async function* () {
      yield validation;
    };
  if (typeof train === 'function') {
    checkOption(select !== 'train-holdout', "augmented batches need select 'test' or a validation set");
    return { fitted: train, whole: train, judge: given };
  }
  const images = trainImages(train);
  const whole = epochsOf(images, batchSize, random(seed));
  if (select !== 'train-holdout') return { fitted: whole, whole, judge: given };
  const rows = holdOut(
    images.stream.parts.reduce((sum, part) => sum + part, 0),
    share,
    seed,
  );
  const held = someImages(images, rows.held);
  return {
    fitted: epochsOf(someImages(images, rows.train), batchSize, random(seed)),
    whole,
    judge: () => readImages(held),
  };
}
