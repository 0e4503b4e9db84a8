/**
 * In-context segmentation (Hummingbird): no training, only looking up similar patches. The memory holds the
 * L2-normalised patch tokens of the train images with their soft labels (class shares of their pixels). Each patch of a
 * test image takes its `k` most similar memory patches; their labels are averaged with weights softmax(cosine / 0.02);
 * the grid of averages is upsampled bilinearly and the largest class named at each pixel.
 *
 * The memory streams past the test patches, so only its labels are held, sparsely. Of the test images the tokens are
 * held, or those of a part at a time (`heldPatches`), past each of which the memory streams anew. Sources: Balazevic et
 * al. 2023; open-hummingbird-eval; paper Table 4.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, TopKSession } from '../backend/eval-backend';
import { SEGMENTATION } from '../check-features';
import { namedCounts, type PairCounts, pairCounts } from '../compare/class-counts';
import { countItems } from '../compare/item-results';
import { checkOption, checkOptions, EvalsError } from '../errors';
import { type Batched, batches, imageCount, maskOf, patchTokens, type SegmentationFeatures } from '../features';
import { joinRows, type Matrix, normaliseRows, rowRange, takeRows } from '../matrix';
import { hungarianMatch, renamed } from '../metrics/matching';
import {
  checkMask,
  checkScoring,
  pooledCounts,
  SCORING,
  type SegmentationScoring,
  scoreCounts,
  scoringOf,
  scoringSettings,
} from '../metrics/segmentation';
import { random } from '../numerics/random';
import { elapsed, type Outcome } from '../outcome';
import { type LabelMemory, labelMemory } from './label-memory';
import { patchLabels } from './patch-labels';
import { samplePatches } from './sample-patches';
import { type SoftVote, softVote } from './soft-vote';

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
   * Test patches that are held at once, as whole batches of `test`; for each such part `train` is read anew. Default: all,
   * so that `train` is read once.
   */
  readonly heldPatches?: number;
  /** Test images, from the first on, whose maps are returned; default all. */
  readonly predictions?: number;
  /** Called after each train image that was searched, with their number so far; it starts anew for each held part of test. */
  readonly onSearched?: (images: number) => void;
  readonly backend?: EvalBackend;
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
} as const);

export interface InContextResult {
  readonly outcome: Outcome;
  /** Predicted class of each pixel of the first test images, `[n, rows * cols]` of the mask size. */
  readonly predicted: readonly Int32Array[];
}

/**
 * @param train read once, or once for each part of `test` that is held; an iterable must then be readable again
 * @throws EvalsError `features`, `labels` or `options`
 */
export async function inContextSegmentation(
  train: Batched<SegmentationFeatures>,
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
  let [images, memoryPatches] = [0, 0];
  for await (const { queries, parts } of heldParts(test, options)) {
    using search = backend.openTopK(queries, k);
    const labels = await fillMemory(search, train, options);
    memoryPatches = labels.rows;
    const vote = { neighbours: await search.result(), temperature, labels };
    for await (const { map, mask } of mapsOf(parts, vote, backend)) {
      each.push(pairCounts(await pooled.add(map, mask)));
      if (images++ < predictions) predicted.push(map);
    }
  }
  checkOption(images > 0, 'the test set is empty');
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
  return { outcome, predicted };
}

/** What is kept of a batch of test images beside their tokens. */
interface TestPart extends Pick<SegmentationFeatures, 'grid' | 'maskSize'> {
  readonly masks: readonly Uint8Array[];
}

/** Unit tokens of test images `[patches, D]` that are searched for at once, and the batches that they are of. */
interface HeldPart {
  readonly queries: Matrix;
  readonly parts: readonly TestPart[];
}

/** The test images in parts of at most `heldPatches` patches, or of one batch. */
async function* heldParts(test: Batched<SegmentationFeatures>, options: InContextOptions): AsyncGenerator<HeldPart> {
  const { heldPatches = Number.POSITIVE_INFINITY } = options;
  let tokens: Matrix[] = [];
  let parts: TestPart[] = [];
  let patches = 0;
  for await (const batch of batches('inContextSegmentation: test', test, SEGMENTATION)) {
    checkMask(batch.masks, options);
    const unit = normaliseRows(patchTokens(batch));
    if (parts.length > 0 && patches + unit.rows > heldPatches) {
      yield { queries: joinRows(tokens), parts };
      [tokens, parts, patches] = [[], [], 0];
    }
    const masks = Array.from({ length: imageCount(batch) }, (_, i) => maskOf(batch, i));
    tokens.push(unit);
    parts.push({ grid: batch.grid, maskSize: batch.maskSize, masks });
    patches += unit.rows;
  }
  if (patches > 0) yield { queries: joinRows(tokens), parts };
}

/** The map of each image, from the votes of its patches, and its mask. */
async function* mapsOf(
  parts: readonly TestPart[],
  vote: SoftVote,
  backend: EvalBackend,
): AsyncGenerator<{ readonly map: Int32Array; readonly mask: Uint8Array }> {
  let first = 0;
  for (const { grid, maskSize, masks } of parts) {
    const cells = grid[0] * grid[1];
    for (const mask of masks) {
      const scores = { data: softVote(vote, first, first + cells), rows: cells, cols: vote.labels.classes };
      first += cells;
      yield { map: await backend.labelMap({ scores, grid }, maskSize), mask };
    }
  }
}

/** Streams the train patches past the queries and returns their soft labels. */
async function fillMemory(
  search: TopKSession,
  train: Batched<SegmentationFeatures>,
  options: InContextOptions,
): Promise<LabelMemory> {
  const { classes, ignore = 255, memory, seed = 0 } = options;
  const draws = random(seed);
  checkOption(
    memory === undefined || (memory.patches >= 1 && memory.images >= 1),
    `memory is { patches: ${memory?.patches}, images: ${memory?.images} }; both must be at least 1`,
  );
  const keep = memory ? Math.max(1, Math.floor(memory.patches / memory.images)) : Number.POSITIVE_INFINITY;
  const labels = labelMemory(classes);
  let searched = 0;
  for await (const batch of batches('inContextSegmentation: train', train, SEGMENTATION)) {
    checkMask(batch.masks, options);
    const cells = batch.grid[0] * batch.grid[1];
    const tokens = normaliseRows(patchTokens(batch));
    for (let i = 0; i < imageCount(batch); i++) {
      const soft = patchLabels(maskOf(batch, i), { grid: batch.grid, maskSize: batch.maskSize, classes, ignore });
      const image = rowRange(tokens, i * cells, (i + 1) * cells);
      const kept = samplePatches(soft, classes, keep, draws);
      await search.add(kept.length === cells ? image : takeRows(image, kept));
      labels.add(soft, kept);
      searched++;
      options.onSearched?.(searched);
    }
  }
  if (searched === 0)
    throw new EvalsError(
      'features',
      'the train set is empty; the memory needs patches, and they are read anew for each held part of test',
    );
  return labels.build();
}
