/**
 * In-context segmentation (Hummingbird): no training, only looking up similar patches. The memory holds the
 * L2-normalised patch tokens of the train images with their soft labels (class shares of their pixels). Each patch of a
 * test image takes its `k` most similar memory patches; their labels are averaged with weights softmax(cosine / 0.02);
 * the grid of averages is upsampled bilinearly and the largest class named at each pixel.
 *
 * The memory streams past the test patches once, so only its labels are held, sparsely. The tokens of the test images are
 * held, or read in parts for each stretch of the memory (`heldPatches`). Sources: Balazevic et al. 2023;
 * open-hummingbird-eval; paper Table 4.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend } from '../backend/eval-backend';
import { namedCounts, type PairCounts, pairCounts } from '../compare/class-counts';
import { countItems } from '../compare/item-results';
import { checkOption, checkOptions, EvalsError } from '../errors';
import type { Batched, SegmentationFeatures } from '../features';
import { hungarianMatch, renamed } from '../metrics/matching';
import {
  checkScoring,
  pooledCounts,
  SCORING,
  type SegmentationScoring,
  scoreCounts,
  scoringOf,
  scoringSettings,
} from '../metrics/segmentation';
import { elapsed, type Outcome } from '../outcome';
import { loadProgress, type ProgressKeeper } from '../progress';
import { type InContextTrain, memoryBatches } from './memory-batches';
import { otherTest, readSearch, searchHeld, searchInParts } from './search-memory';
import { type SoftVote, softVote } from './soft-vote';
import { type TestPart, testParts } from './test-parts';

/** Options of `inContextSegmentation`. */
export interface InContextOptions extends SegmentationScoring {
  /** Neighbours; default 30. */
  readonly k?: number;
  /** Default 0.02. */
  readonly temperature?: number;
  /**
   * Bounds the memory: `patches` in all, shared by `images` train images (augmented ones counted each time), at least one
   * patch each. Default: every patch is kept.
   */
  readonly memory?: { readonly patches: number; readonly images: number };
  /** Seed of the choice of patches; default 0. */
  readonly seed?: number;
  /**
   * `hungarian` renames predictions to the classes they overlap best before scoring, as the reference does although
   * predictions carry names already; it can only raise the score. Default `none`.
   */
  readonly relabel?: 'none' | 'hungarian';
  /**
   * Patches that are held at once, as whole batches. Where test has more, it is read anew for each stretch of train: three
   * quarters are then of train, one of test. Default: all of test is held.
   */
  readonly heldPatches?: number;
  /** Test images, from the first on, whose maps are returned; default all. */
  readonly predictions?: number;
  /** Called when train images were searched, with their number so far. */
  readonly onSearched?: (images: number) => void;
  readonly backend?: EvalBackend;
  /** Keeps how far train is searched; a search that was stopped goes on to the same bits. */
  readonly progress?: ProgressKeeper | undefined;
}

const OPTIONS: OptionKinds<InContextOptions> = /* @__PURE__ */ Object.assign({}, SCORING, {
  k: 'number',
  temperature: 'number',
  memory: 'object',
  seed: 'number',
  relabel: ['none', 'hungarian'],
  heldPatches: 'number',
  predictions: 'number',
  onSearched: 'function',
  backend: 'object',
  progress: 'object',
} as const);

export interface InContextResult {
  readonly outcome: Outcome;
  /** Predicted class of each pixel of the first test images, `[n, rows * cols]` of the mask size. */
  readonly predicted: readonly Int32Array[];
}

