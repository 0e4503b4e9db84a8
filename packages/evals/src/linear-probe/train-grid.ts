/**
 * Trains all classifiers of a probe grid together, by SGD with momentum and a cosine schedule. The learning rate of
 * step `i` is the classifier's rate times `(1 + cos(pi i / iterations)) / 2`.
 */
import type { EvalBackend, LinearClassifier, LinearGridState } from '../backend/eval-backend';
import { EvalsError } from '../errors';
import type { Matrix } from '../matrix';
import { permutation, random } from '../numerics/random';
import type { Json } from '../outcome';
import { type ProbeFeatures, probeRows, takeLabels } from './probe-features';
import type { ProbeHead } from './probe-grid';

/** One step's items: shared feature rows and their classes. */
export interface ProbeBatch {
  readonly x: Matrix;
  readonly labels: Int32Array;
  /** Where its source goes on after it, of those that have to be told. */
  readonly place?: Json | undefined;
}

/** A grid in training, after so many steps. */
export interface GridInTraining {
  readonly iteration: number;
  readonly grid: LinearGridState;
  readonly place?: Json | undefined;
}

export interface TrainGridOptions {
  readonly heads: readonly ProbeHead[];
  readonly classes: number;
  /** Steps in all; the cosine schedule ends there. */
  readonly iterations: number;
  /** Default 0.9 and 0. */
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** Called after each step with every head's loss. */
  readonly onStep?: (iteration: number, losses: Float64Array, iterations: number) => void;
  /** Training that goes on; the batches are those that follow. */
  readonly from?: GridInTraining | undefined;
  /** Asked after each step but the last: what keeps the state, where that is due. */
  readonly keep?: () => ((state: GridInTraining) => Promise<void>) | undefined;
}

/** @throws EvalsError `options` when the batches end before the iterations do. */
export async function trainGrid(
  backend: EvalBackend,
  source: Iterable<ProbeBatch> | AsyncIterable<ProbeBatch>,
  { heads, classes, iterations, momentum = 0.9, weightDecay = 0, onStep, from, keep }: TrainGridOptions,
): Promise<LinearClassifier[]> {
  const inputs = Math.max(...heads.map(({ end }) => end));
  using session = backend.openLinearGrid({ inputs, classes, heads, momentum, weightDecay });
  let iteration = from?.iteration ?? 0;
  if (from) session.load(from.grid);
  for await (const { x, labels, place } of source) {
    const losses = await session.step(x, labels, cosine(iteration, iterations));
    onStep?.(iteration, losses, iterations);
    iteration += 1;
    if (iteration === iterations) return await session.heads();
    await keep?.()?.({ iteration, grid: await session.save(), place });
  }
  throw new EvalsError('options', `the batches ended after ${iteration} of ${iterations} iterations; supply more`);
}

/** Cosine from 1 at step 0 towards 0 at step `total`. */
export function cosine(step: number, total: number): number {
  return 0.5 * (1 + Math.cos((Math.PI * step) / total));
}

export interface ShuffleOptions {
  readonly size: number;
  readonly seed: number;
  /** Batches that are not asked for, as they were had before. */
  readonly skipped?: number;
}

/** Endless batches of `size` of these items, each pass over them in a new order; a last incomplete batch joins the next pass. */
export function* shuffledBatches(
  features: ProbeFeatures,
  items: ArrayLike<number>,
  { size, seed, skipped = 0 }: ShuffleOptions,
): Generator<ProbeBatch> {
  const draws = random(seed);
  let order = permutation(items.length, draws);
  let next = skipped * size;
  for (; next > order.length; order = permutation(items.length, draws)) next -= order.length;
  while (true) {
    const drawn = new Int32Array(size);
    for (let i = 0; i < size; i++) {
      if (next === order.length) {
        order = permutation(items.length, draws);
        next = 0;
      }
      drawn[i] = items[order[next++]!]!;
    }
    yield { x: probeRows(features, drawn), labels: takeLabels(features.labels, drawn) };
  }
}
