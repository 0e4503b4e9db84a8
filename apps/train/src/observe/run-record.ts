/** Running totals of a run: images, time, pace, prototype choices, notices. */
import type { LoadedBatch } from '@franca/data';
import type { DerivedOptions } from '../config/derived-options';
import type { BestReading } from './best-reading';
import type { HealthNotice } from './health';
import type { KnnFigures } from './knn-figures';
import { createPace, type Pace } from './pace';
import { createPrototypeUsage, type PrototypeUsage } from './prototype-usage';
import type { RunStart } from './run-start';

export interface RunRecord {
  readonly notices: HealthNotice[];
  readonly usage: PrototypeUsage;
  readonly pace: Pace;
  /** What looked wrong at the last look. */
  trouble: readonly HealthNotice[];
  /** How the run began, as soon and as far as it is known. */
  start: RunStart | undefined;
  /** The newest k-NN reading. */
  knn: KnnFigures | undefined;
  /** The best one of a run from trained weights that is above them. */
  best: BestReading | undefined;
  /** By all ranks. */
  readonly imagesSeen: number;
  /** Seconds of training in all, earlier parts of a resumed run included. */
  seconds(): number;
  /** Counts one micro-batch, and the images that were skipped for it on all ranks. */
  count(batch: LoadedBatch, skipped: number): void;
}

/** What the earlier parts of a run that goes on add. */
export interface Earlier {
  readonly imagesSeen: number;
  readonly secondsSpent: number;
}

/** @param earlier what the parts before came to, where a run goes on */
export function createRecord(
  { heads, schedule, batch, ranks }: Pick<DerivedOptions, 'heads' | 'schedule' | 'batch' | 'ranks'>,
  earlier: Earlier | undefined,
): RunRecord {
  const began = performance.now();
  const pace = createPace(schedule.iterations, batch.accumulation, ranks.size);
  let imagesSeen = earlier?.imagesSeen ?? 0;
  return {
    notices: [],
    usage: createPrototypeUsage(heads.dino.levels.at(-1)!.prototypes),
    pace,
    trouble: [],
    start: undefined,
    knn: undefined,
    best: undefined,
    get imagesSeen() {
      return imagesSeen;
    },
    seconds: () => (earlier?.secondsSpent ?? 0) + (performance.now() - began) / 1000,
    count(loaded, skipped) {
      pace.count(loaded, skipped);
      imagesSeen += ranks.size * loaded.images.length;
    },
  };
}