/**
 * @param train read once
 * @param test read again and again where it has more than `heldPatches`; an iterable must then be readable again
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function inContextSegmentation(
  train: InContextTrain,
  test: Batched<SegmentationFeatures>,
  options: InContextOptions,
): Promise<InContextResult> {
  const started = performance.now();
  checkOptions('inContextSegmentation', options, OPTIONS);
  const { k = 30, temperature = 0.02, relabel = 'none', seed = 0, backend = cpuBackend, classes } = options;
  const { predictions = Number.POSITIVE_INFINITY } = options;
  checkOption(Number.isInteger(k) && k >= 1, `k is ${k}; it must be a positive integer`);
  checkOption(temperature > 0, `the temperature is ${temperature}; it must be positive`);
  const scoring = scoringOf(options);
  checkScoring(scoring);
  const pooled = pooledCounts(backend, scoring);
  const predicted: Int32Array[] = [];
  const each: PairCounts[] = [];
  const votes = await searchAll(train, test, { ...options, k, backend });
  for await (const { map, mask } of mapsOf(votes, temperature, backend)) {
    each.push(pairCounts(await pooled.add(map, mask)));
    if (each.length <= predictions) predicted.push(map);
  }
  const images = each.length;
  const memoryPatches = votes.labels.rows;
  const table = { counts: pooled.counts, clusters: classes, classes };
  const named = scoreCounts(pooled.counts, scoring);
  const match = hungarianMatch(table);
  const matched = scoreCounts(renamed(table, match), scoring);
  const score = relabel === 'hungarian' ? matched : named;
  const names = relabel === 'hungarian' ? match : match.map((_, c) => c);
  const outcome: Outcome = {
    task: 'in-context-segmentation',
    protocol: 'hummingbird',
    variant: '',
    evaluated: images,
    total: images,
    metric: 'mIoU',
    value: score.miou,
    unit: 'share',
    others: {
      'pixel accuracy': score.pixelAccuracy,
      ...(relabel === 'hungarian' ? { 'mIoU as named': named.miou } : { 'mIoU relabelled': matched.miou }),
    },
    perClass: score.perClass,
    items: countItems(
      each.map((pairs) => namedCounts(pairs, names, classes)),
      scoring,
    ),
    hyper: { k, temperature, memoryPatches, relabel, ...scoringSettings(options), backend: backend.name },
    selectedOn: 'nothing',
    seeds: options.memory ? [seed] : [],
    quirks: relabel === 'hungarian',
    wallMs: elapsed(started),
  };
  await options.progress?.done();
  return { outcome, predicted };
}

/** Parts of the test images, what was found for each, and the labels of that. */
interface Votes extends Pick<SoftVote, 'labels'> {
  readonly parts: Iterable<TestPart> | AsyncIterable<TestPart>;
  readonly found: readonly SoftVote['neighbours'][];
}

/** Train and test share what may be held, where test does not fit. */
const HELD_OF_TEST = 0.25;

async function searchAll(
  train: InContextTrain,
  test: Batched<SegmentationFeatures>,
  options: InContextOptions & Required<Pick<InContextOptions, 'k' | 'backend'>>,
): Promise<Votes> {
  const { k, backend, classes, heldPatches = Number.POSITIVE_INFINITY, progress, onSearched } = options;
  const { search, labels } = readSearch(await loadProgress('inContextSegmentation', progress), k, classes);
  const held = await onlyPart(testParts(test, options, heldPatches));
  const memory = memoryBatches(train, options, labels, search.place);
  const settings = { backend, k, labels, progress, onSearched };
  const inParts = () => testParts(test, options, HELD_OF_TEST * heldPatches);
  const { found, place } = held
    ? await searchHeld(held, memory, search, settings)
    : await searchInParts(inParts, memory, search, { ...settings, stretch: (1 - HELD_OF_TEST) * heldPatches });
  if (place.images === 0)
    throw new EvalsError('features', 'the train set is empty; the memory needs patches of at least one image');
  return { parts: held ? [held] : inParts(), found, labels: labels.build() };
}

/** The first part where it is the only one. */
async function onlyPart(parts: AsyncIterable<TestPart>): Promise<TestPart | undefined> {
  for await (const part of parts) return part.isLast ? part : undefined;
  throw new EvalsError('options', 'the test set is empty');
}

/** The map of each image, from the votes of its patches, and its mask. */
async function* mapsOf(
  { parts, found, labels }: Votes,
  temperature: number,
  backend: EvalBackend,
): AsyncGenerator<{ readonly map: Int32Array; readonly mask: Uint8Array }> {
  let part = 0;
  for await (const { batches, queries } of parts) {
    const neighbours = found[part++] ?? otherTest();
    if (neighbours.scores.length !== queries.rows * neighbours.k) otherTest();
    const vote = { neighbours, temperature, labels };
    let first = 0;
    for (const { grid, maskSize, masks } of batches) {
      const cells = grid[0] * grid[1];
      for (const mask of masks) {
        const scores = { data: softVote(vote, first, first + cells), rows: cells, cols: labels.classes };
        first += cells;
        yield { map: await backend.labelMap({ scores, grid }, maskSize), mask };
      }
    }
  }
  if (part !== found.length) otherTest();
}
