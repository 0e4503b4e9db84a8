/** Running totals of a run: images, time, pace, prototype choices, notices. */
import type { ImageBatch } from '@franca/data';
import type { DerivedOptions } from '../config/derived-options';
import type { HealthNotice } from './health';
import { createPace, type Pace } from './pace';
import { createPrototypeUsage, type PrototypeUsage } from './prototype-usage';

export interface RunRecord {
  readonly notices: HealthNotice[];
  readonly usage: PrototypeUsage;
  readonly pace: Pace;
  /** The last k-NN accuracy. */
  knn: number | undefined;
  readonly imagesSeen: number;
  /** Seconds of training in all, earlier parts of a resumed run included. */
  seconds(): number;
  /** Counts one micro-batch. */
  count(batch: ImageBatch): void;
}

/** What the earlier parts of a resumed run add. */
export interface Totals {
  readonly imagesSeen: number;
  readonly secondsSpent: number;
}

/** @param earlier totals of the parts before, where a run is resumed */
export function createRecord(
  { heads, schedule, batch }: Pick<DerivedOptions, 'heads' | 'schedule' | 'batch'>,
  earlier: Totals | undefined,
): RunRecord {
  const began = performance.now();
  const pace = createPace(schedule.iterations, batch.accumulation);
  let imagesSeen = earlier?.imagesSeen ?? 0;
  return {
    notices: [],
    usage: createPrototypeUsage(heads.dino.levels.at(-1)!.prototypes),
    pace,
    knn: undefined,
    get imagesSeen() {
      return imagesSeen;
    },
    seconds: () => (earlier?.secondsSpent ?? 0) + (performance.now() - began) / 1000,
    count(images) {
      pace.count(images);
      imagesSeen += images.images.length;
    },
  };
}
