/** How fast a run is: images per second, waiting for data, time left. */
import type { LoadedBatch } from '@franca/data';

/** Figures of an interval, by their names in the log; waiting is per step. */
export interface IntervalRates {
  readonly images_per_second: number;
  readonly data_wait_ms: number;
  readonly skipped_images: number;
}

export interface Pace {
  /** Counts one micro-batch, and the images that were skipped for it on all ranks. */
  count(batch: Pick<LoadedBatch, 'images' | 'waitMs'>, skipped: number): void;
  /** Since the last interval ended, or over it where nothing was counted since. */
  imagesPerSecond(): number;
  secondsLeft(step: number): number;
  /** Ends an interval: figures since the last call. */
  interval(): IntervalRates;
}

/** The first step of a process pays for warming up, and pictures are drawn after it: what is left is reckoned without it. */
const WARM_STEPS = 2.5;

/** @param iterations of the whole run; `accumulation`: micro-batches of a step; `ranks`, each of which takes batches of as many images */
export function createPace(iterations: number, accumulation: number, ranks: number): Pace {
  const began = performance.now();
  let steps = 0;
  let warm = { time: began, steps: 0 };
  let since = { time: began, images: 0, steps: 0, wait: 0, skipped: 0 };
  let shown: IntervalRates = { images_per_second: 0, data_wait_ms: 0, skipped_images: 0 };
  return {
    count({ images, waitMs }, skipped) {
      if (steps === 0) since.time = performance.now() - waitMs;
      since.images += ranks * images.length;
      since.steps += 1 / accumulation;
      steps += 1 / accumulation;
      if (steps < WARM_STEPS) warm = { time: performance.now(), steps };
      since.wait += waitMs;
      since.skipped += skipped;
    },
    imagesPerSecond: () =>
      since.images > 0 ? (1000 * since.images) / (performance.now() - since.time) : shown.images_per_second,
    secondsLeft: (step) => ((iterations - step) * (performance.now() - warm.time)) / 1000 / (steps - warm.steps),
    interval() {
      const seconds = (performance.now() - since.time) / 1000;
      shown = {
        images_per_second: since.images / seconds,
        data_wait_ms: since.wait / since.steps,
        skipped_images: since.skipped,
      };
      since = { time: performance.now(), images: 0, steps: 0, wait: 0, skipped: 0 };
      return shown;
    },
  };
}
