/** Schedules of learning rate, weight decay, momentum and temperature: pure functions of the iteration. */

export interface CosineSchedule {
  /** Value at the peak, and at the end. */
  readonly base: number;
  readonly final: number;
  /** Iterations in all. From there on the value is `final`. */
  readonly total: number;
  /** Iterations of linear warm-up from `start` (default 0) to `base`, both ends included. */
  readonly warmup?: number;
  readonly start?: number;
  /** The first iterations are 0 instead: freezes the last layer. */
  readonly freeze?: number;
}

/**
 * Linear warm-up, then half a cosine: final + (base - final) (1 + cos(pi j / (total - warmup))) / 2 at j iterations after the warm-up.
 * The warm-up includes both its ends, so the peak is reached at warmup - 1 and repeated at warmup, as in the official scheduler.
 */
export function cosine({
  base,
  final,
  total,
  warmup = 0,
  start = 0,
  freeze = 0,
}: CosineSchedule): (iteration: number) => number {
  return (iteration) => {
    if (iteration >= total) return final;
    if (iteration < freeze) return 0;
    if (iteration < warmup) return warmup === 1 ? start : start + ((base - start) * iteration) / (warmup - 1);
    return final + 0.5 * (base - final) * (1 + Math.cos((Math.PI * (iteration - warmup)) / (total - warmup)));
  };
}

/** From `start` to `end` over `length` iterations, both ends included, then constant. */
export const linearRamp =
  (start: number, end: number, length: number): ((iteration: number) => number) =>
  (iteration) =>
    iteration >= length - 1 ? end : start + ((end - start) * iteration) / (length - 1);

export const constantSchedule =
  (value: number): ((iteration: number) => number) =>
  () =>
    value;

/** lr = base sqrt(batch / 1024), the official scaling rule. */
export const scaledLearningRate = (base: number, totalBatch: number): number => base * Math.sqrt(totalBatch / 1024);
