/** Running totals of a run: images, rates, skipped steps, prototype choices, notices. */
import type { ImageBatch } from '@franca/data';
import type { PretrainOptions } from '../config/pretrain-options';
import type { HealthNotice, HealthReading } from './health';
import { bytesText, duration } from './progress';

export interface RunRecord {
  readonly notices: HealthNotice[];
  /** How often each prototype of the finest level was some image's first choice since the start. */
  readonly usage: Uint32Array;
  knn: number | undefined;
  readonly imagesSeen: number;
  /** Seconds of training in all, earlier parts of a resumed run included. */
  seconds(): number;
  /** Counts one micro-batch. */
  count(batch: ImageBatch): void;
  choose(prototypes: ArrayLike<number>): void;
  /** What the live line shows between two log intervals. */
  pace(step: number): { imagesPerSecond: number; secondsLeft: number };
  /** Figures since the last call; waiting is per step. */
  rates(bytes: number): {
    images_per_second: number;
    data_wait_ms: number;
    skipped_images: number;
    memory_bytes: number;
  };
  health(step: number, rows: readonly Record<string, number>[], featureStd: number): HealthReading;
  cells(step: number, row: Readonly<Record<string, number>>, lr: number): Record<string, string>;
}

export interface EarlierParts {
  readonly imagesSeen: number;
  readonly secondsSpent: number;
}

export function createRecord(
  { heads, schedule, batch }: Pick<PretrainOptions, 'heads' | 'schedule' | 'batch'>,
  earlier: EarlierParts | undefined,
): RunRecord {
  const began = performance.now();
  const usage = new Uint32Array(heads.dino.levels.at(-1)!.prototypes);
  let recent = new Set<number>();
  let chosen = 0;
  let imagesSeen = earlier?.imagesSeen ?? 0;
  let steps = 0;
  // the first step of a process pays for warming up, and pictures are drawn after it
  let warm = { time: began, steps: 0 };
  let since = { time: began, images: 0, steps: 0, wait: 0, skipped: 0 };
  let shown = { images_per_second: 0, data_wait_ms: 0, skipped_images: 0, memory_bytes: 0 };
  const secondsLeft = (step: number): number =>
    ((schedule.iterations - step) * (performance.now() - warm.time)) / 1000 / (steps - warm.steps);
  return {
    notices: [],
    usage,
    knn: undefined,
    get imagesSeen() {
      return imagesSeen;
    },
    seconds: () => (earlier?.secondsSpent ?? 0) + (performance.now() - began) / 1000,
    count({ images, waitMs, skipped }) {
      if (steps === 0) since.time = performance.now() - waitMs;
      imagesSeen += images.length;
      since.images += images.length;
      since.steps += 1 / batch.accumulation;
      steps += 1 / batch.accumulation;
      if (steps < 2.5) warm = { time: performance.now(), steps };
      since.wait += waitMs;
      since.skipped += skipped.length;
    },
    choose(prototypes) {
      chosen += prototypes.length;
      for (const prototype of Array.from(prototypes)) {
        usage[prototype]!++;
        recent.add(prototype);
      }
    },
    pace: (step) => ({
      imagesPerSecond:
        since.images > 0 ? (1000 * since.images) / (performance.now() - since.time) : shown.images_per_second,
      secondsLeft: secondsLeft(step),
    }),
    rates(bytes) {
      const seconds = (performance.now() - since.time) / 1000;
      shown = {
        images_per_second: since.images / seconds,
        data_wait_ms: since.wait / since.steps,
        skipped_images: since.skipped,
        memory_bytes: bytes,
      };
      since = { time: performance.now(), images: 0, steps: 0, wait: 0, skipped: 0 };
      return shown;
    },
    health(step, rows, featureStd) {
      const last = rows.at(-1)!;
      // at most one prototype per image looked at can be in use
      const prototypesInUse = recent.size / Math.max(1, Math.min(usage.length, chosen));
      recent = new Set();
      chosen = 0;
      return {
        step,
        loss: last.loss!,
        featureStd,
        teacherEntropy: last.teacher_entropy!,
        prototypesInUse,
        skipped: rows.filter((row) => row.finite === 0).length,
        stepsSince: rows.length,
      };
    },
    cells(step, row, lr) {
      return {
        step: `${step}/${schedule.iterations}`,
        loss: row.loss!.toFixed(4),
        global: row.dino_global_crops_loss!.toFixed(4),
        local: row.dino_local_crops_loss!.toFixed(4),
        ibot: row.ibot_loss!.toFixed(4),
        koleo: row.koleo_loss!.toFixed(4),
        lr: lr.toExponential(2),
        'img/s': shown.images_per_second.toFixed(1),
        'wait ms': shown.data_wait_ms.toFixed(0),
        memory: bytesText(shown.memory_bytes),
        ETA: duration(secondsLeft(step)),
      };
    },
  };
}
