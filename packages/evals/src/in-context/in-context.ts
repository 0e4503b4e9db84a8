/**
 * In-context segmentation (Hummingbird): no training, only looking up similar patches. The memory holds the
 * L2-normalised patch tokens of the train images with their soft labels (class shares of their pixels). Each patch of a
 * test image takes its `k` most similar memory patches; their labels are averaged with weights softmax(cosine / 0.02);
 * the grid of averages is upsampled bilinearly and the largest class named at each pixel.
 *
 * The memory streams past the test patches, so only its labels are held. Sources: Balazevic et al. 2023;
 * open-hummingbird-eval; paper Table 4.
 */
import type { OptionKinds } from '@franca/tensor';
import { cpuBackend } from '../backend/cpu';
import type { EvalBackend, TopKSession } from '../backend/eval-backend';
import { checkSet, SEGMENTATION } from '../check-features';
import { checkOption, checkOptions, EvalsError } from '../errors';
import { type Batched, batches, imageCount, maskOf, patchTokens, type SegmentationFeatures } from '../features';
import { type Matrix, normaliseRows, rowRange, takeRows } from '../matrix';
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
import { patchLabels } from './patch-labels';
import { samplePatches } from './sample-patches';

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
  readonly backend?: EvalBackend;
}

const OPTIONS: OptionKinds<InContextOptions> = /* @__PURE__ */ Object.assign({}, SCORING, {
  k: 'number',
  temperature: 'number',
  memory: 'object',
  seed: 'number',
  relabel: ['none', 'hungarian'],
  backend: 'object',
} as const);

export interface InContextResult {
  readonly outcome: Outcome;
  /** Predicted class of each pixel of each test image, `[n, rows * cols]` of the mask size. */
  readonly predicted: readonly Int32Array[];
}

/** @throws EvalsError `bad-features` or `bad-option` */
export async function inContextSegmentation(
  train: Batched<SegmentationFeatures>,
  test: SegmentationFeatures,
  options: InContextOptions,
): Promise<InContextResult> {
  const started = performance.now();
  checkOptions('inContextSegmentation', options, OPTIONS);
  checkSet('inContextSegmentation: test', test, SEGMENTATION);
  const { k = 30, temperature = 0.02, relabel = 'none', seed = 0, backend = cpuBackend, classes } = options;
  checkOption(Number.isInteger(k) && k >= 1, `k is ${k}; it must be a positive integer`);
  checkOption(temperature > 0, `the temperature is ${temperature}; it must be positive`);
  const images = imageCount(test);
  checkOption(images > 0, 'the test set is empty');
  const scoring = scoringOf(options);
  checkScoring(scoring);
  checkMask(test.masks, options);
  using search = backend.openTopK(normaliseRows(patchTokens(test)), k);
  const labels = await fillMemory(search, train, options);
  const votes = await backend.softVote({ neighbours: await search.result(), temperature, labels });

  const cells = test.grid[0] * test.grid[1];
  const scores: Matrix = { data: votes, rows: images * cells, cols: classes };
  const pooled = pooledCounts(backend, scoring);
  const predicted: Int32Array[] = [];
  for (let i = 0; i < images; i++) {
    const grid = { scores: rowRange(scores, i * cells, (i + 1) * cells), grid: test.grid };
    const map = await backend.labelMap(grid, test.maskSize);
    await pooled.add(map, maskOf(test, i));
    predicted.push(map);
  }
  const table = { counts: pooled.counts, clusters: classes, classes };
  const counts = relabel === 'hungarian' ? renamed(table, hungarianMatch(table)) : pooled.counts;
  const score = scoreCounts(counts, scoring);
  const outcome: Outcome = {
    task: 'in-context-segmentation',
    protocol: 'hummingbird',
    variant: '',
    evaluated: images,
    total: images,
    metric: 'mIoU',
    value: score.miou,
    unit: 'share',
    others: { 'pixel accuracy': score.pixelAccuracy },
    perClass: score.perClass,
    hyper: {
      k,
      temperature,
      memoryPatches: labels.rows,
      relabel,
      ...scoringSettings(options),
      backend: backend.name,
    },
    selectedOn: 'nothing',
    seeds: options.memory ? [seed] : [],
    quirks: relabel === 'hungarian',
    wallMs: elapsed(started),
  };
  return { outcome, predicted };
}

/** Streams the train patches past the queries and returns their soft labels `[memory, classes]`. */
async function fillMemory(
  search: TopKSession,
  train: Batched<SegmentationFeatures>,
  options: InContextOptions,
): Promise<Matrix> {
  const { classes, ignore = 255, memory, seed = 0 } = options;
  const draws = random(seed);
  checkOption(
    memory === undefined || (memory.patches >= 1 && memory.images >= 1),
    `memory is { patches: ${memory?.patches}, images: ${memory?.images} }; both must be at least 1`,
  );
  const keep = memory ? Math.max(1, Math.floor(memory.patches / memory.images)) : Number.POSITIVE_INFINITY;
  const parts: Float32Array[] = [];
  for await (const batch of batches('inContextSegmentation: train', train, SEGMENTATION)) {
    checkMask(batch.masks, options);
    const cells = batch.grid[0] * batch.grid[1];
    const tokens = normaliseRows(patchTokens(batch));
    for (let i = 0; i < imageCount(batch); i++) {
      const soft = patchLabels(maskOf(batch, i), { grid: batch.grid, maskSize: batch.maskSize, classes, ignore });
      const image = rowRange(tokens, i * cells, (i + 1) * cells);
      const kept = samplePatches(soft, classes, keep, draws);
      await search.add(kept.length === cells ? image : takeRows(image, kept));
      parts.push(takeRows({ data: soft, rows: cells, cols: classes }, kept).data);
    }
  }
  if (parts.length === 0) throw new EvalsError('bad-features', 'the train set is empty; the memory needs patches');
  const data = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { data, rows: data.length / classes, cols: classes };
}
